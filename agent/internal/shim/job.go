package shim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func newDecoder(l Launch) *restic.Decoder { return restic.NewDecoder(l.Spec.Kind, time.Now) }

// job runs the job and tells how it ended.
func (s *shim) job(parent context.Context) fleet.Outcome {
	ctx, stop := context.WithCancelCause(context.WithoutCancel(parent))
	var watch sync.WaitGroup
	watch.Go(func() { s.watchStop(parent, ctx, stop) })
	defer watch.Wait()
	defer stop(nil)
	if m, marked, err := s.folder.Cancelled(); marked && err == nil {
		stop(&stopError{cause: stopCancel, words: cancelWords(m)})
	}
	s.rec.do(func() { s.rec.setPhase(time.Now(), fleet.PhaseStarting) })
	if err := s.before(ctx); err != nil {
		s.rec.note(err.Error())
		return notStarted(err)
	}
	if ctx.Err() != nil {
		s.rec.note(context.Cause(ctx).Error() + " restic was not started.")
		return stopped(causeOf(ctx), fleet.Outcome{FinishedAt: time.Now().UTC()}, s.launch.Timing)
	}
	r, err := s.start()
	if err != nil {
		s.rec.note(err.Error())
		return notStarted(err)
	}
	select {
	case <-r.p.Done():
	case <-ctx.Done():
		s.stopRestic(ctx, r.p)
	}
	return s.end(ctx, r)
}

// before does what a kind of job needs before its own restic runs.
func (s *shim) before(ctx context.Context) error {
	switch s.launch.Spec.Kind {
	case fleet.KindCheck:
		// check needs the repository for itself; the lock of a dead process would stop it.
		s.rec.do(func() { s.rec.setPhase(time.Now(), fleet.PhaseUnlocking) })
		res, err := Step(ctx, s.launch, s.folder, restic.StepUnlock, s.launch.Timing.StepLimit)
		if ctx.Err() == nil {
			stepDone(s.rec.note, "restic unlock", res, err) // when it did not go well, check says why in restic's words
		}
	case fleet.KindRestore:
		target, err := makeTarget(s.launch.Target)
		if err != nil {
			return err
		}
		s.launch.Target = target
	}
	return nil
}

// running is the job's own restic.
type running struct {
	p       *proc.Process
	pumps   sync.WaitGroup
	pipes   [2]*source // our ends
	secrets *handover
	began   time.Time
}

// start starts restic with its pipes.
func (s *shim) start() (*running, error) {
	c, err := prepare(s.launch, s.folder, restic.StepJob)
	if err != nil {
		return nil, err
	}
	r := &running{secrets: c.secrets}
	if err := s.spawn(r, c.command); err != nil {
		return nil, errors.Join(err, c.secrets.close(), r.closePipes())
	}
	s.started(r)
	for i, stream := range []fleet.LogStream{fleet.StreamOut, fleet.StreamErr} {
		r.pumps.Go(func() { pump(r.pipes[i], stream, newPace(r.pipes[i].capacity), s.rec.blocks) })
	}
	s.noteErr("Closing what restic was given", c.secrets.closeOurs())
	return r, nil
}

// spawn opens restic's pipes and starts it.
func (s *shim) spawn(r *running, c proc.Command) (err error) {
	var child [2]*os.File
	defer func() {
		for _, f := range child {
			if f != nil {
				err = errors.Join(err, f.Close())
			}
		}
	}()
	for i := range r.pipes {
		if r.pipes[i], child[i], err = newSource(); err != nil {
			return err
		}
	}
	c.Stdout, c.Stderr = child[0], child[1]
	r.began = time.Now()
	r.p, err = proc.Start(c)
	return err
}

func (r *running) closePipes() error {
	var errs []error
	for _, f := range r.pipes {
		if f != nil {
			errs = append(errs, f.close())
		}
	}
	return errors.Join(errs...)
}

// started says that restic runs.
func (s *shim) started(r *running) {
	id, at := r.p.Identity(), r.began.UTC()
	s.state.Child, s.state.StartedAt = &id, &at
	if err := s.folder.WriteShim(s.state); err != nil {
		s.rec.note("shim.json could not be written: " + err.Error())
	}
	s.rec.do(func() {
		s.rec.setPhase(time.Now(), fleet.PhaseStarting)
		s.bell.Ring(journal.State)
	})
}

