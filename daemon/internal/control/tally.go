package control

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Tally is as what a job is counted. The zero Tally is a job that is not: one that is no backup, or has not ended.
type Tally struct {
	Hour  int64 // in which it ended: hours since 1970 UTC
	State fleet.JobState
	Added int64 // bytes, at most MaxTallyBytes
}

// MaxTallyBytes bounds the bytes that one job counts for: what an agent reports must not make a sum overflow.
const MaxTallyBytes = 1 << 48

// TallyOf is as what a job is to be counted. It depends on what is stored of the job alone, so that a count can be taken back
// when the truth about a job comes late.
func TallyOf(j fleet.Job) Tally {
	m, ok := fleet.MarkOf(j)
	if !ok {
		return Tally{}
	}
	return Tally{Hour: hourOf(m.At), State: m.State, Added: min(max(m.Added, 0), MaxTallyBytes)}
}

const secondsOfHour, hoursOfDay = 3600, 24

func hourOf(t time.Time) int64 { return t.Unix() / secondsOfHour }

// TallyReader reads what was counted.
type TallyReader interface {
	// BackupDays gives the counts of the days from one on, oldest first; days without any are missing.
	BackupDays(ctx context.Context, from time.Time) ([]api.BackupDay, error)
	// BackupSum gives the counts of the hours first to last.
	BackupSum(ctx context.Context, first, last int64) (api.BackupCounts, error)
}

// Days of an overview, and how long counts are kept.
const (
	defaultDays = 30
	keptDays    = 400
)

// Overview gives how the backups of the last days ended, those of today included.
func (s *Service) Overview(ctx context.Context, days int) (api.Overview, error) {
	switch {
	case days < 0 || days > keptDays:
		return api.Overview{}, fault.New(fault.InvalidInput, "An overview cannot cover %d days. Ask for 1 to %d.", days, keptDays)
	case days == 0:
		days = defaultDays
	}
	now := s.now()
	hour, today := hourOf(now), now.Truncate(hoursOfDay*time.Hour)
	first := today.AddDate(0, 0, 1-days)
	o := api.Overview{AsOf: now}
	err := s.store.View(ctx, func(r Reader) error {
		counted, err := r.BackupDays(ctx, first)
		if err != nil {
			return err
		}
		o.Days = everyDay(first, days, counted)
		if o.Last24h, err = r.BackupSum(ctx, hour-hoursOfDay+1, hour); err != nil {
			return err
		}
		o.WeekBefore, err = r.BackupSum(ctx, hour-8*hoursOfDay+1, hour-hoursOfDay)
		return err
	})
	return o, err
}

// everyDay puts a row of noughts in the place of each day that has no counts.
func everyDay(first time.Time, days int, counted []api.BackupDay) []api.BackupDay {
	all := make([]api.BackupDay, 0, days)
	for i := range days {
		day := api.BackupDay{Day: first.AddDate(0, 0, i).Format(time.DateOnly)}
		if len(counted) > 0 && counted[0].Day == day.Day {
			day, counted = counted[0], counted[1:]
		}
		all = append(all, day)
	}
	return all
}
