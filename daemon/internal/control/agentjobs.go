package control

import (
	"context"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// AgentJob gives a job if it belongs to the host, and fault.UnknownJob otherwise.
func (s *Service) AgentJob(ctx context.Context, host fleet.HostID, id fleet.JobID) (fleet.Job, error) {
	return fleet.Job{}, notBuilt()
}

// JobDispatched is called before a job is sent. An error means: do not send it (it was cancelled, or has ended).
func (s *Service) JobDispatched(ctx context.Context, id fleet.JobID) error {
	return notBuilt()
}

// JobAccepted takes command.ack: the agent holds the job.
func (s *Service) JobAccepted(ctx context.Context, host fleet.HostID, id fleet.JobID, state fleet.JobState) error {
	return notBuilt()
}

// JobRejected takes command.reject: the job will not run.
func (s *Service) JobRejected(ctx context.Context, host fleet.HostID, id fleet.JobID, r agentwire.CommandReject) error {
	return notBuilt()
}

// JobStarted takes job.started: restic runs.
func (s *Service) JobStarted(ctx context.Context, host fleet.HostID, id fleet.JobID, m agentwire.JobStarted) error {
	return notBuilt()
}

// JobFinished takes a job's end: the log is sealed, the end committed and published. Only after nil may the agent be told. A
// fault.Conflict means that lines of the log are missing and must come first.
func (s *Service) JobFinished(ctx context.Context, host fleet.HostID, id fleet.JobID, m agentwire.JobFinished) error {
	return notBuilt()
}
