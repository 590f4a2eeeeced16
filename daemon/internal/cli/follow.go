package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// plainEvery is how often progress is a line of its own where there is no status line.
const plainEvery = 30 * time.Second

// followFlags say how a job is followed.
type followFlags struct {
	follow      bool
	raw         bool
	tail, after int64
	giveUp      time.Duration
}

// add adds the flags of commands that start a job.
func (f *followFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.follow, "follow", false, "stay with the job until it ends; the exit code is the job's")
	f.addView(cmd)
}

func (f *followFlags) addView(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.raw, "raw", false, "restic's own lines, unchanged but for characters that a terminal would obey")
	cmd.Flags().DurationVar(&f.giveUp, "give-up-after", 0, "stop following (exit code 5) after so long without contact to the daemon or the host; 0: never")
}

func (c *cli) followJob() *cobra.Command {
	f := followFlags{follow: true}
	cmd := c.named(leafArgs{use: "follow JOB [flags]", short: "watch a job and its log until it ends", complete: jobNames}, func(ctx context.Context, client *apiclient.Client, id string) error {
		job, err := client.Job(ctx, fleet.JobID(id))
		if err != nil {
			return err
		}
		return c.follow(ctx, client, job, f)
	})
	cmd.Long = `Watch a job and its log until it ends. A broken connection is made anew, and the log goes on where it was: no line
is printed twice and none is left out. Ctrl-C stops following; the job goes on. The exit code is the job's: see
` + "`backstay help exit-codes`" + `.`
	f.addView(cmd)
	cmd.Flags().Int64Var(&f.tail, "tail", 0, "begin so many `lines` before the end (default: at the first line)")
	cmd.Flags().Int64Var(&f.after, "after", 0, "begin after this `line`")
	return cmd
}

// errOutOfContact ends a follow whose job's host stays away.
var errOutOfContact = errors.New("the host stays out of contact")

// errOutput ends a follow that cannot write any more.
var errOutput = errors.New("output failed")

// following is one job that is being followed. All its methods run in the goroutine of Follow.
type following struct {
	c         *cli
	flags     followFlags
	host      string // shown name
	job       fleet.Job
	p         *printer
	m         meter
	away      bool // from the daemon
	plainAt   time.Time
	stop      context.CancelCauseFunc
	patience  *time.Timer // runs while the job is unknown
	announced fleet.JobState
}

// follow stays with a job until it ends and gives its end as the command's.
func (c *cli) follow(ctx context.Context, client *apiclient.Client, job fleet.Job, flags followFlags) error {
	host, online := c.hostOf(ctx, client, job)
	fctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f := &following{c: c, flags: flags, host: host, job: job, p: c.newPrinter(flags.raw), stop: stop}
	f.m.title = show(job.Kind) + " on " + host
	f.patience = time.AfterFunc(time.Hour, func() { stop(errOutOfContact) })
	f.patience.Stop()
	defer f.patience.Stop()
	f.p.remark("Job %s: %s on %s.", show(job.ID), show(job.Kind), host)
	if !online && !job.State.Ended() {
		f.p.remark(fleet.NotePrefix+"%s is away; the job starts, or is heard of, when it is back", host)
	}
	f.refresh()
	err := client.Follow(fctx, job.ID, apiclient.FollowOptions{AfterSeq: flags.after, Tail: flags.tail, GiveUpAfter: flags.giveUp}, f.handler())
	f.p.close()
	return f.end(ctx, fctx, err)
}

// hostOf names a job's host, and tells whether it is there. What cannot be found out does not keep anybody from following.
func (c *cli) hostOf(ctx context.Context, client *apiclient.Client, job fleet.Job) (string, bool) {
	h, err := client.Host(ctx, string(job.HostID))
	if err != nil {
		return show(job.HostID), true
	}
	return show(h.Name), h.Online
}

func (f *following) handler() apiclient.FollowHandler {
	return apiclient.FollowHandler{
		Snapshot: f.snapshot,
		Lines: func(first int64, lines []fleet.LogLine) {
			f.p.lines(first, lines)
			f.refresh()
		},
		Progress: f.progress,
		Started: func(s agentwire.JobStarted) {
			f.p.event("started", map[string]any{"at": s.At})
			f.refresh()
		},
		Live: func() { f.p.event("live", nil); f.refresh() },
		Finished: func(j fleet.Job) {
			f.job = j
			f.p.event("finished", map[string]any{"job": j})
			f.refresh()
		},
		EOF: func(e api.EOF) {
			f.p.event("eof", map[string]any{"last_seq": e.LastSeq, "crc32c": e.CRC32C, "sealed": e.Sealed})
		},
		Lost:     f.lost,
		Regained: f.regained,
	}
}

