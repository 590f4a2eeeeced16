package planner

import (
	"context"
	"log/slog"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

// Jobs is the job life of this host, as far as schedules need it (package runner).
type Jobs interface {
	// RunSlot takes a scheduled job up, on disk before it returns. A job known already gives its state.
	RunSlot(ctx context.Context, spec fleet.JobSpec) (fleet.JobState, error)
	Held() []agentwire.HeldJob
	// Changed is closed when a job came, began, ended or was forgotten since the call.
	Changed() <-chan struct{}
}

// SchedulerConfig is what a Scheduler needs.
type SchedulerConfig struct {
	Plans *Cache
	Jobs  Jobs
	Host  fleet.HostID
	Marks string // file of the marks: up to where the slots of each plan are dealt with
	Log   *slog.Logger
	Now   func() time.Time // time.Now when nil
}

// glance is how often the clock is looked at in any case: timers stand still while a host sleeps, and clocks are set.
const glance = 20 * time.Second

// Scheduler begins the backups of this host's plans when their slots are due.
type Scheduler struct {
	cfg   SchedulerConfig
	marks marks
}

// NewScheduler reads the marks. Nothing begins before Run.
func NewScheduler(cfg SchedulerConfig) (*Scheduler, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m, err := openMarks(cfg.Marks)
	if err != nil {
		return nil, err
	}
	return &Scheduler{cfg: cfg, marks: m}, nil
}

// Run begins what is due until ctx ends.
func (s *Scheduler) Run(ctx context.Context) {
	for ctx.Err() == nil {
		plans, jobs := s.cfg.Plans.Changed(), s.cfg.Jobs.Changed()
		wait := s.look(ctx)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-plans:
		case <-jobs:
		case <-t.C:
		}
		t.Stop()
	}
}

// look begins what is due, and tells how long nothing will be.
func (s *Scheduler) look(ctx context.Context) (wait time.Duration) {
	now := s.cfg.Now().Round(0) // the clock on the wall counts, which goes on while the host sleeps
	state := s.cfg.Plans.State()
	open := s.openPlans()
	before, changed := s.marks.plans, false
	s.marks.plans = make(map[fleet.PlanID]mark, len(before))
	wait = glance
	for _, p := range state.Plans {
		if p.Schedule == nil || p.Schedule.Paused {
			continue // once it is resumed it is as new
		}
		table, err := schedule.Parse(*p.Schedule)
		if err != nil {
			s.cfg.Log.ErrorContext(ctx, "the schedule of a plan cannot be read", "plan_id", p.ID, "err", err)
			continue
		}
		m, known := before[p.ID]
		if !known || !m.Schedule.Equal(*p.Schedule) {
			m, changed = mark{Schedule: *p.Schedule, Until: now}, true
		}
		if m.Until.After(now) { // the clock was set back: slots until then have run, and their ids are known
			m.Until, changed = now, true
		}
		if slot := s.due(table, m.Until, p, now); !slot.IsZero() && !open[p.ID] && s.begin(ctx, state, p, slot, now) {
			m.Until, changed = slot, true
		}
		s.marks.plans[p.ID] = m
		if next := table.Next(now); !next.IsZero() {
			wait = min(wait, table.Due(next, p.ID, s.cfg.Host).Sub(now))
		}
		if last := table.Last(m.Until, now); !last.IsZero() {
			if left := table.Due(last, p.ID, s.cfg.Host).Sub(now); left > 0 {
				wait = min(wait, left)
			}
		}
	}
	if changed || len(before) != len(s.marks.plans) {
		if err := s.marks.save(); err != nil {
			s.cfg.Log.ErrorContext(ctx, "how far schedules are dealt with cannot be kept; after a restart a slot may be missed", "err", err)
		}
	}
	return max(wait, 10*time.Millisecond)
}

// due is the newest slot after until whose time has come on this host.
func (s *Scheduler) due(table schedule.Timetable, until time.Time, p fleet.Plan, now time.Time) time.Time {
	slot := table.Last(until, now)
	if !slot.IsZero() && table.Due(slot, p.ID, s.cfg.Host).After(now) {
		slot = table.Last(until, slot.Add(-time.Nanosecond)) // its own time was before the newer slot
	}
	return slot
}

// openPlans are the plans of which a backup waits or runs here.
func (s *Scheduler) openPlans() map[fleet.PlanID]bool {
	open := map[fleet.PlanID]bool{}
	for _, j := range s.cfg.Jobs.Held() {
		if !j.State.Ended() && j.Spec != nil && j.Spec.Kind == fleet.KindBackup && j.Spec.PlanID != "" {
			open[j.Spec.PlanID] = true
		}
	}
	return open
}

// begin hands a slot's job to the runner. One that could not be taken up (a full disk) is tried again at the next look.
func (s *Scheduler) begin(ctx context.Context, state agentwire.ConfigUpdate, p fleet.Plan, slot, now time.Time) bool {
	for _, r := range state.Repositories {
		if r.ID != p.RepositoryID {
			continue
		}
		spec := p.SlotSpec(r.Spec(), s.cfg.Host, slot, now)
		if _, err := s.cfg.Jobs.RunSlot(ctx, spec); err != nil {
			if ctx.Err() == nil {
				s.cfg.Log.ErrorContext(ctx, "a scheduled backup could not be taken up, it is tried again", "plan_id", p.ID, "job_id", spec.JobID, "err", err)
			}
			return false
		}
		s.cfg.Log.InfoContext(ctx, "a scheduled backup begins", "plan_id", p.ID, "job_id", spec.JobID, "late", now.Sub(slot).Truncate(time.Second))
		return true
	}
	s.cfg.Log.ErrorContext(ctx, "a plan's repository is not known here; the daemon has to send it", "plan_id", p.ID, "repository_id", p.RepositoryID)
	return false
}
