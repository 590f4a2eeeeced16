package shim

import (
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/shared/fleet"
)

// progressFile keeps progress.json: the first figures at once, then once a second, the newest in the end.
type progressFile struct {
	newest  fleet.Progress
	phase   fleet.Phase // set by us; stands over restic's own until its next figures, or to the end once we stop it
	held    bool        // phase stands whatever restic says
	pending bool        // newest is not written
	figures bool        // restic's own figures were written
	written time.Time
}

// setProgress takes restic's figures.
func (r *recorder) setProgress(now time.Time, p fleet.Progress) {
	f := &r.progress
	if f.held {
		p.Phase = f.phase
	}
	f.newest, f.pending = p, true
	f.newest.At = now.UTC()
	first := !f.figures
	f.figures = true
	r.writeProgress(now, first)
}

// setPhase says what the job does beyond restic's figures.
func (r *recorder) setPhase(now time.Time, phase fleet.Phase) {
	f := &r.progress
	if f.newest.Phase == phase || f.held && phase == fleet.PhaseRetrying {
		return
	}
	f.phase, f.newest.Phase, f.newest.At, f.pending = phase, phase, now.UTC(), true
	r.writeProgress(now, true)
}

// holdPhase is setPhase for the rest of the job.
func (r *recorder) holdPhase(phase fleet.Phase) {
	r.do(func() {
		r.setPhase(r.now(), phase)
		r.progress.held, r.progress.phase = true, phase
	})
}

func (r *recorder) writeProgress(now time.Time, atOnce bool) {
	f := &r.progress
	if !f.pending || !atOnce && now.Sub(f.written) < progressEvery && !now.Before(f.written) {
		return
	}
	f.written = now
	// On a full disk the last written progress stands; the next second tries again.
	if r.folder.WriteProgress(f.newest) == nil {
		f.pending = false
		r.bell.Ring(journal.State)
	}
}

// retryWatch notices a repository that does not answer: nothing but retries before any progress.
type retryWatch struct {
	timing  Timing
	started bool      // restic got somewhere: its own patience holds from now on
	since   time.Time // the first of an unbroken row of retries
	giveUp  chan struct{}
	given   bool
}

func newRetryWatch(t Timing) retryWatch { return retryWatch{timing: t, giveUp: make(chan struct{})} }

func (w *retryWatch) see(now time.Time, s fleet.LogStream, e restic.Event) {
	switch {
	case w.started:
	case e.Retry:
		if w.since.IsZero() {
			w.since = now
		}
	case e.Moved:
		w.started, w.since = true, time.Time{}
	default:
		if s == fleet.StreamErr {
			w.since = time.Time{} // another word: a retry went well at last, or something else goes on
		}
	}
}

// retrying tells whether the row of retries is long enough to be said; it closes giveUp when it is too long.
func (w *retryWatch) retrying(now time.Time) bool {
	if w.since.IsZero() {
		return false
	}
	if now.Sub(w.since) >= w.timing.RetryGiveUp && !w.given {
		w.given = true
		close(w.giveUp)
	}
	return now.Sub(w.since) >= w.timing.RetryPhase
}
