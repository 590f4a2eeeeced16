package control

import (
	"context"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// StartJob queues a job on a host. A repeated idempotencyKey of the same actor gives the first job again, for 24 hours. The job
// of a host that is away waits in the state queued.
func (s *Service) StartJob(ctx context.Context, actor Actor, host string, req api.JobRequest, idempotencyKey string) (fleet.Job, error) {
	return fleet.Job{}, notBuilt()
}

// CancelJob makes the end of a job desired. A job that was never sent is cancelled at once.
func (s *Service) CancelJob(ctx context.Context, actor Actor, id fleet.JobID) (fleet.Job, error) {
	return fleet.Job{}, notBuilt()
}

// Job gives one job.
func (s *Service) Job(ctx context.Context, id fleet.JobID) (fleet.Job, error) {
	return fleet.Job{}, notBuilt()
}

// Jobs gives a page of jobs, newest first. A page may be short, even empty, and still name a next one.
func (s *Service) Jobs(ctx context.Context, f JobFilter) (api.Page[fleet.Job], error) {
	return api.Page[fleet.Job]{}, notBuilt()
}
