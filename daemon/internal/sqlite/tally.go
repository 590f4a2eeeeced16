package sqlite

import (
	"context"
	"math"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	microsOfHour = 3_600_000_000
	hoursOfDay   = 24
)

// count moves a job from what it was counted as to what it is now.
func (w *writer) count(ctx context.Context, was, is control.Tally) error {
	if was == is {
		return nil
	}
	if was.State != "" { // an hour that was dropped stays so
		t := tallied(was)
		err := w.exec(ctx, "take back count", `UPDATE backup_hours SET succeeded = max(succeeded - ?, 0), warning = max(warning - ?, 0),
			failed = max(failed - ?, 0), cancelled = max(cancelled - ?, 0), bytes_added = max(bytes_added - ?, 0) WHERE hour = ?`,
			t.Succeeded, t.Warning, t.Failed, t.Cancelled, t.BytesAdded, was.Hour)
		if err != nil {
			return err
		}
	}
	if is.State == "" {
		return nil
	}
	t := tallied(is)
	return w.exec(ctx, "count", `INSERT INTO backup_hours (hour, succeeded, warning, failed, cancelled, bytes_added)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (hour) DO UPDATE SET succeeded = succeeded + ?2, warning = warning + ?3,
			failed = failed + ?4, cancelled = cancelled + ?5, bytes_added = min(bytes_added + ?6, ?7)`,
		is.Hour, t.Succeeded, t.Warning, t.Failed, t.Cancelled, t.BytesAdded, int64(math.MaxInt64/2))
}

// tallied is the count of one job.
func tallied(t control.Tally) api.BackupCounts {
	c := api.BackupCounts{BytesAdded: t.Added}
	switch t.State {
	case fleet.StateSucceeded:
		c.Succeeded = 1
	case fleet.StateWarning:
		c.Warning = 1
	case fleet.StateFailed, fleet.StateInterrupt, fleet.StateLost:
		c.Failed = 1
	case fleet.StateCancelled:
		c.Cancelled = 1
	}
	return c
}

// tallySums bounds what an hour adds: no number of hours overflows then, whatever agents reported.
const tallySums = `coalesce(sum(succeeded), 0), coalesce(sum(warning), 0), coalesce(sum(failed), 0), coalesce(sum(cancelled), 0),
	coalesce(sum(min(bytes_added, 281474976710656)), 0)`

func scanTally(s scanner) (c api.BackupCounts, err error) {
	return c, s.Scan(&c.Succeeded, &c.Warning, &c.Failed, &c.Cancelled, &c.BytesAdded)
}

func (r *reader) BackupDays(ctx context.Context, from time.Time) ([]api.BackupDay, error) {
	return many(ctx, r.q, "read days of backups", func(s scanner) (d api.BackupDay, err error) {
		var day int64
		d.BackupCounts, err = scanTally(firstColumn{s, &day})
		d.Day = fromMicros(day * hoursOfDay * microsOfHour).Format(time.DateOnly)
		return d, err
	}, "SELECT hour / ?, "+tallySums+" FROM backup_hours WHERE hour >= ? GROUP BY 1 ORDER BY 1", hoursOfDay, micros(from)/microsOfHour)
}

func (r *reader) BackupSum(ctx context.Context, first, last int64) (api.BackupCounts, error) {
	return one(ctx, r.q, "read sum of backups", scanTally, "SELECT "+tallySums+" FROM backup_hours WHERE hour BETWEEN ? AND ?", first, last)
}

func (w *writer) DropTallies(ctx context.Context, before time.Time) error {
	return w.exec(ctx, "drop counts", "DELETE FROM backup_hours WHERE hour < ?", micros(before)/microsOfHour)
}
