package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

type snapshotFlags struct {
	filter apiclient.SnapshotFilter
	limit  int
}

func (c *cli) snapshots() *cobra.Command {
	cmd := c.listSnapshots("snapshots [flags]")
	cmd.Long = "List the snapshots that the daemon knows of, newest first. It learns of them with each backup, and all of a repository's\nwith `backstay snapshots refresh`."
	refresh := c.onRepository(fleet.KindSnapshots, "refresh HOST --repo REPO", "let a host list all snapshots of a repository")
	cmd.AddCommand(c.listSnapshots("ls [flags]"), refresh)
	return cmd
}

func (c *cli) listSnapshots(use string) *cobra.Command {
	var f snapshotFlags
	cmd := c.leaf(use, "list snapshots, newest first", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return c.with(ctx, func(client *apiclient.Client) error { return c.doListSnapshots(ctx, client, f) })
	})
	cmd.Flags().StringVar(&f.filter.Repository, "repo", "", "only snapshots in this `repository`")
	cmd.Flags().StringVar(&f.filter.Host, "host", "", "only snapshots of this `host`")
	cmd.Flags().StringVar(&f.filter.Plan, "plan", "", "only snapshots of this `plan`")
	cmd.Flags().StringVar(&f.filter.Hostname, "hostname", "", "only snapshots with this host `name`, as restic has it")
	cmd.Flags().StringVar(&f.filter.Tag, "tag", "", "only snapshots with this `tag`")
	cmd.Flags().IntVar(&f.limit, "limit", 50, "at most so `many`; 0 for all")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"repo": repositoryNames, "host": hostNames, "plan": planNames})
	return cmd
}

func (c *cli) doListSnapshots(ctx context.Context, client *apiclient.Client, f snapshotFlags) error {
	var snapshots []fleet.Snapshot
	for {
		f.filter.Limit = maxPage
		if f.limit > 0 {
			f.filter.Limit = min(f.limit-len(snapshots), maxPage)
		}
		page, err := client.Snapshots(ctx, f.filter)
		if err != nil {
			return err
		}
		snapshots = append(snapshots, page.Items...)
		if f.filter.Cursor = page.Next; page.Next == "" || f.limit > 0 && len(snapshots) >= f.limit {
			break
		}
	}
	if c.json {
		return writeList(c, snapshots)
	}
	n, err := c.loadNames(ctx, client)
	if err != nil {
		return err
	}
	t := newTable("ID", "TIME", "HOST", "REPOSITORY", "SIZE", "ADDED", "TAGS", "PATHS").numbers(4, 5)
	for _, s := range snapshots {
		t.add(short(s.ID), c.at(s.Time), show(s.Hostname), show(n.repository(s.RepositoryID)), sizeOr(s.BytesProcessed), sizeOr(s.BytesAdded), shownAll(ownTags(s)), shownAll(s.Paths))
	}
	return t.write(c.env.Out, "No snapshot is known. After a backup there is one; `backstay snapshots refresh` lists older ones.")
}

// sizeOr is a size that may not be known.
func sizeOr(n int64) string {
	if n == 0 {
		return "-"
	}
	return size(n)
}

// ownTags are a snapshot's tags without those that Backstay gives.
func ownTags(s fleet.Snapshot) []string {
	var all []string
	for _, t := range s.Tags {
		if t != "job:"+string(s.JobID) && !isPlanTag(t) {
			all = append(all, t)
		}
	}
	return all
}

func isPlanTag(t string) bool { return len(t) > 5 && t[:5] == "plan:" && fleet.ValidID(t[5:]) }
