package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

func (c *cli) plans() *cobra.Command {
	list := func(ctx context.Context, _ []string) error { return c.with(ctx, c.listPlans(ctx)) }
	cmd := c.group("plan", "plans: which paths of which hosts go to which repository",
		c.leaf("ls", "list the plans", cobra.NoArgs, list),
		c.named(leafArgs{use: "show NAME", short: "all that is known of a plan", complete: planNames}, c.showPlan),
		c.addPlan(), c.schedulePlan(),
		c.named(leafArgs{use: "pause NAME", short: "let a plan's schedule rest", complete: planNames}, c.pausePlan),
		c.named(leafArgs{use: "resume NAME", short: "let a plan's schedule go on with its next slot", complete: planNames}, c.resumePlan),
		c.nextRuns(), c.removePlan())
	cmd.RunE = c.leaf("", "", nil, list).RunE
	return cmd
}

func (c *cli) listPlans(ctx context.Context) func(*apiclient.Client) error {
	return func(client *apiclient.Client) error {
		plans, err := client.Plans(ctx)
		if err != nil {
			return err
		}
		if c.json {
			return writeList(c, plans)
		}
		n, err := c.loadNames(ctx, client)
		if err != nil {
			return err
		}
		t := newTable("NAME", "REPOSITORY", "HOSTS", "SCHEDULE", "NEXT", "PATHS")
		for _, p := range plans {
			t.add(show(p.Name), show(n.repository(p.RepositoryID)), shownAll(n.hostsOf(p)), scheduleText(p.Schedule), c.nextText(p.Schedule), shownAll(p.Backup.Paths))
		}
		return t.write(c.env.Out, "There is no plan yet. Add one with `backstay plan add`.")
	}
}

func (n names) hostsOf(p fleet.Plan) []string {
	var all []string
	for _, id := range p.Hosts {
		all = append(all, n.host(id))
	}
	return all
}

func (c *cli) showPlan(ctx context.Context, client *apiclient.Client, name string) error {
	p, err := client.Plan(ctx, name)
	if err != nil {
		return err
	}
	if c.json {
		return c.writeJSON(p)
	}
	n, err := c.loadNames(ctx, client)
	if err != nil {
		return err
	}
	var f facts
	f.add("name", show(p.Name))
	f.add("id", show(p.ID))
	f.add("repository", show(n.repository(p.RepositoryID)))
	f.add("hosts", shownAll(n.hostsOf(p)))
	addBackup(&f, p.Backup)
	when := "by hand only"
	if p.Schedule != nil {
		when = scheduleText(p.Schedule)
	}
	f.add("schedule", when)
	for _, slot := range c.slots(p.Schedule, shownRuns) {
		f.add("next", c.both(slot))
	}
	f.add("added", c.both(p.CreatedAt))
	return f.write(c.env.Out)
}

func addBackup(f *facts, b fleet.BackupSpec) {
	for _, path := range b.Paths {
		f.add("path", show(path))
	}
	for _, pattern := range b.Excludes {
		f.add("exclude", show(pattern))
	}
	f.add("tags", shownAll(b.Tags))
	for _, o := range []struct {
		on   bool
		text string
	}{{b.ExcludeCaches, "exclude caches"}, {b.OneFileSystem, "one file system"}, {b.Verbose, "a log line for each file"}} {
		if o.on {
			f.add("option", o.text)
		}
	}
}

// backupFlags are what a backup saves, in plans and without one.
type backupFlags struct {
	paths, excludes, tags        []string
	caches, oneFileSystem, lines bool
}

func (f *backupFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.paths, "path", nil, "a `path` to save; the same as a PATH argument")
	cmd.Flags().StringArrayVar(&f.excludes, "exclude", nil, "restic's exclude `pattern` (may be repeated)")
	cmd.Flags().StringArrayVar(&f.tags, "tag", nil, "a `tag` for the snapshots (may be repeated)")
	cmd.Flags().BoolVar(&f.caches, "exclude-caches", false, "leave out folders with a CACHEDIR.TAG")
	cmd.Flags().BoolVar(&f.oneFileSystem, "one-file-system", false, "do not enter other file systems")
	cmd.Flags().BoolVar(&f.lines, "verbose", false, "a log line for each file")
}

func (f backupFlags) spec(paths []string) fleet.BackupSpec {
	return fleet.BackupSpec{Paths: append(append([]string{}, paths...), f.paths...), Excludes: f.excludes, Tags: f.tags,
		ExcludeCaches: f.caches, OneFileSystem: f.oneFileSystem, Verbose: f.lines}
}

func (c *cli) addPlan() *cobra.Command {
	var f backupFlags
	var when scheduleFlags
	var repository string
	var hosts []string
	cmd := c.leaf("add NAME --repo REPO --host HOST PATH… [flags]", "add a plan", cobra.MinimumNArgs(1), func(ctx context.Context, args []string) error {
		spec := f.spec(args[1:])
		if len(spec.Paths) == 0 {
			return usage("What does the plan save? Give at least one path.")
		}
		schedule, err := when.request(c.env.Getenv)
		if err != nil {
			return err
		}
		return c.with(ctx, func(client *apiclient.Client) error {
			r, err := client.Repository(ctx, repository)
			if err != nil {
				return err
			}
			req := api.PlanRequest{Name: args[0], RepositoryID: r.ID, Backup: spec, Schedule: schedule}
			for _, name := range hosts {
				h, err := client.Host(ctx, name)
				if err != nil {
					return err
				}
				req.Hosts = append(req.Hosts, h.ID)
			}
			plan, err := client.AddPlan(ctx, req)
			if err != nil {
				return err
			}
			if c.json {
				return c.writeJSON(plan)
			}
			if err := c.sayNext(plan); err != nil {
				return err
			}
			return c.say("Plan %s is added. Run it: `backstay backup %s --plan %s --follow`.", show(plan.Name), show(hosts[0]), show(plan.Name))
		})
	})
	cmd.Flags().StringVar(&repository, "repo", "", "the `repository` that the plan's snapshots go to")
	cmd.Flags().StringArrayVar(&hosts, "host", nil, "a `host` that the plan is for (may be repeated)")
	f.add(cmd)
	when.add(cmd)
	required(cmd, "repo", "host")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"host": hostNames, "repo": repositoryNames})
	return cmd
}

func (c *cli) removePlan() *cobra.Command {
	var yes bool
	cmd := c.named(leafArgs{use: "rm NAME", short: "remove a plan", complete: planNames}, func(ctx context.Context, client *apiclient.Client, name string) error {
		p, err := client.Plan(ctx, name)
		if err != nil {
			return err
		}
		if err := c.confirm(ctx, yes, "Plan %s is removed; its snapshots and the history of its jobs stay. Remove?", show(p.Name)); err != nil {
			return err
		}
		if err := client.DeletePlan(ctx, string(p.ID)); err != nil {
			return err
		}
		return c.done("Plan %s is removed.", show(p.Name))
	})
	yesFlag(cmd, &yes)
	return cmd
}