// straggler bounds the wait for a helper of restic that keeps its pipes open after restic's end.
const straggler = 5 * time.Second

// end records restic's last output, does what a stop left to do, and judges.
func (s *shim) end(ctx context.Context, r *running) fleet.Outcome {
	exit, err := r.p.Wait(context.WithoutCancel(ctx))
	s.noteErr("Waiting for restic", err)
	drained := make(chan struct{})
	go func() { r.pumps.Wait(); close(drained) }()
	timer := time.NewTimer(straggler)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
		s.rec.note("A helper of restic lived on after it and is killed.")
		s.noteErr("Killing a helper of restic", r.p.Kill())
		for _, p := range r.pipes { // it may have left restic's group
			s.noteErr("Giving up a pipe of restic", p.abort())
		}
		<-drained
	}
	s.noteErr("Closing restic's pipes", r.closePipes())
	s.noteErr("Removing what restic was given", r.secrets.close())
	if causeOf(ctx) == "" && (exit.Signal != "" || exit.Code == exitCrashed) { // it had no time to remove its lock
		s.rec.note("restic ended " + exitWords(exit) + ", which Backstay did not ask for.")
		s.afterwards = append(s.afterwards, s.unlockAfterStop)
	}
	for _, f := range s.afterwards {
		f(ctx)
	}
	var lost []string
	if s.launch.Spec.Kind == fleet.KindRestore && exit.Signal == "" && exit.Code == 0 {
		lost, err = missing(s.launch.Target, s.launch.Spec.Restore.Includes)
		s.noteErr("Looking for the paths that were to be restored", err)
	}
	var o fleet.Outcome
	cause := causeOf(ctx)
	s.rec.do(func() {
		s.rec.decoder.Missing(lost)
		o = s.rec.decoder.Outcome(restic.Exit{Code: exit.Code, Signal: exit.Signal, Cancelled: cause == stopCancel || cause == stopHostDown, GaveUp: cause == stopUnreachable})
	})
	o.StartedAt, o.FinishedAt = r.began.UTC(), time.Now().UTC()
	if o.ExitCode == nil && exit.Code >= 0 {
		o.ExitCode = &exit.Code
	}
	if o.Summary != nil && o.Summary.Restore != nil {
		o.Summary.Restore.Target = s.launch.Target
	}
	return stopped(cause, o, s.launch.Timing)
}

// stopped gives the outcome of a job that was stopped: before restic ran (o has no state yet), or while it ran, by the decoder's own
// judgement. restic ends on SIGTERM in the same way whoever cancels, so a host that goes down is told apart here.
func stopped(cause stopCause, o fleet.Outcome, t Timing) fleet.Outcome {
	fresh := o.State == ""
	switch {
	case cause == stopHostDown && (fresh || o.State == fleet.StateCancelled):
		o.State, o.Reason = fleet.StateInterrupt, fleet.ReasonHostDown
		o.Message = "The host went down while the job ran. Start the job again once the host is up."
	case cause == stopCancel && fresh:
		o.State, o.Reason, o.Message = fleet.StateCancelled, fleet.ReasonCancelled, "The job was cancelled before it began. Start it again when it is wanted."
	case cause == stopUnreachable && fresh:
		o.State, o.Reason = fleet.StateFailed, fleet.ReasonRepositoryUnreachable
		o.Message = fmt.Sprintf("The repository did not answer for %v. Check its address, credentials and server, then start the job again.", t.RetryGiveUp)
	}
	return o
}

// notStarted is the outcome of a job whose restic could not be started.
func notStarted(err error) fleet.Outcome {
	o := fleet.Outcome{State: fleet.StateFailed, Reason: fleet.ReasonInvalidJob, FinishedAt: time.Now().UTC()}
	message, known := fault.Message(err)
	switch {
	case journal.IsFull(err):
		o.Reason, message = fleet.ReasonDiskFull, "The disk of this host is full, so the job could not begin. Free some space and start it again."
	case known:
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
		o.Reason, message = fleet.ReasonResticMissing, "restic could not be started on this host: "+err.Error()+". Run `backstay-agent doctor` there."
	default:
		o.Reason, message = fleet.ReasonResticError, "The job could not begin on this host: "+err.Error()+". Run `backstay-agent doctor` there."
	}
	o.Message = message
	return o
}
