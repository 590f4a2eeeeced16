package runner

import (
	"errors"
	"fmt"
	"sync"

	"github.com/backstay/backstay/agent/internal/bell"
	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// phase is where a job is in this Runner. Only active jobs hold their repository.
type phase string

const (
	phaseWaiting phase = "waiting"
	phaseActive  phase = "active"
	phaseEnding  phase = "ending" // ends without having had a turn
	phaseEnded   phase = "ended"
)

// job is one job of the journal.
type job struct {
	entry journal.Entry
	turn  chan struct{} // closed when it may begin
	stop  chan struct{} // closed when it is to end without a turn
	bell  bell.Bell     // lines, progress, state

	mu        sync.Mutex // of the rest, below Runner.mu; phase is Runner.mu's alone
	start     *agentwire.JobStarted
	progress  *fleet.Progress
	finished  *agentwire.JobFinished
	acked     journal.Acked
	cancelled bool

	tail struct { // for Held; its own lock because it reads the disk
		sync.Mutex
		reader *spool.Reader
	}

	phase phase
}

func newJob(e journal.Entry) *job {
	return &job{entry: e, turn: make(chan struct{}), stop: make(chan struct{}), phase: phaseWaiting,
		progress: &fleet.Progress{Phase: fleet.PhaseWaiting, At: e.Accepted.At}}
}

func (j *job) id() fleet.JobID                { return j.entry.Accepted.Spec.JobID }
func (j *job) repository() fleet.RepositoryID { return j.entry.Accepted.Spec.Repository.ID }
func (j *job) folder() journal.Folder         { return j.entry.Folder }

// started takes over what shim.json says.
func (j *job) started(s journal.Shim) {
	if s.StartedAt == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.start == nil {
		j.start = &agentwire.JobStarted{At: *s.StartedAt, ResticVersion: s.ResticVersion}
	}
}

func (j *job) state() fleet.JobState {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.finished != nil:
		return j.finished.Outcome.State
	case j.start != nil:
		return fleet.StateRunning
	}
	return fleet.StateAccepted
}

// lastSeq is the number of the last line in the spool so far.
func (j *job) lastSeq() (int64, error) {
	j.mu.Lock()
	end := j.finished
	j.mu.Unlock()
	if end != nil {
		return end.Log.LastSeq, nil
	}
	j.tail.Lock()
	defer j.tail.Unlock()
	if j.tail.reader == nil {
		r, err := spool.Open(j.folder().Spool())
		if err != nil {
			return 0, err
		}
		j.tail.reader = r
	}
	pos, err := j.tail.reader.Position()
	return pos.LastSeq, err
}

func (j *job) closeTail() error {
	j.tail.Lock()
	defer j.tail.Unlock()
	if j.tail.reader == nil {
		return nil
	}
	r := j.tail.reader
	j.tail.reader = nil
	return r.Close()
}

// Job is one job as its log's reader sees it. ReadFrom and Close belong to one goroutine.
type Job struct {
	j   *job
	log *spool.Reader
}

// Open gives the log and the events of a held job; the error is a fault with code UnknownJob when there is no such job.
func (r *Runner) Open(id fleet.JobID) (*Job, error) {
	j, ok := r.find(id)
	if !ok {
		return nil, unknownJob(id)
	}
	log, err := spool.Open(j.folder().Spool())
	if err != nil {
		return nil, err
	}
	return &Job{j: j, log: log}, nil
}

func unknownJob(id fleet.JobID) error {
	return fault.New(fault.UnknownJob, "This host does not know the job %s. Look it up with `backstay jobs ls`.", id)
}

// Bell is closed when there may be more since the call: take it before reading.
func (o *Job) Bell() <-chan struct{} { return o.j.bell.Listen() }

// ReadFrom gives the lines after number after, see spool.Reader.ReadFrom.
func (o *Job) ReadFrom(after int64, maxBytes int) ([]fleet.LogLine, error) {
	return o.log.ReadFrom(after, maxBytes)
}

// Started tells since when restic runs or ran.
func (o *Job) Started() (agentwire.JobStarted, bool) {
	o.j.mu.Lock()
	defer o.j.mu.Unlock()
	if o.j.start == nil {
		return agentwire.JobStarted{}, false
	}
	return *o.j.start, true
}

// Progress gives the newest progress of a job that has not ended.
func (o *Job) Progress() (fleet.Progress, bool) {
	o.j.mu.Lock()
	defer o.j.mu.Unlock()
	if o.j.finished != nil || o.j.progress == nil {
		return fleet.Progress{}, false
	}
	return *o.j.progress, true
}

// Finished tells how the job ended.
func (o *Job) Finished() (agentwire.JobFinished, bool) {
	o.j.mu.Lock()
	defer o.j.mu.Unlock()
	if o.j.finished == nil {
		return agentwire.JobFinished{}, false
	}
	return *o.j.finished, true
}

// Snapshots gives what a snapshots job that ended well listed; false for any other job.
func (o *Job) Snapshots() (list []fleet.Snapshot, ok bool, err error) {
	end, ended := o.Finished()
	spec := o.j.entry.Accepted.Spec
	if !ended || spec.Kind != fleet.KindSnapshots || end.Outcome.State != fleet.StateSucceeded {
		return nil, false, nil
	}
	log, err := spool.Open(o.j.folder().Spool())
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	list, err = restic.ParseSnapshots(log.Text(fleet.StreamOut), spec.Repository.ID)
	if err != nil {
		return nil, false, fmt.Errorf("read the snapshots of job %s: %w", o.j.id(), err)
	}
	return list, true, nil
}

// Close ends reading.
func (o *Job) Close() error { return o.log.Close() }
