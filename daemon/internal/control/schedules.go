package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

// scheduleOf completes what was asked for. former is the plan's schedule so far: what it filled in stays while the rest does.
func scheduleOf(req *api.ScheduleRequest, former *fleet.Schedule, now time.Time) (*fleet.Schedule, error) {
	if req == nil {
		return nil, nil
	}
	v := fleet.Schedule{Cron: req.Cron, TimeZone: req.TimeZone, EveryMS: req.EveryMS, Paused: req.Paused}
	same := former != nil && former.Cron == v.Cron && former.TimeZone == v.TimeZone && former.EveryMS == v.EveryMS
	switch {
	case v.EveryMS == 0: // cron has no start
	case req.Start != nil:
		v.Start = req.Start.UTC().Truncate(time.Second)
	case same:
		v.Start = former.Start
	default:
		v.Start = now.UTC().Truncate(time.Minute)
	}
	table, err := schedule.Parse(v)
	if err != nil {
		return nil, err
	}
	switch {
	case req.SplayMS != nil:
		v.SplayMS = *req.SplayMS
	case same:
		v.SplayMS = former.SplayMS
	default:
		v.SplayMS = table.DefaultSplay(now).Milliseconds()
	}
	return &v, v.Validate()
}

func scheduleDetail(v *fleet.Schedule) string {
	switch {
	case v == nil:
		return "no schedule"
	case v.Paused:
		return "schedule paused"
	case v.Cron != "":
		return fmt.Sprintf("at %s %s", v.Cron, v.TimeZone)
	}
	return fmt.Sprintf("every %v", v.Every())
}

// PausePlan lets no slot of the plan's schedule count until it is resumed.
func (s *Service) PausePlan(ctx context.Context, actor Actor, idOrName string) (fleet.Plan, error) {
	return s.setPaused(ctx, actor, idOrName, true)
}

// ResumePlan lets the plan's schedule go on with its next slot.
func (s *Service) ResumePlan(ctx context.Context, actor Actor, idOrName string) (fleet.Plan, error) {
	return s.setPaused(ctx, actor, idOrName, false)
}

func (s *Service) setPaused(ctx context.Context, actor Actor, idOrName string, paused bool) (p fleet.Plan, err error) {
	changed := false
	err = s.update(ctx, func(w Writer) error {
		if p, err = findPlan(ctx, w, idOrName); err != nil {
			return err
		}
		if p.Schedule == nil {
			return fault.New(fault.Conflict, "Plan %s has no schedule. Give it one first.", shown(p.Name))
		}
		if changed = p.Schedule.Paused != paused; !changed {
			return nil
		}
		v := *p.Schedule
		v.Paused = paused
		p.Schedule = &v
		if err := w.PutPlan(ctx, &p); err != nil {
			return err
		}
		action := "plan.resume"
		if paused {
			action = "plan.pause"
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, action, string(p.ID), p.Name})
	})
	if err == nil && changed {
		s.configure(p.Hosts)
	}
	return p, err
}

// Bounds of how many of the next runs may be asked for.
const (
	defaultNextRuns = 5
	maxNextRuns     = 100
)

// NextRuns gives the next slots of a plan's schedule, and when the host, if one is named, begins them. There are none while the
// schedule is paused.
func (s *Service) NextRuns(ctx context.Context, idOrName, host string, count int) (runs []api.NextRun, err error) {
	var p fleet.Plan
	var h fleet.Host
	err = s.store.View(ctx, func(r Reader) error {
		if p, err = findPlan(ctx, r, idOrName); err != nil || host == "" {
			return err
		}
		if h, err = findHost(ctx, r, host); err == nil && !slices.Contains(p.Hosts, h.ID) {
			err = fault.New(fault.InvalidInput, "Plan %s does not include host %s. Name one of its hosts.", shown(p.Name), shown(h.Name))
		}
		return err
	})
	runs = []api.NextRun{}
	if err != nil || p.Schedule == nil || p.Schedule.Paused {
		return runs, err
	}
	table, err := schedule.Parse(*p.Schedule)
	if err != nil {
		return runs, err
	}
	if count <= 0 {
		count = defaultNextRuns
	}
	for _, slot := range table.NextN(s.now(), min(count, maxNextRuns)) {
		run := api.NextRun{Slot: slot, At: slot}
		if h.ID != "" {
			run.At = table.Due(slot, p.ID, h.ID)
		}
		runs = append(runs, run)
	}
	return runs, nil
}
