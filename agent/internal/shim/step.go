package shim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/shared/fleet"
)

// progressFPS: see the package's Decisions.
const progressFPS = 4

// call is one restic process to be: its command and how it gets its secrets.
type call struct {
	command proc.Command
	secrets *handover
}

// prepare makes everything ready for one restic process. The caller closes call.secrets.
func prepare(l Launch, f journal.Folder, step restic.Step) (call, error) {
	in := restic.CommandInput{Spec: l.Spec, Step: step}
	if step == restic.StepJob {
		in.Target = l.Target
	}
	if l.Spec.Repository.CACert != "" {
		in.CACertFile = f.CACert()
		if err := os.WriteFile(in.CACertFile, []byte(l.Spec.Repository.CACert), 0o600); err != nil {
			return call{}, fmt.Errorf("write CA certificate: %w", err)
		}
	}
	args, err := restic.Command(in)
	if err != nil {
		return call{}, err
	}
	repository, err := restic.Repository(l.Spec.Repository.URL, l.Credentials)
	if err != nil {
		return call{}, err
	}
	if err := os.MkdirAll(f.Temp(), 0o700); err != nil {
		return call{}, fmt.Errorf("make folder for temporary files: %w", err)
	}
	h, err := handOver(f, repository, l.Credentials)
	if err != nil {
		return call{}, err
	}
	env := h.env
	env.Home, env.CacheDir, env.TempDir, env.Path = l.Tool.Home, l.Tool.CacheDir, f.Temp(), l.Tool.Path
	env.ProgressFPS = progressFPS
	c := proc.Command{Path: l.Tool.Restic, Args: args, Env: restic.Env(env), Dir: string(f), Stdin: h.stdin, ExtraFiles: h.extra}
	return call{command: c, secrets: h}, nil
}

// stepGrace is between SIGTERM and SIGKILL for a step; it holds no lock for long.
const stepGrace = 10 * time.Second

// Step runs one short restic command (unlock, a look at the locks or at the job's snapshots, a test) of l with the files of folder f, for limit at most.
func Step(ctx context.Context, l Launch, f journal.Folder, step restic.Step, limit time.Duration) (res proc.Result, err error) {
	c, err := prepare(l, f, step)
	if err != nil {
		return proc.Result{}, err
	}
	defer func() { err = errors.Join(err, c.secrets.close()) }()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return proc.Run(ctx, c.command, proc.RunOptions{Grace: stepGrace})
}

// Unlock removes the repository's stale locks (those of living processes stay) and looks whether one is left. Each step is told
// to note. It gives no error: what did not work is said, and the next job that needs the repository for itself unlocks again.
func Unlock(ctx context.Context, l Launch, f journal.Folder, note func(string)) {
	limit := l.Timing.filled().StepLimit
	res, err := Step(ctx, l, f, restic.StepUnlock, limit)
	if !stepDone(note, "restic unlock", res, err) {
		return
	}
	res, err = Step(ctx, l, f, restic.StepListLocks, limit)
	if !stepDone(note, "restic list locks", res, err) {
		return
	}
	if left := strings.Fields(string(res.Stdout)); len(left) > 0 {
		note(fmt.Sprintf("%d locks are left in the repository: other processes hold them, or other hosts left them less than 30 minutes ago.", len(left)))
		return
	}
	note("No lock is left in the repository.")
}

// Saved asks the repository for the snapshots that the job of l saved, without locking it; they come as restic lists them, oldest
// first. It is false when the repository gave no answer; why is told to note.
func Saved(ctx context.Context, l Launch, f journal.Folder, note func(string)) ([]fleet.Snapshot, bool) {
	const what = "restic snapshots"
	res, err := Step(ctx, l, f, restic.StepSaved, l.Timing.filled().StepLimit)
	if ctx.Err() != nil {
		return nil, false
	}
	if err != nil || res.Exit.Code != 0 {
		stepDone(note, what, res, err)
		return nil, false
	}
	list, err := restic.ParseSnapshots(bytes.NewReader(res.Stdout), l.Spec.Repository.ID)
	if err != nil {
		note(what + " gave no list that is understood: " + err.Error())
		return nil, false
	}
	list = slices.DeleteFunc(list, func(s fleet.Snapshot) bool { return s.JobID != l.Spec.JobID })
	if len(list) == 0 {
		note(what + ": this job saved no snapshot.")
	}
	for _, s := range list {
		note(what + ": this job saved the snapshot " + string(s.ID) + ".")
	}
	return list, true
}

// stepDone notes how a step went and tells whether it went well.
func stepDone(note func(string), what string, res proc.Result, err error) bool {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		note(what + " did not end in its time and was stopped: the repository does not answer.")
	case err != nil:
		note(what + " could not be run: " + err.Error())
	case res.Exit.Code != 0:
		note(fmt.Sprintf("%s ended with exit code %d: %s", what, res.Exit.Code, firstLine(res.Stderr)))
	default:
		said := firstLine(res.Stdout)
		if said == "" || what != "restic unlock" {
			said = "done"
		}
		note(what + ": " + said)
		return true
	}
	return false
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	const longest = 1000
	return line[:min(len(line), longest)]
}
