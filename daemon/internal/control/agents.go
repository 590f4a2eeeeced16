package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Agent gives the host of an agent that may connect; fault.HostRevoked for any other.
func (s *Service) Agent(ctx context.Context, id fleet.AgentID) (host fleet.HostID, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		host, err = trustedHost(ctx, r, id)
		return err
	})
	return host, err
}

// trustedHost gives the host of an agent that was enrolled and neither revoked nor replaced.
func trustedHost(ctx context.Context, r HostReader, id fleet.AgentID) (fleet.HostID, error) {
	host, revoked, err := r.Agent(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && revoked {
		return "", fault.New(fault.HostRevoked, "The daemon does not trust this agent, or no longer. Enrol it anew with a fresh token (`backstay-agent enrol`).")
	}
	return host, err
}

func trustedAgent(ctx context.Context, r HostReader, id fleet.AgentID) (fleet.Host, error) {
	host, err := trustedHost(ctx, r, id)
	if err != nil {
		return fleet.Host{}, err
	}
	h, err := r.Host(ctx, host)
	if err == nil {
		err = checkTrusted(h)
	}
	return h, err
}

// AgentGone says that a session ended. Call it when the dispatcher no longer counts the session: with a newer session open the
// host stays online.
func (s *Service) AgentGone(ctx context.Context, host fleet.HostID) error {
	return s.update(ctx, func(w Writer) error { return s.hostAway(ctx, w, host, time.Time{}) })
}

// hostAway takes a host offline, unless a session of it is open.
func (s *Service) hostAway(ctx context.Context, w Writer, id fleet.HostID, stored time.Time) error {
	if d := s.dispatcher(); d != nil && d.Online(id) {
		return nil
	}
	h, err := w.Host(ctx, id)
	if err != nil || !h.Online {
		return err
	}
	h.Online = false
	for _, at := range []time.Time{stored, s.seen.get(id)} {
		if !at.IsZero() && (h.LastSeenAt == nil || at.After(*h.LastSeenAt)) {
			h.LastSeenAt = &at
		}
	}
	return w.PutHost(ctx, &h)
}

// AgentFacts takes changed facts of a host.
func (s *Service) AgentFacts(ctx context.Context, host fleet.HostID, f agentwire.Facts) error {
	if err := checkFacts(f); err != nil {
		return err
	}
	return s.update(ctx, func(w Writer) error {
		was, err := w.Host(ctx, host)
		if err != nil {
			return err
		}
		h := was
		if err := setFacts(ctx, w, &h, f); err != nil || sameHost(h, was) {
			return err
		}
		return w.PutHost(ctx, &h)
	})
}

func sameHost(a, b fleet.Host) bool {
	return a.Hostname == b.Hostname && a.OS == b.OS && a.Arch == b.Arch && a.AgentVersion == b.AgentVersion &&
		a.ResticVersion == b.ResticVersion && a.SecretStore == b.SecretStore && a.SealingKey == b.SealingKey &&
		a.RestoreRoot == b.RestoreRoot && slices.Equal(a.Secrets, b.Secrets)
}

// setFacts puts facts into a host. Of the repositories whose credentials it holds, those count that are known here.
func setFacts(ctx context.Context, r RepositoryReader, h *fleet.Host, f agentwire.Facts) error {
	h.Hostname, h.OS, h.Arch, h.AgentVersion, h.ResticVersion = f.Hostname, f.OS, f.Arch, f.AgentVersion, f.ResticVersion
	h.SealingKey, h.SecretStore, h.RestoreRoot = f.SealingKey, f.SecretStore, f.RestoreRoot
	secrets, err := r.KnownRepositories(ctx, f.Secrets)
	if err != nil {
		return err
	}
	slices.Sort(secrets)
	h.Secrets = slices.Compact(secrets)
	return nil
}

const maxSecrets = 10_000

// checkFacts bounds what an agent may put into the store.
func checkFacts(f agentwire.Facts) error {
	for _, m := range []struct {
		name, value string
		most        int
	}{
		{"hostname", f.Hostname, 255}, {"os", f.OS, 32}, {"arch", f.Arch, 32}, {"agent_version", f.AgentVersion, 128},
		{"restic_version", f.ResticVersion, 128}, {"sealing_key", f.SealingKey, 256}, {"restore_root", f.RestoreRoot, 4096},
	} {
		if len(m.value) > m.most || !utf8.ValidString(m.value) || strings.ContainsFunc(m.value, unicode.IsControl) {
			return fault.New(fault.Protocol, "The agent's %s is longer than %d bytes or not plain text. Update the agent.", m.name, m.most)
		}
	}
	if f.Hostname == "" || f.OS == "" {
		return fault.New(fault.Protocol, "The agent did not say its host name and system. Update the agent.")
	}
	if !strings.HasPrefix(f.SealingKey, "age1") {
		return fault.New(fault.Protocol, "The agent's sealing key is not an age recipient. Update the agent.")
	}
	if !f.SecretStore.Valid() {
		return fault.New(fault.Protocol, "The agent's secret store %s is not known here. Update the daemon.", shown(string(f.SecretStore)))
	}
	if len(f.Secrets) > maxSecrets {
		return fault.New(fault.Protocol, "The agent holds credentials of more than %d repositories. Remove some.", maxSecrets)
	}
	return nil
}

// Heartbeat notes that a host was heard from. It does not write; Sweep does.
func (s *Service) Heartbeat(_ context.Context, host fleet.HostID, _ agentwire.Heartbeat) error {
	s.seen.set(host, s.now())
	return nil
}

// HostConfig is a host's desired state.
func (s *Service) HostConfig(ctx context.Context, host fleet.HostID) (c agentwire.ConfigUpdate, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		c.Version, c.Plans, c.Repositories, err = r.HostConfig(ctx, host)
		for i := range c.Repositories { // what is known of a repository beside its settings is no part of what a host is to do
			v := &c.Repositories[i]
			v.SnapshotCount, v.ListedAt, v.LastBackup, v.LastCheck = 0, nil, nil, nil
		}
		return err
	})
	return c, err
}

