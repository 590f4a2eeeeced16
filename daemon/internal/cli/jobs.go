package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// activeStates are those of jobs that have not ended.
var activeStates = [...]fleet.JobState{fleet.StateQueued, fleet.StateDispatched, fleet.StateAccepted, fleet.StateRunning, fleet.StateUnknown}

func (c *cli) jobs() *cobra.Command {
	return c.group("jobs", "what ran, what runs, and its log",
		c.listJobs(),
		c.named(leafArgs{use: "show JOB", short: "all that is known of a job", complete: jobNames}, c.showJob),
		c.jobLog(), c.followJob(), c.cancelJob())
}

type jobsFlags struct {
	filter apiclient.JobFilter
	kind   string
	states []string
	active bool
	limit  int
}

func (c *cli) listJobs() *cobra.Command {
	var f jobsFlags
	cmd := c.leaf("ls [flags]", "list jobs, newest first", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		filter := f.filter
		filter.Kind = fleet.JobKind(f.kind)
		for _, s := range f.states {
			filter.States = append(filter.States, fleet.JobState(s))
		}
		if f.active {
			filter.States = append(filter.States, activeStates[:]...)
		}
		return c.with(ctx, func(client *apiclient.Client) error { return c.doListJobs(ctx, client, filter, f.limit) })
	})
	cmd.Flags().StringArrayVar(&f.states, "state", nil, "only jobs in this `state` (may be repeated)")
	cmd.Flags().BoolVar(&f.active, "active", false, "only jobs that have not ended")
	cmd.Flags().StringVar(&f.kind, "kind", "", "only jobs of this `kind`: backup, restore, check, …")
	cmd.Flags().StringVar(&f.filter.Host, "host", "", "only jobs of this `host`")
	cmd.Flags().StringVar(&f.filter.Plan, "plan", "", "only jobs of this `plan`")
	cmd.Flags().StringVar(&f.filter.Repository, "repo", "", "only jobs of this `repository`")
	cmd.Flags().StringVar(&f.filter.Text, "text", "", "only jobs with this `text` in a name, the id, or who started it")
	cmd.Flags().IntVar(&f.limit, "limit", 50, "at most so `many`; 0 for all")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"host": hostNames, "plan": planNames, "repo": repositoryNames})
	return cmd
}

// maxPage is the largest page that the daemon gives.
const maxPage = 500

func (c *cli) doListJobs(ctx context.Context, client *apiclient.Client, filter apiclient.JobFilter, limit int) error {
	var jobs []fleet.Job
	for {
		filter.Limit = maxPage
		if limit > 0 {
			filter.Limit = min(limit-len(jobs), maxPage)
		}
		page, err := client.Jobs(ctx, filter)
		if err != nil {
			return err
		}
		jobs = append(jobs, page.Items...)
		if filter.Cursor = page.Next; page.Next == "" || limit > 0 && len(jobs) >= limit {
			break
		}
	}
	if c.json {
		return writeList(c, jobs)
	}
	n, err := c.loadNames(ctx, client)
	if err != nil {
		return err
	}
	t := newTable("ID", "STATE", "KIND", "HOST", "OF", "WHEN", "TOOK", "RESULT").numbers(6)
	for _, j := range jobs {
		t.add(show(j.ID), state(j), show(j.Kind), show(n.host(j.HostID)), show(n.of(j)), c.ago(j.CreatedAt), c.took(j), brief(j))
	}
	return t.write(c.env.Out, "There is no such job.")
}

// of names what a job works on: its plan, or else its repository.
func (n names) of(j fleet.Job) string {
	if j.PlanID != "" {
		return n.plan(j.PlanID)
	}
	return n.repositoryOf(j)
}

// state is a job's state in words; a cancel that is under way is one of its own.
func state(j fleet.Job) string {
	if j.CancelRequested && !j.State.Ended() {
		return "cancelling"
	}
	return show(j.State)
}

