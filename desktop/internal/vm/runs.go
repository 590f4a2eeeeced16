package vm

import (
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

// Runs tells when plans run next. What it computed holds until the plan's schedule is another one or the slot has come, so that a row
// may ask as often as it is drawn.
type Runs struct {
	m     *model.Fleet
	plans map[fleet.PlanID]*planRuns
}

// planRuns is what was computed of a plan.
type planRuns struct {
	schedule    *fleet.Schedule // that it is of
	when        When
	table       schedule.Timetable
	ok          bool // the table holds
	from, until time.Time
	last, next  time.Time // the slots around; zero: there is none
	due         map[fleet.HostID]hostDue
}

// hostDue is when a host begins the two slots.
type hostDue struct{ last, next time.Time }

// NewRuns makes it.
func NewRuns(m *model.Fleet) *Runs { return &Runs{m: m, plans: map[fleet.PlanID]*planRuns{}} }

func (r *Runs) of(p *fleet.Plan) *planRuns {
	c := r.plans[p.ID]
	if c == nil || c.schedule != p.Schedule {
		c = &planRuns{schedule: p.Schedule, when: WhenOf(p.Schedule, "")}
		if p.Schedule != nil {
			var err error
			c.table, err = schedule.Parse(*p.Schedule)
			c.ok = err == nil && !p.Schedule.Paused
		}
		r.plans[p.ID] = c
	}
	return c
}

// at is what holds at an instant.
func (r *Runs) at(p *fleet.Plan, now time.Time) *planRuns {
	c := r.of(p)
	if !c.ok || !now.Before(c.from) && now.Before(c.until) {
		return c
	}
	c.from, c.next, c.due = now, c.table.Next(now), map[fleet.HostID]hostDue{}
	c.last = c.table.Last(now.Add(-c.schedule.Splay()), now)
	c.until = c.next
	if c.next.IsZero() {
		c.until = now.Add(24 * time.Hour)
	}
	return c
}

// When gives a plan's schedule as a form shows it.
func (r *Runs) When(p *fleet.Plan) When { return r.of(p).when }

// Next gives the next slot of a plan; zero when it is paused or run by hand.
func (r *Runs) Next(p *fleet.Plan, now time.Time) time.Time { return r.at(p, now).next }

// NextOn gives when a host begins its next run of a plan: later than the plan's slot, by the host's splay.
func (r *Runs) NextOn(p *fleet.Plan, host fleet.HostID, now time.Time) time.Time {
	c := r.at(p, now)
	if c.next.IsZero() {
		return time.Time{}
	}
	d, ok := c.due[host]
	if !ok {
		d.next = c.table.Due(c.next, p.ID, host)
		if !c.last.IsZero() {
			d.last = c.table.Due(c.last, p.ID, host)
		}
		c.due[host] = d
	}
	if d.last.After(now) {
		return d.last
	}
	return d.next
}

// HostNext is what a host does next by itself.
type HostNext struct {
	At     time.Time // zero: nothing
	Paused bool      // it would, but every schedule of its plans is paused
}

// OfHost gives it. A host whose agent was revoked does nothing.
func (r *Runs) OfHost(id fleet.HostID, now time.Time) (n HostNext) {
	if h := r.m.Host(id); h == nil || h.RevokedAt != nil {
		return n
	}
	for _, p := range r.m.PlansOf(id) {
		n.Paused = n.Paused || p.Schedule != nil && p.Schedule.Paused
		if at := r.NextOn(p, id, now); !at.IsZero() && (n.At.IsZero() || at.Before(n.At)) {
			n.At = at
		}
	}
	n.Paused = n.Paused && n.At.IsZero()
	return n
}

// FleetNext is the slot of the fleet that comes first.
type FleetNext struct {
	At    time.Time // zero: none
	Hosts int       // that it is for
}

// OfFleet gives it.
func (r *Runs) OfFleet(now time.Time) (n FleetNext) {
	for _, p := range r.m.Plans() {
		at := r.Next(p, now)
		switch {
		case at.IsZero() || len(p.Hosts) == 0 || !n.At.IsZero() && at.After(n.At):
		case at.Equal(n.At):
			n.Hosts += len(p.Hosts)
		default:
			n = FleetNext{At: at, Hosts: len(p.Hosts)}
		}
	}
	return n
}