func (f *following) snapshot(s api.StreamSnapshot) {
	f.job = s.Job
	f.p.event("snapshot", map[string]any{"job": s.Job, "progress": s.Progress, "as_of_seq": s.AsOfSeq, "from_seq": s.FromSeq})
	f.announce()
	if s.Progress != nil {
		f.m.take(*s.Progress)
	}
	f.refresh()
}

// announce says what changed about the job, where the log does not.
func (f *following) announce() {
	was, is := f.announced, f.job.State
	f.announced = is
	if was == is {
		return
	}
	if is == fleet.StateUnknown {
		f.p.remark(fleet.NotePrefix+"contact with %s is lost; the job may well be running there. Waiting for it.", f.host)
		if f.flags.giveUp > 0 {
			f.patience.Reset(f.flags.giveUp)
		}
		return
	}
	f.patience.Stop()
	if was == fleet.StateUnknown {
		f.p.remark(fleet.NotePrefix+"%s is back", f.host)
	}
}

func (f *following) progress(p fleet.Progress) {
	f.p.event("progress", map[string]any{"progress": p})
	f.m.take(p)
	if now := f.c.env.Now(); !f.p.terminal() && now.Sub(f.plainAt) >= plainEvery {
		if !f.plainAt.IsZero() { // a short job needs no such line
			f.p.remark("%s", f.m.plain())
		}
		f.plainAt = now
	}
	f.refresh()
}

func (f *following) lost(err error, retryIn time.Duration) {
	message, ok := fault.Message(err)
	if !ok {
		message = "The connection was lost."
	}
	f.p.event("lost", map[string]any{"code": fault.CodeOf(err), "message": message, "retry_in_ms": retryIn.Milliseconds()})
	if !f.away && !f.p.terminal() {
		f.p.remark(fleet.NotePrefix + "the connection to the daemon is lost; trying again. The job goes on.")
	}
	f.away = true
	f.m.note = "the connection to the daemon is lost, trying again; the job goes on"
	f.refresh()
}

func (f *following) regained() {
	f.p.event("regained", nil)
	if !f.p.terminal() {
		f.p.remark(fleet.NotePrefix + "connected again")
	}
	f.away, f.m.note = false, ""
	f.refresh()
}

// refresh redraws the status line. When nobody takes the output any more there is no point in going on.
func (f *following) refresh() {
	if f.p.terminal() {
		status := f.m.line(f.p.screen.width())
		if !f.m.seen && f.m.note == "" {
			status = f.m.title + "  " + state(f.job)
		}
		f.p.screen.setStatus(status)
	}
	f.p.screen.flush()
	if f.p.failed() != nil {
		f.stop(errOutput)
	}
}

// end tells how it ended, and gives the command's error. ctx is the caller's.
func (f *following) end(ctx, fctx context.Context, err error) error {
	switch {
	case f.p.failed() != nil:
		return f.p.failed()
	case ctx.Err() != nil:
		f.c.tell("\nNo longer following; job %s goes on.\n  cancel it:        backstay jobs cancel %s\n  follow it again:  backstay jobs follow %s", show(f.job.ID), show(f.job.ID), show(f.job.ID))
		return detached{ctx.Err()}
	case errors.Is(context.Cause(fctx), errOutOfContact):
		f.c.tell("%s stayed out of contact for %s. Follow the job again: backstay jobs follow %s", f.host, f.flags.giveUp, show(f.job.ID))
		return endedAs{fleet.StateUnknown}
	case err != nil:
		return err
	}
	if !f.c.json {
		for _, line := range outcomeLines(f.job) {
			f.p.remark("%s", line)
		}
		f.p.screen.flush()
		if err := f.p.failed(); err != nil {
			return err
		}
	}
	if f.job.State != fleet.StateSucceeded {
		return endedAs{f.job.State}
	}
	return nil
}
