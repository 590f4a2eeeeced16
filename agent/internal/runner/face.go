package runner

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func (r *Runner) find(id fleet.JobID) (*job, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, ok := r.jobs[id]
	return j, ok
}

// Run takes a job up: once it returns, the job is on disk and will run, when its turn comes within startWithin (no limit when 0). A
// job that is known already answers with its present state, whatever it was asked with. Faults: InvalidInput and its like,
// PolicyDenied, StorageFull.
func (r *Runner) Run(ctx context.Context, spec fleet.JobSpec, startWithin time.Duration) (fleet.JobState, error) {
	return r.take(ctx, spec, startWithin, r.check)
}

// RunSlot is Run for a job that this host's own schedule begins: nobody is there to be told of a refusal, so it becomes the job's end.
func (r *Runner) RunSlot(ctx context.Context, spec fleet.JobSpec) (fleet.JobState, error) {
	return r.take(ctx, spec, 0, func(fleet.JobSpec) error { return nil }) // launch checks it
}

func (r *Runner) take(ctx context.Context, spec fleet.JobSpec, startWithin time.Duration, check func(fleet.JobSpec) error) (fleet.JobState, error) {
	for {
		state, busy := r.claim(spec.JobID)
		if state != "" {
			return state, nil
		}
		if busy == nil {
			break
		}
		select { // another call takes the same job up just now
		case <-busy:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	var j *job
	err := check(spec)
	if err == nil {
		j, err = r.accept(spec, startWithin)
	}
	r.mu.Lock()
	done := r.accepting[spec.JobID]
	delete(r.accepting, spec.JobID)
	if err == nil {
		r.add(j)
		if r.begin != nil && !r.closed {
			r.begin(j)
		}
		r.scheduleLocked()
	}
	r.mu.Unlock()
	close(done)
	if err != nil {
		return "", err
	}
	r.changed.Ring()
	return fleet.StateAccepted, nil
}

// claim gives the state of a known job, or the channel of the call that takes it up, or neither: then the caller does.
func (r *Runner) claim(id fleet.JobID) (fleet.JobState, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j, ok := r.jobs[id]; ok {
		return j.state(), nil
	}
	if busy, ok := r.accepting[id]; ok {
		return "", busy
	}
	r.accepting[id] = make(chan struct{})
	return "", nil
}

// check refuses what makes no sense on this host, or what it does not allow.
func (r *Runner) check(spec fleet.JobSpec) error {
	err := spec.ValidateOn(runtime.GOOS)
	if err == nil && r.cfg.Policy != nil {
		err = r.cfg.Policy(spec)
	}
	return err
}

func (r *Runner) accept(spec fleet.JobSpec, startWithin time.Duration) (*job, error) {
	up, err := proc.Uptime()
	if err != nil {
		return nil, err
	}
	a := journal.Accepted{Spec: spec, At: r.cfg.Now().UTC(), StartWithinMS: startWithin.Milliseconds(), Boot: r.boot, UptimeMS: up.Milliseconds()}
	f, err := r.journal.Create(a)
	if err != nil {
		return nil, err
	}
	return newJob(journal.Entry{Folder: f, Accepted: a}), nil
}

// Cancel makes a job's end desired, durably, by whom it says. A job that ended stays as it is, without an error. The fault is
// UnknownJob for one that this host does not have.
func (r *Runner) Cancel(_ context.Context, id fleet.JobID, by string) error {
	j, ok := r.find(id)
	if !ok {
		return unknownJob(id)
	}
	if j.state().Ended() {
		return nil
	}
	if err := j.folder().Cancel(journal.CancelMark{By: by, At: r.cfg.Now().UTC()}); err != nil {
		return fmt.Errorf("cancel job %s: %w", id, err)
	}
	j.mu.Lock()
	j.cancelled = true
	j.mu.Unlock()
	r.endWaiting(j)
	// The shim looks by itself once a second; the ring only makes it faster.
	if ringer, err := journal.OpenRinger(j.folder().CtlPath()); err == nil {
		ringer.Ring(journal.State)
		return ringer.Close()
	}
	return nil
}

// endWaiting takes a job out of the queue, so that it never begins; false when it has had its turn.
func (r *Runner) endWaiting(j *job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j.phase != phaseWaiting {
		return false
	}
	j.phase = phaseEnding
	close(j.stop)
	return true
}

// Held lists every job of the journal, in the order of acceptance.
func (r *Runner) Held() []agentwire.HeldJob {
	r.mu.Lock()
	jobs := append([]*job(nil), r.order...)
	r.mu.Unlock()
	out := make([]agentwire.HeldJob, 0, len(jobs))
	for _, j := range jobs {
		last, err := j.lastSeq()
		if err != nil {
			r.cfg.Log.Warn("the log of a job cannot be read", "job_id", j.id(), "err", err)
		}
		h := agentwire.HeldJob{JobID: j.id(), State: j.state(), LastSeq: last, Spec: &j.entry.Accepted.Spec}
		j.mu.Lock()
		if h.Acked = j.acked.Finished; !h.Acked {
			h.AckedSeq = j.acked.Seq
		}
		j.mu.Unlock()
		out = append(out, h)
	}
	return out
}

// Changed is closed when a job came, began, ended or was forgotten since the call.
func (r *Runner) Changed() <-chan struct{} { return r.changed.Listen() }

// Busy counts the jobs that wait or run.
func (r *Runner) Busy() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, j := range r.order {
		if j.phase != phaseEnded {
			n++
		}
	}
	return n
}

// Acked keeps that the daemon has all lines up to seq on its disk and, with finished, the end as well: the job is forgotten in time.
func (r *Runner) Acked(_ context.Context, id fleet.JobID, seq int64, finished bool) error {
	j, ok := r.find(id)
	if !ok {
		return nil // forgotten already
	}
	j.mu.Lock()
	a := journal.Acked{Seq: max(seq, j.acked.Seq), Finished: j.acked.Finished || finished && j.finished != nil, At: r.cfg.Now().UTC()}
	write := a.Finished && !j.acked.Finished
	j.acked = a
	j.mu.Unlock()
	if !write {
		return nil // where the daemon stands it says in every welcome
	}
	if err := j.folder().WriteAcked(a); err != nil {
		return fmt.Errorf("note acknowledgement of job %s: %w", id, err)
	}
	return nil
}

// Void forgets every acknowledgement, on disk before it returns: the store that gave them was put back from a copy. The jobs are
// held until they are acknowledged anew.
func (r *Runner) Void(ctx context.Context) error {
	r.mu.Lock()
	jobs := slices.Clone(r.order)
	r.mu.Unlock()
	for _, j := range jobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		j.mu.Lock()
		j.acked = journal.Acked{}
		j.mu.Unlock()
		if err := j.folder().RemoveAcked(); err != nil {
			return fmt.Errorf("void acknowledgement of job %s: %w", j.id(), err)
		}
	}
	r.changed.Ring()
	return nil
}
