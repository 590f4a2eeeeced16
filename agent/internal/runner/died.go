package runner

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fleet"
)

// notes writes the agent's own words into a log that no shim writes any more.
type notes struct {
	j   *job
	log *spool.Writer // nil when it cannot be written
	now func() time.Time
	own *slog.Logger // the agent's own log, which knows the job
}

func (r *Runner) openNotes(j *job) *notes {
	n := &notes{j: j, now: r.cfg.Now, own: r.cfg.Log.With("job_id", j.id())}
	log, err := spool.OpenWriter(j.folder().Spool(), spool.Options{})
	if err != nil {
		n.own.Warn("a job's log cannot be written", "err", err)
		return n
	}
	n.log = log
	return n
}

func (n *notes) add(text string) {
	if n.log == nil {
		return
	}
	now := n.now()
	n.log.Add(fleet.LogLine{Time: now, Stream: fleet.StreamNote, Text: text[:min(len(text), fleet.MaxLineText)]})
	n.log.Flush(now)
	n.j.bell.Ring()
}

// close ends writing and gives the log's end.
func (n *notes) close() fleet.LogPosition {
	if n.log == nil {
		return n.whatIsThere()
	}
	if err := n.log.Close(n.now(), n.j.folder().FreeSpare); err != nil {
		n.own.Warn("a job's log is not whole", "err", err)
	}
	return n.log.Position()
}

func (n *notes) whatIsThere() fleet.LogPosition {
	log, err := spool.Open(n.j.folder().Spool())
	if err != nil {
		return fleet.LogPosition{}
	}
	pos, err := log.Position()
	if err != nil {
		n.own.Warn("a job's log cannot be read", "err", err)
	}
	if err := log.Close(); err != nil {
		n.own.Warn("closing a job's log", "err", err)
	}
	return pos
}

// end ends a job that has no shim, with a note in its log.
func (r *Runner) end(j *job, o fleet.Outcome) {
	n := r.openNotes(j)
	n.add(o.Message)
	r.conclude(j, agentwire.JobFinished{Outcome: o, Log: n.close()})
}

// conclude writes the outcome and makes it known.
func (r *Runner) conclude(j *job, end agentwire.JobFinished) {
	if err := j.folder().WriteOutcome(end); err != nil {
		// The daemon gets it all the same; only after a restart of the agent it would be judged anew.
		r.cfg.Log.Error("a job's outcome cannot be written", "job_id", j.id(), "err", err)
	}
	r.finish(j, end)
}

// died cleans up after a shim that is gone without an outcome, and says so. When ctx ends meanwhile, the next agent does it.
func (r *Runner) died(ctx context.Context, j *job) {
	hold, err := r.takeOver(ctx, j)
	if err != nil {
		r.cfg.Log.Error("a dead job's folder cannot be locked", "job_id", j.id(), "err", err)
		return
	}
	defer func() {
		if err := hold.Release(); err != nil {
			r.cfg.Log.Warn("releasing a job's folder", "job_id", j.id(), "err", err)
		}
	}()
	if r.look(j) {
		return // it had come to its end after all
	}
	s, known, err := j.folder().ReadShim()
	if err != nil {
		r.cfg.Log.Warn("a job's shim.json cannot be read", "job_id", j.id(), "err", err)
	}
	known = known && s.Launch == j.entry.Launch
	sameBoot := proc.SameBoot(j.entry.Boot, r.boot)
	n := r.openNotes(j)
	switch {
	case !sameBoot:
		n.add("The host restarted while the job ran.")
	default:
		n.add("The job's own process ended without a word." + lastWords(j.folder()))
		if known && s.Child != nil && !r.endLeftover(ctx, *s.Child, n) {
			n.close()
			return // the agent stops
		}
		if known && s.StartedAt != nil {
			r.unlock(ctx, j, n)
		}
	}
	if err := j.folder().RemoveSecrets(); err != nil {
		n.own.Warn("a secret of a dead job cannot be removed", "err", err)
	}
	if ctx.Err() != nil {
		n.close()
		return
	}
	found := r.askSaved(ctx, j, n)
	if ctx.Err() != nil {
		n.close()
		return // the next agent asks
	}
	log := n.close() // on disk before it is read again
	r.conclude(j, agentwire.JobFinished{Outcome: r.afterDeath(j, s, sameBoot, found), Log: log})
}

// takeOver locks the folder of a dead shim. Its lock went with it; only a doctor's look could hold it for a moment.
func (r *Runner) takeOver(ctx context.Context, j *job) (*datafolder.Folder, error) {
	for try := 0; ; try++ {
		hold, err := datafolder.Hold(string(j.folder()), "the agent")
		const tries = 40
		if err == nil || try == tries {
			return hold, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(adoptEvery):
		}
	}
}

