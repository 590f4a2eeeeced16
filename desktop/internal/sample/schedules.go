package sample

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// scheduleOf completes what was asked for, from the schedule so far where that says it.
func scheduleOf(r *api.ScheduleRequest, former *fleet.Schedule, now time.Time) *fleet.Schedule {
	if r == nil {
		return nil
	}
	s := &fleet.Schedule{Cron: r.Cron, TimeZone: r.TimeZone, EveryMS: r.EveryMS, Paused: r.Paused}
	switch {
	case r.EveryMS == 0:
	case r.Start != nil:
		s.Start = *r.Start
	case former != nil && former.EveryMS == r.EveryMS:
		s.Start = former.Start
	default:
		s.Start = now.Truncate(time.Minute)
	}
	if r.SplayMS != nil {
		s.SplayMS = *r.SplayMS
	} else if former != nil {
		s.SplayMS = former.SplayMS
	}
	return s
}

// PausePlan lets a plan's schedule rest.
func (d *Daemon) PausePlan(ctx context.Context, plan string) (fleet.Plan, error) {
	return d.setPaused(ctx, plan, true, "plan.pause")
}

// ResumePlan lets it go on.
func (d *Daemon) ResumePlan(ctx context.Context, plan string) (fleet.Plan, error) {
	return d.setPaused(ctx, plan, false, "plan.resume")
}

func (d *Daemon) setPaused(ctx context.Context, plan string, paused bool, action string) (fleet.Plan, error) {
	return askAs(ctx, d, fleet.RoleOperator, func() (fleet.Plan, error) {
		v, err := d.planLocked(plan)
		if err != nil {
			return fleet.Plan{}, err
		}
		if v.Schedule == nil {
			return fleet.Plan{}, fault.New(fault.Conflict, "Plan %s has no schedule. Give it one first.", v.Name)
		}
		s := *v.Schedule
		s.Paused = paused
		v.Schedule = &s
		d.note(action, string(v.ID), v.Name)
		d.planChangedLocked(v)
		return *v, nil
	})
}
