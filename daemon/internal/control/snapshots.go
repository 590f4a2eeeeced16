package control

import (
	"context"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Snapshots gives a page of snapshots, newest first. A page may be short, even empty, and still name a next one.
func (s *Service) Snapshots(ctx context.Context, f SnapshotFilter) (api.Page[fleet.Snapshot], error) {
	return api.Page[fleet.Snapshot]{}, notBuilt()
}

// SnapshotsReported takes a part of what a snapshots job found.
func (s *Service) SnapshotsReported(ctx context.Context, host fleet.HostID, job fleet.JobID, r agentwire.SnapshotsReport) error {
	return notBuilt()
}
