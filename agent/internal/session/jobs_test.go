package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstay/backstay/agent/internal/bell"
	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// fakeJobs is the job life of a host, in memory.
type fakeJobs struct {
	changed bell.Bell
	wrong   atomic.Bool // something was asked that no session may ask

	mu      sync.Mutex
	order   []*fakeJob
	runs    []fleet.JobID
	cancels []string
	runErr  error
	canErr  error
	ackErr  error
	voids   int
	voidErr error
	runGate chan struct{} // Run waits for its close, or ctx; nil: not
}

type fakeJob struct {
	all  *fakeJobs
	bell bell.Bell

	mu        sync.Mutex
	held      agentwire.HeldJob
	lines     []fleet.LogLine
	started   *agentwire.JobStarted
	progress  *fleet.Progress
	finished  *agentwire.JobFinished
	snapshots []fleet.Snapshot
	listed    bool
	acked     int64
	openErr   error
	readErr   error
	listErr   error
	open      int
	maxOpen   int
	reads     int
}

var (
	_ session.Jobs = (*fakeJobs)(nil)
	_ session.Job  = (*openJob)(nil)
)

func spec(id fleet.JobID) *fleet.JobSpec {
	return &fleet.JobSpec{JobID: id, Kind: fleet.KindBackup, Repository: fleet.RepositorySpec{ID: "repo", URL: "/srv/repo"},
		Backup: &fleet.BackupSpec{Paths: []string{"/home"}}}
}

func text(i int64) string { return fmt.Sprintf("line %d \"\xff\" ä", i) }

func line(i int64) fleet.LogLine {
	return fleet.LogLine{Time: time.Unix(i, 0).UTC(), Stream: fleet.StreamOut, Text: text(i), Cont: i%7 == 0}
}

// add puts a running job with n lines into the journal.
func (f *fakeJobs) add(id fleet.JobID, n int64) *fakeJob {
	j := &fakeJob{all: f, held: agentwire.HeldJob{JobID: id, State: fleet.StateRunning, Spec: spec(id)},
		started: &agentwire.JobStarted{At: time.Unix(1, 0).UTC(), ResticVersion: "0.19.1"}}
	f.mu.Lock()
	f.order = append(f.order, j)
	f.mu.Unlock()
	j.print(n)
	f.changed.Ring()
	return j
}

// addEnded puts an ended job into the journal.
func (f *fakeJobs) addEnded(id fleet.JobID, n int64) *fakeJob {
	j := f.add(id, n)
	j.end(fleet.StateSucceeded)
	return j
}

// print writes n more lines.
func (j *fakeJob) print(n int64) {
	j.mu.Lock()
	for range n {
		j.lines = append(j.lines, line(int64(len(j.lines)+1)))
	}
	j.held.LastSeq = int64(len(j.lines))
	j.mu.Unlock()
	j.bell.Ring()
}

func (j *fakeJob) end(s fleet.JobState, change ...func(*fleet.Outcome)) {
	j.mu.Lock()
	var pos fleet.LogPosition
	for _, l := range j.lines {
		pos = pos.Add(l)
	}
	j.finished = &agentwire.JobFinished{Outcome: fleet.Outcome{State: s, StartedAt: time.Unix(1, 0).UTC(), FinishedAt: time.Unix(2, 0).UTC()}, Log: pos}
	for _, f := range change {
		f(&j.finished.Outcome)
	}
	j.held.State = s
	j.mu.Unlock()
	j.bell.Ring()
	j.all.changed.Ring()
}

func (j *fakeJob) setProgress(done int64) {
	j.mu.Lock()
	j.progress = &fleet.Progress{Phase: fleet.PhaseReading, FilesDone: done, At: time.Unix(done, 0).UTC()}
	j.mu.Unlock()
	j.bell.Ring()
}

// change changes a job's fields and tells nobody.
func (j *fakeJob) change(f func(j *fakeJob)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(j)
}

func (j *fakeJob) isAcked() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.held.Acked
}

func (f *fakeJobs) find(id fleet.JobID) *fakeJob {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, j := range f.order {
		if j.held.JobID == id { // never changes
			return j
		}
	}
	return nil
}

func (f *fakeJobs) forget(id fleet.JobID) {
	f.mu.Lock()
	for i, j := range f.order {
		if j.held.JobID == id {
			f.order = append(f.order[:i:i], f.order[i+1:]...)
			break
		}
	}
	f.mu.Unlock()
	f.changed.Ring()
}

