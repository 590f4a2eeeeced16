package control

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

const (
	cloneEvery = time.Minute      // how often a host's clone is noted anew
	cloneQuiet = 10 * time.Minute // after so long without another meeting the clone is gone
)

// AgentCloned notes that two agents use the identity of a host. It is told again for as long as they meet.
func (s *Service) AgentCloned(ctx context.Context, host fleet.HostID) error {
	return s.update(ctx, func(w Writer) error {
		h, err := w.Host(ctx, host)
		now := s.now()
		if err != nil || h.ClonedAt != nil && now.Sub(*h.ClonedAt) < cloneEvery {
			return err
		}
		first := h.ClonedAt == nil
		h.ClonedAt = &now
		if err := w.PutHost(ctx, &h); err != nil || !first {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{now, "system", "host.cloned", string(h.ID), h.Name})
	})
}

// sweepCloned takes the note away from hosts whose second agent was not there for a while.
func (s *Service) sweepCloned(ctx context.Context, hosts []HostSeen) error {
	for _, seen := range hosts {
		if seen.ClonedAt == nil || s.now().Sub(*seen.ClonedAt) < cloneQuiet {
			continue
		}
		err := s.update(ctx, func(w Writer) error {
			h, err := w.Host(ctx, seen.ID)
			if err != nil || h.ClonedAt == nil || s.now().Sub(*h.ClonedAt) < cloneQuiet {
				return err
			}
			h.ClonedAt = nil
			return w.PutHost(ctx, &h)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
