package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
)

func (c *cli) overview() *cobra.Command {
	var days int
	cmd := c.leaf("overview [flags]", "how the backups of the last days ended", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return c.with(ctx, func(client *apiclient.Client) error {
			o, err := client.Overview(ctx, days)
			if err != nil {
				return err
			}
			if c.json {
				return c.writeJSON(o)
			}
			return c.showOverview(o)
		})
	})
	cmd.Flags().IntVar(&days, "days", 7, "so many `days`, today included; at most 400. They are days of UTC")
	return cmd
}

func (c *cli) showOverview(o api.Overview) error {
	t := newTable("DAY", "SUCCEEDED", "WARNING", "FAILED", "CANCELLED", "ADDED").numbers(1, 2, 3, 4, 5)
	add := func(day string, n api.BackupCounts) {
		t.add(day, count(n.Succeeded), count(n.Warning), count(n.Failed), count(n.Cancelled), size(n.BytesAdded))
	}
	for _, d := range o.Days {
		add(show(d.Day), d.BackupCounts)
	}
	add("last 24 hours", o.Last24h)
	add("7 days before", o.WeekBefore)
	if err := t.write(c.env.Out, ""); err != nil {
		return err
	}
	return c.say("\nBackups of the last 24 hours that saved a snapshot: %s (the week before: %s).", saved(o.Last24h), saved(o.WeekBefore))
}

// saved is the share of backups that left a snapshot; cancelled ones were not to.
func saved(n api.BackupCounts) string {
	all := n.Succeeded + n.Warning + n.Failed
	if all == 0 {
		return "none ended"
	}
	return strconv.FormatFloat(float64(n.Succeeded+n.Warning)*100/float64(all), 'f', 1, 64) + "%"
}
