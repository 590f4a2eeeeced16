package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// softMemory is where the collector begins to work harder; a shim needs a tenth of it unless a repository has very many snapshots.
const softMemory = 24 << 20

// Main is the whole life of the shim of job folder dir: it reads the launch data from stdin to its end, runs the job, and returns 0
// once the outcome is on disk. SIGTERM and the end of ctx mean that the host goes down. Errors that no outcome can tell go to
// standard error.
func Main(ctx context.Context, dir string, stdin io.Reader) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGHUP) // whoever started the agent in a terminal may close it
	debug.SetMemoryLimit(softMemory)
	if err := serve(ctx, journal.Folder(dir), stdin); err != nil {
		fmt.Fprintln(os.Stderr, "run-job:", err)
		return 1
	}
	return 0
}

// errWithdrawn says that this shim came too late: the agent has given its launch up.
var errWithdrawn = errors.New("this launch was withdrawn")

func serve(ctx context.Context, f journal.Folder, stdin io.Reader) (err error) {
	hold, err := lock(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hold.Release()) }()
	l, err := decodeLaunch(stdin)
	if err != nil {
		return err
	}
	// Under the lock: whoever withdraws a launch holds it, too.
	e, known, err := f.Read()
	if err != nil {
		return err
	}
	_, ended, err := f.Outcome()
	if err != nil {
		return err
	}
	if !known || e.Launch != l.ID || e.Accepted.Spec.JobID != l.Spec.JobID || ended {
		return errWithdrawn
	}
	s, err := open(f, l)
	if err != nil {
		return f.WriteOutcome(agentwire.JobFinished{Outcome: notStarted(err)})
	}
	return s.finish(s.job(ctx))
}

const (
	lockPatience = 10 * time.Second
	lockEvery    = 20 * time.Millisecond
)

// lock takes the folder. The agent holds it for moments only, and another shim for as long as it lives.
func lock(ctx context.Context, f journal.Folder) (*datafolder.Folder, error) {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		hold, err := datafolder.Hold(string(f), "run-job")
		if fault.CodeOf(err) != fault.DataLocked {
			return hold, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(lockEvery):
		}
	}
}

// shim is one running job.
type shim struct {
	folder     journal.Folder
	launch     Launch
	state      journal.Shim
	log        *spool.Writer
	rec        *recorder
	bell       *journal.Ringer
	ctl        *journal.Bell
	afterwards []func(context.Context) // what a stop leaves to do once restic's last output is recorded
}

// open makes ready all that a job needs on this host; restic is not touched.
func open(f journal.Folder, l Launch) (s *shim, err error) {
	s = &shim{folder: f, launch: l}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeBells())
		}
	}()
	self, err := proc.Self()
	if err != nil {
		return s, err
	}
	boot, err := proc.BootID()
	if err != nil {
		return s, err
	}
	s.state = journal.Shim{Launch: l.ID, Boot: boot, Self: self, ResticVersion: l.Tool.Version}
	if err := f.WriteShim(s.state); err != nil {
		return s, fmt.Errorf("write shim.json: %w", err)
	}
	if s.bell, err = journal.OpenRinger(f.BellPath()); err != nil {
		return s, err
	}
	if s.ctl, err = journal.Listen(f.CtlPath(), func() {}); err != nil {
		return s, err
	}
	if s.log, err = spool.OpenWriter(f.Spool(), spool.Options{}); err != nil {
		return s, err
	}
	s.rec = startRecorder(f, s.log, s.bell, newDecoder(l), l.Timing)
	return s, nil
}

func (s *shim) closeBells() error {
	var errs []error
	if s.bell != nil {
		errs = append(errs, s.bell.Close())
	}
	if s.ctl != nil {
		errs = append(errs, s.ctl.Close())
	}
	return errors.Join(errs...)
}

// finish closes the log and says how the job ended. After it nothing of the job runs or holds secrets.
func (s *shim) finish(o fleet.Outcome) error {
	s.rec.stop()
	s.rec.writeProgress(time.Now(), true)
	errs := []error{os.RemoveAll(s.folder.Temp())}
	if err := s.log.Close(time.Now(), s.folder.FreeSpare); err != nil {
		errs = append(errs, err)
		if lost := s.log.Lost(); lost.To > 0 {
			o.Message += fmt.Sprintf(" Lines %d to %d of restic could not be kept: the disk of this host was full.", lost.From, lost.To)
		}
	}
	if err := s.folder.WriteOutcome(agentwire.JobFinished{Outcome: o, Log: s.log.Position()}); err != nil {
		return errors.Join(append(errs, err, s.closeBells())...)
	}
	s.bell.Ring(journal.Lines)
	s.bell.Ring(journal.State)
	if err := errors.Join(append(errs, s.closeBells())...); err != nil {
		fmt.Fprintln(os.Stderr, "run-job:", err) // the outcome stands
	}
	return nil
}