// PendingJobs gives what is to be sent to a host, oldest first: jobs that its agent never confirmed (State queued, dispatched or
// unknown), and jobs whose end is desired (CancelRequested).
func (s *Service) PendingJobs(ctx context.Context, host fleet.HostID) (pending []fleet.Job, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		open, err := r.OpenJobs(ctx, host)
		for _, j := range open {
			if !j.Accepted || j.CancelRequested {
				pending = append(pending, j.Job)
			}
		}
		return err
	})
	return pending, err
}

// seenHosts remembers when hosts were last heard from: one entry a host.
type seenHosts struct {
	mu      sync.Mutex
	at      map[fleet.HostID]time.Time
	changed map[fleet.HostID]bool // since take
}

func newSeenHosts() *seenHosts {
	return &seenHosts{at: make(map[fleet.HostID]time.Time), changed: make(map[fleet.HostID]bool)}
}

func (s *seenHosts) set(id fleet.HostID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[id] = at
	s.changed[id] = true
}

func (s *seenHosts) get(id fleet.HostID) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[id]
}

// renew lets an online host have been seen when it was last heard from: the store has it a minute later.
func (s *seenHosts) renew(h *fleet.Host) {
	if at := s.get(h.ID); h.Online && (h.LastSeenAt == nil || at.After(*h.LastSeenAt)) {
		h.LastSeenAt = &at
	}
}

// take gives what changed since it was called last.
func (s *seenHosts) take() map[fleet.HostID]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[fleet.HostID]time.Time, len(s.changed))
	for id := range s.changed {
		out[id] = s.at[id]
	}
	clear(s.changed)
	return out
}
