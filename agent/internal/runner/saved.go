package runner

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	askTries     = 4 // to ask a repository about a dead job: after a start of the host the network may need its time
	defaultPause = 30 * time.Second
)

// saved is what the repository says of a backup whose end nobody saw.
type saved struct {
	asked    bool // it was a backup
	answered bool
	snapshot *fleet.Snapshot // nil: none
}

// askSaved asks the repository whether a backup that died had saved its snapshot. Other jobs do not wait for the answer.
func (r *Runner) askSaved(ctx context.Context, j *job, n *notes) saved {
	if j.entry.Accepted.Spec.Kind != fleet.KindBackup {
		return saved{}
	}
	r.mu.Lock()
	j.phase = phaseEnding // nothing of it runs: its repository is free
	r.scheduleLocked()
	r.mu.Unlock()
	defer func() {
		if err := os.RemoveAll(j.folder().Temp()); err != nil {
			n.own.Warn("temporary files cannot be removed", "err", err)
		}
	}()
	s := saved{asked: true}
	for try := 1; ; try++ {
		if s.snapshot, s.answered = r.askOnce(ctx, j, n); s.answered || try == askTries {
			return s
		}
		select {
		case <-ctx.Done():
			return s
		case <-time.After(r.cfg.AskPause):
		}
	}
}

func (r *Runner) askOnce(ctx context.Context, j *job, n *notes) (*fleet.Snapshot, bool) {
	l, err := r.prepare(ctx, j.entry.Accepted.Spec)
	if err != nil {
		if ctx.Err() == nil {
			_, message := reasonOf(err)
			n.add("The repository could not be asked for the job's snapshot: " + message)
		}
		return nil, false
	}
	list, answered := shim.Saved(ctx, l, j.folder(), n.add)
	if !answered || len(list) == 0 {
		return nil, answered
	}
	return &list[len(list)-1], true
}

// unsaved are the part of an outcome's message that says that the snapshot is not there, and what to do next.
func (s saved) unsaved() string {
	switch {
	case !s.asked:
		return ". Start the job again"
	case !s.answered:
		return ", and the repository did not answer whether its snapshot had been saved. List the snapshots, and start the job again if it is missing"
	}
	return ", before its snapshot was saved. What was uploaded stays and the next backup uses it: start the job again"
}

// outcome judges a backup whose snapshot is there by what is left of its log.
func (s saved) outcome(j *job) (o fleet.Outcome, whole bool, err error) {
	d := restic.NewDecoder(fleet.KindBackup, time.Now)
	err = replay(j.folder().Spool(), d)
	o, whole = d.Saved(*s.snapshot)
	return o, whole && err == nil, err
}

// replay shows d what a log holds of restic.
func replay(path string, d *restic.Decoder) (err error) {
	log, err := spool.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	const atOnce = 1 << 20
	begun := map[fleet.LogStream]string{} // lines that go on
	for after := int64(0); ; {
		lines, err := log.ReadFrom(after, atOnce)
		if err != nil || len(lines) == 0 {
			return err
		}
		after += int64(len(lines))
		for _, l := range lines {
			if l.Stream != fleet.StreamOut && l.Stream != fleet.StreamErr {
				continue
			}
			text := begun[l.Stream] + l.Text
			begun[l.Stream] = ""
			switch {
			case !l.Cont:
				d.Line(l.Stream, text)
			case len(text) < atOnce: // a longer one tells nothing of how the backup ended
				begun[l.Stream] = text
			}
		}
	}
}
