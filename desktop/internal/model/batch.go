package model

import (
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Link is how the connection to the daemon stands.
type Link string

// The links. Zero is Connecting.
const (
	Connecting Link = ""           // nothing has come yet
	Live       Link = "live"       // what is shown is how it is
	Lost       Link = "lost"       // what is shown is how it was at Connection.AsOf
	SignedOut  Link = "signed-out" // the daemon does not know who asks; sign in again
)

// Connection tells about the link.
type Connection struct {
	Link    Link
	Since   time.Time // when the link became what it is
	AsOf    time.Time // the last sign of life of the daemon; zero before the first
	Err     error     // why it is Lost or SignedOut
	RetryAt time.Time // when the next try is; zero: none is, until a person asks
}

// Batch is what happened since the batch before. The zero Batch says that nothing did.
type Batch struct {
	Reset      bool      // Rows are the whole state; what is not among them is gone
	AsOf       int64     // with Reset: the rev that the state is true for
	Rows       []api.Row // newest of each object, in the order of their revs
	Progress   map[fleet.JobID]fleet.Progress
	Connection *Connection   // nil: as before
	Identity   *api.Identity // nil: as before
}

// Change says what a batch changed. Ids come in no order, each once.
type Change struct {
	All          bool // a whole list came: look at everything, and take nothing that was read page by page for whole
	Restored     bool // with All: the daemon's store went back in time, and revs with it
	Hosts        []fleet.HostID
	Repositories []fleet.RepositoryID
	Plans        []fleet.PlanID
	Jobs         []fleet.JobID
	Progress     []fleet.JobID // jobs whose figures moved
	Ended        []fleet.JobID // jobs that were seen open and have ended: worth a word to the person
	Connection   bool
	Identity     bool
}

// None tells whether nothing changed.
func (c Change) None() bool {
	return !c.All && !c.Rows() && len(c.Progress) == 0 && !c.Connection && !c.Identity
}

// Rows tells whether a host, repository, plan or job changed: its row, or what follows for a host.
func (c Change) Rows() bool {
	return c.All || len(c.Hosts)+len(c.Repositories)+len(c.Plans)+len(c.Jobs) > 0
}

// JobBatch is what happened on the stream of one job since the batch before.
type JobBatch struct {
	Job      *fleet.Job            // the job's row, when it changed
	First    int64                 // number of Lines[0]
	Lines    []fleet.LogLine       // of the log, in order, following on the batch before
	Progress []fleet.Progress      // in order; of very many not all, but the newest
	Past     []fleet.ProgressPoint // how far the job was before the stream began, oldest first; none: not told in this batch
	AsOfSeq  int64                 // the last line known to the daemon when the stream began; 0: not told in this batch
	Live     bool                  // all lines known so far have come
	EOF      bool                  // no line will come any more
	Link     *Connection           // how the stream stands, when that changed
}
