package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/localzone"
	"github.com/backstay/backstay/shared/schedule"
)

const shownRuns = 5

// scheduleFlags are when the backups of a plan begin by themselves.
type scheduleFlags struct {
	cmd    *cobra.Command
	cron   string
	zone   string
	every  time.Duration
	splay  time.Duration
	paused bool
}

func (f *scheduleFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	cmd.Flags().StringVar(&f.cron, "cron", "", "begin backups by a cron `expression`: minute, hour, day of month, month, day of week; or @daily and its like")
	cmd.Flags().StringVar(&f.zone, "tz", "", "IANA `zone` of --cron, such as Europe/Berlin; this computer's when it is known, otherwise UTC")
	cmd.Flags().DurationVar(&f.every, "every", 0, "begin backups at this `interval`, such as 6h")
	cmd.Flags().DurationVar(&f.splay, "splay", 0, "spread the hosts over this `time` after a slot; a tenth of the way to the next slot when not given, 10 minutes at most")
	cmd.Flags().BoolVar(&f.paused, "paused", false, "add the schedule paused")
}

// request is nil when no schedule was asked for.
func (f *scheduleFlags) request(getenv func(string) string) (*api.ScheduleRequest, error) {
	changed := f.cmd.Flags().Changed
	switch {
	case f.cron == "" && f.every == 0:
		if changed("tz") || changed("splay") || changed("paused") {
			return nil, usage("When do the backups begin? Give --cron or --every as well.")
		}
		return nil, nil
	case f.cron != "" && f.every != 0:
		return nil, usage("A schedule has either --cron or --every. Give one of them.")
	case f.every != 0 && changed("tz"):
		return nil, usage("--tz belongs to --cron; an interval has no time zone. Leave it out.")
	}
	r := &api.ScheduleRequest{Cron: f.cron, TimeZone: f.zone, EveryMS: f.every.Milliseconds(), Paused: f.paused}
	if f.cron != "" && f.zone == "" {
		r.TimeZone = localzone.Name(getenv)
	}
	if changed("splay") {
		ms := f.splay.Milliseconds()
		r.SplayMS = &ms
	}
	return r, nil
}

func scheduleText(v *fleet.Schedule) string {
	if v == nil {
		return "-"
	}
	text := "every " + strings.TrimSuffix(strings.TrimSuffix(v.Every().String(), "0s"), "0m")
	if v.Cron != "" {
		zone := v.TimeZone
		if zone == "" {
			zone = "UTC"
		}
		text = fmt.Sprintf("%s (%s)", show(v.Cron), show(zone))
	}
	if v.Paused {
		text += ", paused"
	}
	return text
}

// slots are the next ones of a schedule; none while it is paused.
func (c *cli) slots(v *fleet.Schedule, n int) []time.Time {
	if v == nil || v.Paused {
		return nil
	}
	table, err := schedule.Parse(*v)
	if err != nil {
		return nil // of a newer daemon: the daemon itself can be asked
	}
	return table.NextN(c.env.Now(), n)
}

func (c *cli) nextText(v *fleet.Schedule) string {
	if slots := c.slots(v, 1); len(slots) > 0 {
		return c.ago(slots[0])
	}
	return "-"
}

// sayNext tells when a plan's backups begin by themselves.
func (c *cli) sayNext(p fleet.Plan) error {
	slots := c.slots(p.Schedule, 1)
	if len(slots) == 0 {
		return nil
	}
	return c.say("The next backup of %s begins by itself at %s.", show(p.Name), c.both(slots[0]))
}

func (c *cli) schedulePlan() *cobra.Command {
	var f scheduleFlags
	var none bool
	cmd := c.named(leafArgs{use: "schedule NAME [flags]", short: "set when a plan's backups begin by themselves", complete: planNames},
		func(ctx context.Context, client *apiclient.Client, name string) error {
			r, err := f.request(c.env.Getenv)
			if err != nil {
				return err
			}
			if (r == nil) != none {
				return usage("When do the backups begin? Give --cron, --every or --none.")
			}
			p, err := client.Plan(ctx, name)
			if err != nil {
				return err
			}
			p, err = client.UpdatePlan(ctx, string(p.ID), api.PlanRequest{Name: p.Name, RepositoryID: p.RepositoryID, Hosts: p.Hosts, Backup: p.Backup, Schedule: r})
			return c.scheduled(p, err)
		})
	f.add(cmd)
	cmd.Flags().BoolVar(&none, "none", false, "remove the schedule: backups are begun by hand only")
	return cmd
}

func (c *cli) pausePlan(ctx context.Context, client *apiclient.Client, name string) error {
	p, err := client.PausePlan(ctx, name)
	return c.scheduled(p, err)
}

func (c *cli) resumePlan(ctx context.Context, client *apiclient.Client, name string) error {
	p, err := client.ResumePlan(ctx, name)
	return c.scheduled(p, err)
}

// scheduled tells what became of a plan's schedule.
func (c *cli) scheduled(p fleet.Plan, err error) error {
	switch {
	case err != nil:
		return err
	case c.json:
		return c.writeJSON(p)
	case p.Schedule == nil:
		return c.say("Plan %s has no schedule now; its backups are begun by hand.", show(p.Name))
	case p.Schedule.Paused:
		return c.say("The schedule of plan %s rests. Let it go on: `backstay plan resume %s`.", show(p.Name), show(p.Name))
	}
	if err := c.say("Plan %s: %s.", show(p.Name), scheduleText(p.Schedule)); err != nil {
		return err
	}
	return c.sayNext(p)
}

func (c *cli) nextRuns() *cobra.Command {
	var host string
	var count int
	cmd := c.named(leafArgs{use: "next NAME [flags]", short: "list the next runs of a plan's schedule", complete: planNames},
		func(ctx context.Context, client *apiclient.Client, name string) error {
			next, err := client.NextRuns(ctx, name, host, count)
			if err != nil {
				return err
			}
			if c.json {
				return writeList(c, next.Runs)
			}
			t := newTable("SLOT", "IN", "BEGINS")
			for _, r := range next.Runs {
				t.add(c.at(r.Slot), c.ago(r.Slot), r.At.In(c.env.Zone).Format("2006-01-02 15:04:05"))
			}
			return t.write(c.env.Out, fmt.Sprintf("Plan %[1]s has no schedule, or it rests. Set one with `backstay plan schedule %[1]s --cron '30 2 * * *'`, or let it go on with `backstay plan resume %[1]s`.", show(name)))
		})
	cmd.Flags().StringVar(&host, "host", "", "when this `host` begins them")
	cmd.Flags().IntVar(&count, "count", shownRuns, "how many")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"host": hostNames})
	return cmd
}
