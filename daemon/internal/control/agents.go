package control

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// Agent gives the host of an agent that may connect; fault.HostRevoked for any other.
func (s *Service) Agent(ctx context.Context, id fleet.AgentID) (fleet.Host, error) {
	return fleet.Host{}, notBuilt()
}

// AgentHello opens a session: the host is online, the jobs that the agent holds are brought together with those the daemon
// knows. offer are the jobs to send now, oldest first.
func (s *Service) AgentHello(ctx context.Context, id fleet.AgentID, h agentwire.Hello, now time.Time) (host fleet.Host, jobs []agentwire.WelcomeJob, offer []fleet.Job, err error) {
	return fleet.Host{}, nil, nil, notBuilt()
}

// AgentGone says that a session ended. Call it when the dispatcher no longer counts the session: with a newer session open the
// host stays online.
func (s *Service) AgentGone(ctx context.Context, host fleet.HostID) error {
	return notBuilt()
}

// AgentFacts takes changed facts of a host.
func (s *Service) AgentFacts(ctx context.Context, host fleet.HostID, f agentwire.Facts) error {
	return notBuilt()
}

// Heartbeat notes that a host was heard from. It does not write; Sweep does.
func (s *Service) Heartbeat(ctx context.Context, host fleet.HostID, h agentwire.Heartbeat) error {
	return notBuilt()
}

// HostConfig is a host's desired state.
func (s *Service) HostConfig(ctx context.Context, host fleet.HostID) (agentwire.ConfigUpdate, error) {
	return agentwire.ConfigUpdate{}, notBuilt()
}

// PendingJobs gives what is to be sent to a host, oldest first: jobs that its agent never confirmed (State queued, dispatched or
// unknown), and jobs whose end is desired (CancelRequested).
func (s *Service) PendingJobs(ctx context.Context, host fleet.HostID) ([]fleet.Job, error) {
	return nil, notBuilt()
}