// endLeftover ends what a dead shim left of restic; false when ctx ended first. Its output has no reader any more, so it will
// mostly end by itself.
func (r *Runner) endLeftover(ctx context.Context, child proc.Identity, n *notes) bool {
	if gone, err := child.Vanished(); err != nil || gone {
		return true
	}
	n.add("restic still ran: SIGTERM was sent.")
	if err := child.InterruptGroup(); err != nil {
		n.add("SIGTERM could not be sent: " + err.Error())
	}
	grace := r.cfg.Timing.Grace
	if grace <= 0 {
		grace = shim.DefaultGrace
	}
	if !awaitEnd(ctx, child, grace, adoptEvery) {
		if ctx.Err() != nil {
			return false
		}
		n.add(fmt.Sprintf("restic did not end within %v: SIGKILL was sent.", grace))
		if err := child.KillGroup(); err != nil {
			n.add("SIGKILL could not be sent: " + err.Error())
		}
	}
	r.bury(ctx, child)
	// restic takes a zombie for a living holder of a lock, so unlocking waits for whoever inherited this one to reap it.
	if !poll(ctx, reapLimit, adoptEvery, child.Vanished) && ctx.Err() == nil {
		n.add("restic ended and nobody reaps it, so its lock will stay: process 1 of this host or container does not do its duty.")
		return true
	}
	n.add("restic is gone.")
	return ctx.Err() == nil
}

// reapLimit is generous: process 1 of a small container may look only now and then.
const reapLimit = 15 * time.Second

// unlock removes the lock that a killed restic left.
func (r *Runner) unlock(ctx context.Context, j *job, n *notes) {
	l, err := r.prepare(ctx, j.entry.Accepted.Spec)
	if err != nil {
		_, message := reasonOf(err)
		n.add("The repository could not be unlocked: " + message)
		return
	}
	shim.Unlock(ctx, l, j.folder(), n.add)
	if err := os.RemoveAll(j.folder().Temp()); err != nil {
		n.own.Warn("temporary files cannot be removed", "err", err)
	}
}

// afterDeath is the outcome of a job that died: what it had saved counts, whoever was there to say so.
func (r *Runner) afterDeath(j *job, s journal.Shim, sameBoot bool, found saved) fleet.Outcome {
	reason, what, look := fleet.ReasonHostDown, "The host went down while the job ran", ""
	if sameBoot {
		reason, what = fleet.ReasonShimDied, "The job's own process on the host was killed or crashed"
		look = " If it happens again, look at the host's memory and system log."
	}
	var o fleet.Outcome
	whole := false
	if found.snapshot != nil {
		var err error
		if o, whole, err = found.outcome(j); err != nil {
			r.cfg.Log.Warn("a job's log cannot be read", "job_id", j.id(), "err", err)
		}
	}
	_, cancelled, err := j.folder().Cancelled()
	switch cancelled = cancelled && err == nil; {
	case cancelled && found.snapshot != nil:
		o.State, o.Reason, o.Message = fleet.StateCancelled, fleet.ReasonCancelled,
			fmt.Sprintf("The job was cancelled, and its process ended before it could say so, after the snapshot %.8s had been saved. There is nothing to do.", found.snapshot.ID)
	case cancelled:
		o.State, o.Reason, o.Message = fleet.StateCancelled, fleet.ReasonCancelled, "The job was cancelled, and its process ended before it could say so. Start it again when it is wanted."
	case found.snapshot == nil:
		o.State, o.Reason, o.Message = fleet.StateInterrupt, reason, what+found.unsaved()+"."+look
	case o.State == fleet.StateWarning:
		o.Message = what + ". " + o.Message + look
	default:
		o.Reason, o.Message = reason, fmt.Sprintf("%s, after the snapshot %.8s had been saved. There is nothing to do%s.%s", what, found.snapshot.ID, lostWords(whole), look)
	}
	o.FinishedAt = r.cfg.Now().UTC()
	switch {
	case s.StartedAt != nil:
		o.StartedAt = *s.StartedAt
	case found.snapshot != nil: // what said so was lost
		o.StartedAt = found.snapshot.Time
	}
	return o
}

func lostWords(whole bool) string {
	if whole {
		return ""
	}
	return "; only the end of the log is lost, and with it the names of files that could not be read, if there were any"
}

// lastWords gives the end of what a shim wrote to its standard error, which holds no secrets.
func lastWords(f journal.Folder) string {
	b, err := os.ReadFile(f.Output())
	const most = 2000
	text := strings.TrimSpace(string(b[max(0, len(b)-most):]))
	if err != nil || text == "" {
		return ""
	}
	return " Its last words: " + text
}
