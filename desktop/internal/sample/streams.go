package sample

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	newestEnded = 500 // ended jobs of the list, as the real daemon has it; see Daemon.listed
	batchLines  = 1000
	retryIn     = 10 * time.Second
	lifeSign    = time.Second
)

// awaitLocked unlocks, waits for the next change, at most for a sign of life's time, and locks again.
func (d *Daemon) awaitLocked(ctx context.Context) error {
	bell := d.bell
	d.mu.Unlock()
	defer d.mu.Lock()
	timer := time.NewTimer(lifeSign)
	defer timer.Stop()
	select {
	case <-bell:
	case <-timer.C:
	case <-ctx.Done():
		return fmt.Errorf("follow %s: %w", Address, ctx.Err())
	}
	return nil
}

// troubleLocked sits a cut out, as a client does that tries again, and tells when the session is over. told says whether lost was
// called before.
func (d *Daemon) troubleLocked(ctx context.Context, lost func(error, time.Duration), regained func()) error {
	told := false
	for d.cut != nil && !d.signedOut {
		if !told && lost != nil {
			told = true
			cut := d.cut
			d.callLocked(func() { lost(cut, retryIn) })
			continue
		}
		if err := d.awaitLocked(ctx); err != nil {
			return err
		}
	}
	switch {
	case d.signedOut:
		return signedOut()
	case told && regained != nil:
		d.callLocked(regained)
	}
	return nil
}

// callLocked calls a handler without holding the lock.
func (d *Daemon) callLocked(fn func()) {
	d.mu.Unlock()
	defer d.mu.Lock()
	fn()
}

// Watch gives the fleet and what changes, as the real one does.
func (d *Daemon) Watch(ctx context.Context, _ apiclient.WatchOptions, h apiclient.WatchHandler) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.troubleLocked(ctx, h.Lost, h.Regained); err != nil {
		return err
	}
	rows, at := d.listLocked(), int64(len(d.rows))
	d.callLocked(func() { h.List(rows, at) })
	told := map[fleet.JobID]time.Time{}
	for {
		if err := d.troubleLocked(ctx, h.Lost, h.Regained); err != nil {
			return err
		}
		if changed := slices.Clone(d.rows[at:]); len(changed) > 0 {
			at += int64(len(changed))
			d.callLocked(func() { h.Changes(changed) })
			continue
		}
		tick := api.WatchTick{At: d.now, Progress: d.progressLocked(told)}
		d.callLocked(func() { h.Tick(tick) })
		if int64(len(d.rows)) > at {
			continue
		}
		if err := d.awaitLocked(ctx); err != nil {
			return err
		}
	}
}

func (d *Daemon) progressLocked(told map[fleet.JobID]time.Time) map[fleet.JobID]fleet.Progress {
	out := map[fleet.JobID]fleet.Progress{}
	for _, j := range d.openLocked() {
		if p := j.progress; p != nil && j.State != fleet.StateUnknown && !told[j.ID].Equal(p.At) {
			out[j.ID], told[j.ID] = *p, p.At
		}
	}
	return out
}

func (d *Daemon) listLocked() []api.Row {
	var rows []api.Row
	for _, id := range slices.Sorted(maps.Keys(d.hosts)) {
		v := *d.hosts[id]
		rows = append(rows, api.Row{Kind: "host", ID: string(id), Rev: v.Rev, Host: &v})
	}
	for _, id := range slices.Sorted(maps.Keys(d.repos)) {
		v := *d.repos[id]
		rows = append(rows, api.Row{Kind: "repository", ID: string(id), Rev: v.Rev, Repository: &v})
	}
	for _, id := range slices.Sorted(maps.Keys(d.plans)) {
		v := *d.plans[id]
		rows = append(rows, api.Row{Kind: "plan", ID: string(id), Rev: v.Rev, Plan: &v})
	}
	ended := 0
	for _, j := range slices.Backward(d.order) {
		if j.State.Ended() {
			if ended++; ended > d.listed {
				continue
			}
		}
		v := j.Job
		rows = append(rows, api.Row{Kind: "job", ID: string(j.ID), Rev: v.Rev, Job: &v})
	}
	return rows
}

// Follow streams a job, as the real one does.
func (d *Daemon) Follow(ctx context.Context, id fleet.JobID, opt apiclient.FollowOptions, h apiclient.FollowHandler) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.troubleLocked(ctx, h.Lost, h.Regained); err != nil {
		return err
	}
	j := d.jobs[id]
	if j == nil {
		return fault.New(fault.UnknownJob, "There is no job %s. Look at the list of jobs.", id)
	}
	f := &follower{d: d, j: j, h: h, at: opt.AfterSeq}
	if n := int64(len(d.log(j))); opt.Tail > 0 {
		f.at = max(n-opt.Tail, 0)
	}
	f.snapshotLocked(pastOf(j.figures))
	for {
		done, err := f.stepLocked(ctx)
		if errors.Is(err, errWait) {
			err = d.awaitLocked(ctx)
		}
		if done || err != nil {
			return err
		}
	}
}

// follower is one reader of a job's stream.
type follower struct {
	d    *Daemon
	j    *job
	h    apiclient.FollowHandler
	at   int64     // last line given
	told time.Time // of the newest figures given
	rev  int64
	live bool
}

var errWait = errors.New("nothing to do until the next change")

// pastOf leaves a point every five seconds.
func pastOf(figures []fleet.Progress) []fleet.ProgressPoint {
	var out []fleet.ProgressPoint
	for _, p := range figures {
		if n := len(out); n == 0 || p.At.Sub(out[n-1].At) >= 5*time.Second {
			out = append(out, fleet.ProgressPoint{At: p.At, BytesDone: p.BytesDone})
		}
	}
	return out
}

func (f *follower) snapshotLocked(past []fleet.ProgressPoint) {
	f.rev = f.j.Rev
	s := api.StreamSnapshot{Job: f.j.Job, Progress: f.j.progress, AsOfSeq: int64(len(f.d.log(f.j))), FromSeq: f.at + 1, Epoch: "sample", Past: past}
	f.d.callLocked(func() { f.h.Snapshot(s) })
}

// stepLocked does the next thing there is to do.
func (f *follower) stepLocked(ctx context.Context) (done bool, err error) {
	d, j := f.d, f.j
	if err := d.troubleLocked(ctx, f.h.Lost, f.h.Regained); err != nil {
		return false, err
	}
	lines := d.log(j)
	switch {
	case f.at < int64(len(lines)):
		first := f.at + 1
		batch := slices.Clone(lines[f.at:min(f.at+batchLines, int64(len(lines)))])
		f.at += int64(len(batch))
		d.callLocked(func() { f.h.Lines(first, batch) })
	case j.progress != nil && !j.progress.At.Equal(f.told):
		p := *j.progress
		f.told = p.At
		d.callLocked(func() { f.h.Progress(p) })
	case !f.live:
		f.live = true
		d.callLocked(f.h.Live)
	case j.Outcome != nil:
		row, last := j.Job, int64(len(lines))
		d.callLocked(func() { f.h.Finished(row) })
		d.callLocked(func() { f.h.EOF(api.EOF{LastSeq: last, Sealed: true}) })
		return true, nil
	case f.rev != j.Rev:
		f.snapshotLocked(nil)
	default:
		return false, errWait
	}
	return false, nil
}
