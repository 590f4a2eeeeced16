package runner

import (
	"context"
	"slices"
	"time"
)

const forgetEvery = 10 * time.Minute

// forget removes jobs that the daemon has whole, once they are old or take too much room. What the daemon does not have whole stays,
// however large.
func (r *Runner) forget(ctx context.Context) {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		r.forgetOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// forgetOnce looks at every job, the newest first, so that the oldest go when room is short.
func (r *Runner) forgetOnce(ctx context.Context) {
	r.mu.Lock()
	jobs := slices.Clone(r.order)
	r.mu.Unlock()
	var kept int64
	for _, j := range slices.Backward(jobs) {
		j.mu.Lock()
		acked, ended := j.acked, j.finished != nil
		j.mu.Unlock()
		if !ended || !acked.Finished || ctx.Err() != nil {
			continue
		}
		size, err := j.folder().Size()
		if err != nil {
			r.cfg.Log.Warn("a job's folder cannot be measured", "job_id", j.id(), "err", err)
			continue
		}
		kept += size
		if r.cfg.Now().Sub(acked.At) < r.cfg.Keep && kept <= r.cfg.KeepBytes {
			continue
		}
		kept -= size
		if err := j.folder().Remove(); err != nil {
			r.cfg.Log.Warn("a job's folder cannot be removed", "job_id", j.id(), "err", err)
			continue
		}
		r.mu.Lock()
		delete(r.jobs, j.id())
		r.order = slices.DeleteFunc(r.order, func(o *job) bool { return o == j })
		r.mu.Unlock()
		r.changed.Ring()
	}
}
