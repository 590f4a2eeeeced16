package shim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/shared/fleet"
)

// stopCause says why a job is stopped before its end.
type stopCause string

const (
	stopCancel      stopCause = "cancel"
	stopHostDown    stopCause = "host_down"
	stopUnreachable stopCause = "unreachable"
)

// stopError carries a stopCause in a context.
type stopError struct {
	cause stopCause
	words string // for the log
}

func (e *stopError) Error() string { return e.words }

// causeOf gives why ctx was stopped; "" while it is not.
func causeOf(ctx context.Context) stopCause {
	var e *stopError
	if errors.As(context.Cause(ctx), &e) {
		return e.cause
	}
	return ""
}

// lookEvery is for a ring that did not come: the agent rings when it marks a job.
const lookEvery = time.Second

// watchStop ends ctx with a stopError once there is a reason: the cancel mark, the end of parent (the host goes down), or nothing but
// retries for too long. It returns when ctx is done.
func (s *shim) watchStop(parent, ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if m, marked, err := s.folder.Cancelled(); marked && err == nil {
			stop(&stopError{cause: stopCancel, words: cancelWords(m)})
		}
		select {
		case <-ctx.Done():
			return
		case <-parent.Done():
			stop(&stopError{cause: stopHostDown, words: "The host goes down."})
		case <-s.rec.retries.giveUp:
			stop(&stopError{cause: stopUnreachable, words: fmt.Sprintf("The repository has not answered for %v.", s.launch.Timing.RetryGiveUp)})
		case <-s.ctl.State():
		case <-tick.C:
		}
	}
}

func cancelWords(m journal.CancelMark) string {
	if m.By == "" {
		return "Cancel was asked for."
	}
	return "Cancel was asked for by " + m.By + "."
}

// quickEnd is how fast restic ends after SIGTERM when it could remove its lock; with a repository that does not answer it takes 60 s
// and the lock stays.
const quickEnd = 5 * time.Second

// stopRestic is the ladder: ask, wait, kill, reap, unlock, look. It returns when restic is gone.
func (s *shim) stopRestic(ctx context.Context, p *proc.Process) {
	grace := s.launch.Timing.Grace
	if causeOf(ctx) == stopHostDown {
		grace = s.launch.Timing.StopGrace
	}
	s.rec.holdPhase(fleet.PhaseStopping)
	began := time.Now()
	s.noteErr("SIGTERM could not be sent", p.Interrupt())
	s.rec.note(context.Cause(ctx).Error() + " SIGTERM was sent to restic.")
	timer := time.NewTimer(grace)
	defer timer.Stop()
	killed := false
	select {
	case <-p.Done():
	case <-timer.C:
		killed = true
		s.rec.note(fmt.Sprintf("restic did not end within %v: SIGKILL was sent.", grace))
		s.noteErr("SIGKILL could not be sent", p.Kill())
		<-p.Done() // reaped: unlock takes a zombie for a living holder
	}
	exit, err := p.Wait(context.WithoutCancel(ctx))
	took := time.Since(began)
	s.rec.note("restic ended " + exitWords(exit) + fmt.Sprintf(" after %v.", took.Round(time.Millisecond)))
	s.noteErr("Waiting for restic", err)
	if killed || took > quickEnd || exit.Code != exitCancelled && exit.Code != 0 {
		s.afterwards = append(s.afterwards, s.unlockAfterStop)
	}
}

// Exit codes of restic.
const (
	exitCrashed   = 2   // Go's, after a panic
	exitCancelled = 130 // after SIGTERM or SIGINT
)

// unlockAfterStop runs once restic's last output is recorded. While the host goes down there is little time for it.
func (s *shim) unlockAfterStop(ctx context.Context) {
	s.rec.holdPhase(fleet.PhaseUnlocking)
	l := s.launch
	if causeOf(ctx) == stopHostDown {
		l.Timing.StepLimit = min(l.Timing.StepLimit, stepGrace)
	}
	Unlock(context.WithoutCancel(ctx), l, s.folder, s.rec.note)
}

func exitWords(e proc.Exit) string {
	if e.Signal != "" {
		return "by " + e.Signal
	}
	return fmt.Sprintf("with exit code %d", e.Code)
}

func (s *shim) noteErr(what string, err error) {
	if err != nil {
		s.rec.note(what + ": " + err.Error())
	}
}
