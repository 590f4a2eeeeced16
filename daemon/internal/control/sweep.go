package control

import (
	"context"
)

// Sweep does what time demands: hosts whose session is gone are offline, jobs of hosts away for too long become unknown, jobs
// queued for too long expire, ended sessions and old keys are removed. Call it every few seconds, from one goroutine.
func (s *Service) Sweep(ctx context.Context) error {
	return notBuilt()
}
