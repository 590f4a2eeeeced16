package control

import (
	"context"
	"fmt"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// JobScheduled takes up a job that a host began by its own schedule, and says where the daemon stands with it. A slot has one job:
// one that is known already stays as it is.
func (s *Service) JobScheduled(ctx context.Context, host fleet.HostID, held agentwire.HeldJob) (agentwire.WelcomeJob, error) {
	if _, of, _, ok := held.JobID.Slot(); !ok || of != host || !held.State.Valid() {
		return agentwire.WelcomeJob{}, fault.New(fault.Protocol, "The agent named %s as a scheduled job of its own, and it is none. Update the agent.", shown(string(held.JobID)))
	}
	m := &meeting{s: s, now: s.now(), ids: []fleet.JobID{held.JobID}, held: map[fleet.JobID]agentwire.HeldJob{held.JobID: held}, partial: true, sameEpoch: true}
	durable, err := s.logs.Durable(ctx, held.JobID)
	if err != nil {
		return agentwire.WelcomeJob{}, fmt.Errorf("read end of log of job %s: %w", held.JobID, err)
	}
	m.durable = map[fleet.JobID]fleet.LogPosition{held.JobID: durable}
	err = s.update(ctx, func(w Writer) error {
		h, err := w.Host(ctx, host)
		if err != nil {
			return err
		}
		m.welcome, m.changed = nil, nil
		return m.present(ctx, w, h)
	})
	if err != nil {
		return agentwire.WelcomeJob{}, err
	}
	s.notify(m.changed)
	if len(m.welcome) == 0 {
		return agentwire.WelcomeJob{}, fault.New(fault.Internal, "The daemon has no word about job %s.", held.JobID)
	}
	return m.welcome[0], nil
}
