package control

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Actor is who asks: taken from the bearer token.
type Actor struct {
	Name    string // user name, "token:<name>", or "system"
	Role    fleet.Role
	TokenID string // session's or API token's id
	Expires time.Time
}

// Logs is the durable log of every job with its live end (package joblog).
type Logs interface {
	// Append takes lines of a job, the first with number first. It never blocks on the disk: durable is called, from another
	// goroutine and without locks held, once all lines up to seq are on disk.
	Append(job fleet.JobID, first int64, lines []fleet.LogLine, durable func(seq int64)) (expect int64, err error)
	// Durable gives the position up to which the log is on disk.
	Durable(ctx context.Context, job fleet.JobID) (fleet.LogPosition, error)
	// Seal waits until the log is on disk and tells whether it ends exactly at want.
	Seal(ctx context.Context, job fleet.JobID, want fleet.LogPosition) (bool, error)
	// SetProgress keeps the newest progress of a job and rings its readers.
	SetProgress(job fleet.JobID, p fleet.Progress)
	// Notify rings the readers of a job: its row changed.
	Notify(job fleet.JobID)
}

// Dispatcher reaches connected agents (package dispatch). None of its methods blocks on a network but Request.
type Dispatcher interface {
	Offer(job fleet.Job)                                  // a queued job was committed
	Cancel(host fleet.HostID, job fleet.JobID, by string) // cancel became desired
	Configure(host fleet.HostID)                          // the host's desired state changed
	Disconnect(host fleet.HostID)                         // revoked
	Online(host fleet.HostID) bool
	Request(ctx context.Context, host fleet.HostID, r agentwire.Request) (agentwire.Reply, error)
}

// Feed publishes committed changes to consoles (package watch).
type Feed interface {
	Publish(rows ...api.Row)
}
