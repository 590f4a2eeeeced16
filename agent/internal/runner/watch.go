package runner

import (
	"context"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// lookEvery is for a shim that ends without a word, and for a ring that did not come.
const lookEvery = time.Second

// watch follows the shim id to its end, or until ctx ends.
func (r *Runner) watch(ctx context.Context, j *job, id proc.Identity) {
	var state <-chan struct{}
	b, err := journal.Listen(j.folder().BellPath(), j.bell.Ring)
	if err != nil {
		r.cfg.Log.Warn("a job's doorbell does not work, it is looked at once a second", "job_id", j.id(), "err", err)
	} else {
		state = b.State()
		defer func() {
			if err := b.Close(); err != nil {
				r.cfg.Log.Warn("closing a doorbell", "job_id", j.id(), "err", err)
			}
		}()
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		alive, err := id.Alive() // before looking: an outcome is there before the end
		if err != nil {
			alive = true // the system would not tell; ask again
		}
		if r.look(j) {
			r.bury(ctx, id)
			return
		}
		if !alive {
			r.died(ctx, j)
			r.bury(ctx, id)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-state:
		case <-tick.C:
		}
	}
}

// look reads what the shim wrote beside the log, tells whoever listens, and whether the job has ended.
func (r *Runner) look(j *job) bool {
	end, ended, err := j.folder().Outcome()
	if err != nil {
		r.cfg.Log.Warn("a job's outcome cannot be read", "job_id", j.id(), "err", err)
	}
	began := j.state() != fleet.StateAccepted
	if !began {
		if s, ok, err := j.folder().ReadShim(); err == nil && ok && s.Launch == j.entry.Launch {
			j.started(s)
		}
	}
	if p, ok, err := j.folder().ReadProgress(); err == nil && ok {
		j.mu.Lock()
		j.progress = &p
		j.mu.Unlock()
	}
	if ended {
		r.finish(j, end)
		return true
	}
	j.bell.Ring()
	if !began && j.state() != fleet.StateAccepted {
		r.changed.Ring()
	}
	return false
}

// finish makes the end of a job known and gives its repository free.
func (r *Runner) finish(j *job, end agentwire.JobFinished) {
	j.mu.Lock()
	j.finished, j.progress = &end, nil
	j.mu.Unlock()
	r.mu.Lock()
	j.phase = phaseEnded
	r.scheduleLocked()
	r.mu.Unlock()
	if err := j.closeTail(); err != nil {
		r.cfg.Log.Warn("closing a job's log", "job_id", j.id(), "err", err)
	}
	j.bell.Ring()
	r.changed.Ring()
	r.cfg.Log.Info("job ended", "job_id", j.id(), "state", end.Outcome.State, "reason", end.Outcome.Reason)
}

const (
	buryLimit = 5 * time.Second
	buryEvery = 10 * time.Millisecond
)

// bury waits for the end of a process that has nothing left to do and takes it from the system's table. One that does not end
// keeps its own number and harms nobody.
func (r *Runner) bury(ctx context.Context, id proc.Identity) {
	if id.PID == 0 || !awaitEnd(ctx, id, buryLimit, buryEvery) {
		return
	}
	if err := proc.Reap(id); err != nil {
		r.cfg.Log.Warn("reaping a process", "pid", id.PID, "err", err)
	}
}

// awaitEnd waits until process id has ended, for limit at most, and tells whether it has.
func awaitEnd(ctx context.Context, id proc.Identity, limit, every time.Duration) bool {
	return poll(ctx, limit, every, func() (bool, error) {
		alive, err := id.Alive()
		return !alive, err
	})
}

// poll asks every so often until the answer is yes, and tells whether it was within limit.
func poll(ctx context.Context, limit, every time.Duration, ask func() (bool, error)) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if yes, err := ask(); err == nil && yes {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-deadline.C:
			return false
		case <-tick.C:
		}
	}
}

const adoptEvery = 50 * time.Millisecond

// adopt goes on with a job that a former agent launched.
func (r *Runner) adopt(ctx context.Context, j *job) {
	for {
		s, known, err := j.folder().ReadShim()
		switch {
		case err != nil:
			r.cfg.Log.Warn("a job's shim.json cannot be read", "job_id", j.id(), "err", err)
		case !proc.SameBoot(j.entry.Boot, r.boot):
			r.died(ctx, j) // the host restarted: nothing of the job can live
			return
		case known && s.Launch == j.entry.Launch:
			r.watch(ctx, j, s.Self)
			return
		default:
			if r.withdraw(j) {
				r.again(ctx, j)
				return
			}
		}
		select { // a shim lives and has not said so yet
		case <-ctx.Done():
			return
		case <-time.After(adoptEvery):
		}
	}
}

// withdraw takes the launch back if no shim came of it; false while one holds the folder.
func (r *Runner) withdraw(j *job) bool {
	hold, err := datafolder.Hold(string(j.folder()), "the agent")
	if err != nil {
		if fault.CodeOf(err) != fault.DataLocked {
			r.cfg.Log.Warn("a job's folder cannot be locked", "job_id", j.id(), "err", err)
		}
		return false
	}
	defer func() {
		if err := hold.Release(); err != nil {
			r.cfg.Log.Warn("releasing a job's folder", "job_id", j.id(), "err", err)
		}
	}()
	if s, known, err := j.folder().ReadShim(); err != nil || known && s.Launch == j.entry.Launch {
		return false // it came, and may be gone already
	}
	if err := j.folder().Withdraw(j.entry.Launch); err != nil {
		r.cfg.Log.Warn("a launch cannot be withdrawn", "job_id", j.id(), "err", err)
		return false
	}
	return true
}

// again puts a job whose launch was withdrawn back into the queue and waits there.
func (r *Runner) again(ctx context.Context, j *job) {
	r.mu.Lock()
	j.entry.Launch, j.entry.Boot = "", ""
	j.phase = phaseWaiting
	j.mu.Lock()
	cancelled := j.cancelled
	j.mu.Unlock()
	if cancelled {
		j.phase = phaseEnding
		close(j.stop)
	}
	r.scheduleLocked()
	r.mu.Unlock()
	r.queue(ctx, j)
}
