package sample

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Overview counts how backups ended.
func (d *Daemon) Overview(ctx context.Context, days int) (api.Overview, error) {
	return ask(ctx, d, func() (api.Overview, error) {
		if days <= 0 {
			days = 30
		}
		o := api.Overview{AsOf: d.now}
		first := d.now.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
		for i := range days {
			o.Days = append(o.Days, api.BackupDay{Day: first.AddDate(0, 0, i).Format(time.DateOnly)})
		}
		for _, j := range d.order {
			m, ok := fleet.MarkOf(j.Job)
			if !ok {
				continue
			}
			if i := int(m.At.Sub(first) / (24 * time.Hour)); !m.At.Before(first) && i < days {
				count(&o.Days[i].BackupCounts, m)
			}
			switch ago := d.now.Sub(m.At); {
			case ago < 24*time.Hour:
				count(&o.Last24h, m)
			case ago < 8*24*time.Hour:
				count(&o.WeekBefore, m)
			}
		}
		return o, nil
	})
}

func count(c *api.BackupCounts, m fleet.BackupMark) {
	switch m.State {
	case fleet.StateSucceeded:
		c.Succeeded++
	case fleet.StateWarning:
		c.Warning++
	case fleet.StateCancelled:
		c.Cancelled++
	default:
		c.Failed++
	}
	c.BytesAdded += m.Added
}