func (f *fakeJobs) Run(ctx context.Context, s fleet.JobSpec, within time.Duration) (fleet.JobState, error) {
	f.mu.Lock()
	err, gate := f.runErr, f.runGate
	f.runs = append(f.runs, s.JobID)
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	if err != nil {
		return "", err
	}
	if within < 0 {
		return "", errors.New("negative time to start")
	}
	if j := f.find(s.JobID); j != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.held.State, nil
	}
	j := f.add(s.JobID, 0)
	j.change(func(j *fakeJob) { j.held.State, j.held.Spec, j.started = fleet.StateAccepted, &s, nil })
	return fleet.StateAccepted, nil
}

func (f *fakeJobs) Cancel(_ context.Context, id fleet.JobID, by string) error {
	f.mu.Lock()
	f.cancels = append(f.cancels, string(id)+" by "+by)
	err := f.canErr
	f.mu.Unlock()
	if err != nil {
		return err
	}
	j := f.find(id)
	if j == nil {
		return fault.New(fault.UnknownJob, "No such job. Look again.")
	}
	return nil
}

func (f *fakeJobs) cancelled() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.cancels...)
}

func (f *fakeJobs) Held() []agentwire.HeldJob {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]agentwire.HeldJob, 0, len(f.order))
	for _, j := range f.order {
		j.mu.Lock()
		out = append(out, j.held)
		j.mu.Unlock()
	}
	return out
}

func (f *fakeJobs) Changed() <-chan struct{} { return f.changed.Listen() }

func (f *fakeJobs) Acked(_ context.Context, id fleet.JobID, seq int64, finished bool) error {
	f.mu.Lock()
	err := f.ackErr
	f.mu.Unlock()
	if err != nil {
		return err
	}
	if j := f.find(id); j != nil {
		j.mu.Lock()
		j.acked = max(j.acked, seq)
		if finished && j.finished == nil {
			f.wrong.Store(true)
		}
		j.held.Acked = j.held.Acked || finished && j.finished != nil
		j.mu.Unlock()
	}
	return nil
}

func (f *fakeJobs) Void(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.voids++
	if f.voidErr != nil {
		return f.voidErr
	}
	for _, j := range f.order {
		j.change(func(j *fakeJob) { j.held.Acked, j.held.AckedSeq, j.acked = false, 0, 0 })
	}
	return nil
}

func (f *fakeJobs) Open(id fleet.JobID) (session.Job, error) {
	j := f.find(id)
	if j == nil {
		return nil, fault.New(fault.UnknownJob, "No such job. Look again.")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.openErr != nil {
		return nil, j.openErr
	}
	j.open++
	j.maxOpen = max(j.maxOpen, j.open)
	return &openJob{j}, nil
}

// opened counts the jobs whose logs are open now.
func (f *fakeJobs) opened() (now, ever int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, j := range f.order {
		j.mu.Lock()
		now += j.open
		if j.maxOpen > 0 {
			ever++
		}
		j.mu.Unlock()
	}
	return now, ever
}

// openJob is a job as one pump reads it.
type openJob struct{ *fakeJob }

func (o *openJob) Bell() <-chan struct{} { return o.bell.Listen() }

func (o *openJob) ReadFrom(after int64, maxBytes int) ([]fleet.LogLine, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
	if o.readErr != nil {
		return nil, o.readErr
	}
	if after >= int64(len(o.lines)) {
		return nil, nil
	}
	var out []fleet.LogLine
	for _, l := range o.lines[after:] {
		maxBytes -= len(l.Text) + 1
		if maxBytes < 0 && len(out) > 0 {
			break
		}
		out = append(out, l)
	}
	return out, nil
}

func (o *openJob) Started() (agentwire.JobStarted, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.started == nil {
		return agentwire.JobStarted{}, false
	}
	return *o.started, true
}

func (o *openJob) Progress() (fleet.Progress, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.progress == nil || o.finished != nil {
		return fleet.Progress{}, false
	}
	return *o.progress, true
}

func (o *openJob) Finished() (agentwire.JobFinished, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.finished == nil {
		return agentwire.JobFinished{}, false
	}
	return *o.finished, true
}

func (o *openJob) Snapshots() ([]fleet.Snapshot, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.snapshots, o.listed, o.listErr
}

func (o *openJob) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open--
	return nil
}

var errDisk = errors.New("input/output error")
