package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// queue waits for the job's turn and runs it, or ends it without one.
func (r *Runner) queue(ctx context.Context, j *job) {
	var expired <-chan time.Time
	if left, limited := r.startTime(j); limited {
		t := time.NewTimer(left)
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-ctx.Done():
		return
	case <-j.stop:
		r.end(j, r.unstarted(fleet.StateCancelled, fleet.ReasonCancelled, "The job was cancelled before it began. Start it again when it is wanted."))
		return
	case <-expired:
		if r.endWaiting(j) {
			r.end(j, r.unstarted(fleet.StateFailed, fleet.ReasonExpired,
				"The job could not begin in its time, because others ran on this host or the host was down. Start it again."))
			return
		}
	case <-j.turn:
	}
	r.run(ctx, j)
}

// startTime gives what is left of the time in which the job has to begin. On the boot that took it up no clock counts but the
// host's uptime; after a restart there is only the time of day.
func (r *Runner) startTime(j *job) (left time.Duration, limited bool) {
	a := j.entry.Accepted
	if a.StartWithinMS <= 0 {
		return 0, false
	}
	passed := r.cfg.Now().Sub(a.At)
	if up, err := proc.Uptime(); err == nil && proc.SameBoot(a.Boot, r.boot) {
		passed = up - time.Duration(a.UptimeMS)*time.Millisecond
	}
	return time.Duration(a.StartWithinMS)*time.Millisecond - max(passed, 0), true
}

// run starts the job's shim and watches it.
func (r *Runner) run(ctx context.Context, j *job) {
	if _, marked, err := j.folder().Cancelled(); marked && err == nil {
		r.end(j, r.unstarted(fleet.StateCancelled, fleet.ReasonCancelled, "The job was cancelled before it began. Start it again when it is wanted."))
		return
	}
	id, err := r.launch(ctx, j)
	switch {
	case err == nil:
		r.watch(ctx, j, id)
	case ctx.Err() != nil:
		// The agent stops; the next one finds in the journal how far this came.
	default:
		reason, message := reasonOf(err)
		r.cfg.Log.Warn("a job could not begin", "job_id", j.id(), "err", err)
		r.end(j, r.unstarted(fleet.StateFailed, reason, message))
	}
}

// launch starts the job's shim and gives it what it needs.
func (r *Runner) launch(ctx context.Context, j *job) (proc.Identity, error) {
	spec := j.entry.Accepted.Spec
	if err := r.check(spec); err != nil { // what the host allows may have changed since; a scheduled job was not looked at before
		return proc.Identity{}, err
	}
	l, err := r.prepare(ctx, spec)
	if err != nil {
		return proc.Identity{}, err
	}
	if spec.Kind == fleet.KindRestore {
		if r.cfg.RestoreTarget == nil {
			return proc.Identity{}, fault.New(fault.PolicyDenied, "This host allows no restores. Name a restore root in its policy.toml.")
		}
		if l.Target, err = r.cfg.RestoreTarget(spec); err != nil {
			return proc.Identity{}, err
		}
	}
	data, err := l.Encode()
	if err != nil {
		return proc.Identity{}, err
	}
	if err := ctx.Err(); err != nil {
		return proc.Identity{}, err
	}
	if err := j.folder().Launch(l.ID, r.boot); err != nil {
		return proc.Identity{}, err
	}
	r.mu.Lock()
	j.entry.Launch, j.entry.Boot = l.ID, r.boot
	r.mu.Unlock()
	return r.startShim(ctx, j, data)
}

// prepare finds restic and the credentials, without which no command can be built.
func (r *Runner) prepare(ctx context.Context, spec fleet.JobSpec) (shim.Launch, error) {
	l := shim.Launch{ID: newID(), Spec: spec, Tool: r.cfg.Tool, Timing: r.cfg.Timing}
	var err error
	if l.Tool.Restic, l.Tool.Version, err = r.cfg.Restic(ctx); err != nil {
		return l, err
	}
	l.Credentials, err = r.secrets(ctx, spec.Repository.ID)
	return l, err
}

// secrets asks the store, for a bounded time: the OS keyring may wait for somebody to unlock it.
func (r *Runner) secrets(ctx context.Context, repo fleet.RepositoryID) (secret.Credentials, error) {
	limited, cancel := context.WithTimeout(ctx, r.cfg.SecretsTimeout)
	defer cancel()
	c, err := r.cfg.Secrets(limited, repo)
	if err == nil || ctx.Err() != nil {
		return c, err
	}
	if code := fault.CodeOf(err); code == fault.NoSecret || code == fault.SecretStore {
		return c, err
	}
	return c, fault.Wrap(fault.SecretStore, err, "This host's secret store did not give the repository's password. Run `backstay-agent doctor` on the host.")
}

// startShim starts a shim and writes data, which hold secrets, to its standard input. A shim that does not take them ends without an
// outcome, which watching finds.
func (r *Runner) startShim(ctx context.Context, j *job, data []byte) (id proc.Identity, err error) {
	out, err := os.OpenFile(j.folder().Output(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return id, fmt.Errorf("open the shim's output: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	in, w, err := os.Pipe()
	if err != nil {
		return id, fmt.Errorf("open pipe: %w", err)
	}
	args := append(append([]string(nil), r.cfg.Arguments...), string(j.folder()))
	id, err = proc.Detach(proc.Command{Path: r.cfg.Executable, Args: args, Env: shimEnv(), Dir: string(j.folder()), Stdin: in, Stdout: out, Stderr: out})
	closeErr := in.Close()
	if err != nil {
		return id, errors.Join(err, closeErr, w.Close())
	}
	if r.cfg.Scope != nil {
		if err := r.cfg.Scope(ctx, j.id(), id.PID); err != nil {
			r.cfg.Log.Warn("a job runs in the agent's own scope", "job_id", j.id(), "err", err)
		}
	}
	_ = w.SetWriteDeadline(time.Now().Add(handoverLimit)) // no deadline on Windows; there the data fit the pipe
	_, err = w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		r.cfg.Log.Warn("a job's process did not take its launch data", "job_id", j.id(), "err", err)
	}
	return id, nil
}

const handoverLimit = 10 * time.Second

// shimEnv is the shim's whole environment: few threads, because it does little and much of the machine is restic's.
func shimEnv() []string { return []string{"GOMAXPROCS=1"} }

// unstarted is the outcome of a job whose restic never ran.
func (r *Runner) unstarted(state fleet.JobState, reason fleet.Reason, message string) fleet.Outcome {
	return fleet.Outcome{State: state, Reason: reason, Message: message, FinishedAt: r.cfg.Now().UTC()}
}

// reasonOf gives the reason and the words for a job that could not begin.
func reasonOf(err error) (fleet.Reason, string) {
	message, ok := fault.Message(err)
	if journal.IsFull(err) {
		return fleet.ReasonDiskFull, "The disk of this host is full, so the job could not begin. Free some space and start it again."
	}
	if !ok {
		return fleet.ReasonResticError, "The job could not begin on this host; the agent's log says why. Run `backstay-agent doctor` there."
	}
	switch fault.CodeOf(err) {
	case fault.NoSecret:
		return fleet.ReasonNoSecret, message
	case fault.SecretStore:
		return fleet.ReasonSecretStore, message
	case fault.ResticMissing:
		return fleet.ReasonResticMissing, message
	case fault.ResticTooOld:
		return fleet.ReasonResticTooOld, message
	case fault.PolicyDenied:
		return fleet.ReasonPolicyDenied, message
	case fault.StorageFull:
		return fleet.ReasonDiskFull, message
	}
	return fleet.ReasonInvalidJob, message
}