// took is how long a job ran, or runs.
func (c *cli) took(j fleet.Job) string {
	switch {
	case j.StartedAt == nil:
		return "-"
	case j.FinishedAt != nil:
		return span(j.FinishedAt.Sub(*j.StartedAt))
	case j.State == fleet.StateRunning:
		return span(c.env.Now().Sub(*j.StartedAt))
	}
	return "-"
}

func (c *cli) showJob(ctx context.Context, client *apiclient.Client, id string) error {
	j, err := client.Job(ctx, fleet.JobID(id))
	if err != nil {
		return err
	}
	if c.json {
		return c.writeJSON(j)
	}
	n, err := c.loadNames(ctx, client)
	if err != nil {
		return err
	}
	var f facts
	f.add("id", show(j.ID))
	f.add("kind", show(j.Kind))
	f.add("host", show(n.host(j.HostID)))
	if plan := n.plan(j.PlanID); j.PlanID != "" {
		if _, known := n.plans[j.PlanID]; !known {
			plan += " " + string(j.PlanID)
		}
		f.add("plan", show(plan))
	}
	f.add("repository", show(n.repositoryOf(j)))
	addSpec(&f, j.Spec)
	f.add("state", state(j))
	f.add("started by", show(j.CreatedBy))
	f.add("queued", c.both(j.CreatedAt))
	if j.StartedAt != nil {
		f.add("started", c.both(*j.StartedAt))
	}
	if j.FinishedAt != nil {
		f.add("ended", c.both(*j.FinishedAt))
	}
	if t := c.took(j); t != "-" {
		f.add("took", t)
	}
	whole := ", as far as it is here"
	if j.LogSealed {
		whole = ", whole"
	}
	f.add("log", items(j.Log.LastSeq, "line", "lines")+", "+size(j.Log.Bytes)+whole)
	if err := f.write(c.env.Out); err != nil || j.Outcome == nil {
		return err
	}
	return writeText(c.env.Out, "\n"+strings.Join(outcomeLines(j), "\n")+"\n")
}

func addSpec(f *facts, s fleet.JobSpec) {
	if s.Backup != nil {
		addBackup(f, *s.Backup)
	}
	if s.Restore != nil {
		f.add("snapshot", show(s.Restore.SnapshotID))
		for _, path := range s.Restore.Includes {
			f.add("include", show(path))
		}
		f.add("folder", show(s.Restore.Folder))
	}
	if s.Check != nil {
		f.add("read data", show(s.Check.ReadData))
	}
}

func (c *cli) cancelJob() *cobra.Command {
	return c.named(leafArgs{use: "cancel JOB", short: "end a job: restic stops cleanly and leaves no lock", complete: jobNames}, func(ctx context.Context, client *apiclient.Client, id string) error {
		j, err := client.CancelJob(ctx, fleet.JobID(id))
		if err != nil {
			return err
		}
		switch {
		case c.json:
			return c.writeJSON(j)
		case j.State == fleet.StateCancelled:
			return c.say("Job %s is cancelled.", show(j.ID))
		}
		return c.say("Job %s is being cancelled. Watch it end: backstay jobs follow %s", show(j.ID), show(j.ID))
	})
}

func (c *cli) jobLog() *cobra.Command {
	var raw bool
	var after int64
	cmd := c.named(leafArgs{use: "log JOB [flags]", short: "print a job's log as far as it is stored", complete: jobNames}, func(ctx context.Context, client *apiclient.Client, id string) error {
		p := c.newPrinter(raw)
		err := client.LogLines(ctx, fleet.JobID(id), after, func(seq int64, l fleet.LogLine) error {
			p.lines(seq, []fleet.LogLine{l})
			return p.failed()
		})
		p.close()
		return errors.Join(err, p.failed())
	})
	cmd.Flags().BoolVar(&raw, "raw", false, "restic's own lines, unchanged but for characters that a terminal would obey")
	cmd.Flags().Int64Var(&after, "after", 0, "begin after this `line`")
	return cmd
}

// at most so many names of unreadable items are shown; the log has them all.
const shownUnreadable = 10
