package pages

import (
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

// choose chooses an item of a plan's menu.
func (b *bench) choose(id, label string) {
	b.t.Helper()
	p, ok := b.page.(*plans)
	if !ok {
		b.t.Fatalf("%T", b.page)
	}
	for _, it := range p.menu(id) {
		if it.Label == label {
			it.OnTap()
			return
		}
	}
	b.t.Fatalf("the menu of %s has no %q", id, label)
}

func TestAPlanIsPausedAndResumed(t *testing.T) {
	b := as(t, fleet.RoleOperator)
	plan := b.deps.Fleet.Plan(b.d.Scene().Plan)
	id := string(plan.ID)
	b.open(nav.Route{Page: nav.Plans}, nil)
	b.page.Key(Key{Name: "F", Super: true})
	b.write("databases")
	b.says("Every 6 h")
	b.says("in 5 h")
	before := b.page.(*plans).vm.Standing(plan)
	b.choose(id, "Pause schedule")
	b.says("Paused")
	b.silent("in 5 h")
	if s := b.deps.Fleet.Plan(plan.ID); !s.Schedule.Paused || b.page.(*plans).vm.Standing(s) != before {
		t.Errorf("paused it is %+v, %+v", s.Schedule, b.page.(*plans).vm.Standing(s))
	}
	b.choose(id, "Resume schedule")
	b.says("in 5 h")
	b.silent("Paused")
	if len(b.toasts) != 2 || b.toasts[0] != "databases is paused" || b.toasts[1] != "databases goes on" {
		t.Errorf("told %q", b.toasts)
	}
	b.d.Cut()
	b.choose(id, "Pause schedule")
	b.until("the toast", func() bool { return len(b.toasts) == 3 })
	if b.toasts[2] != "The daemon cannot be reached" {
		t.Errorf("told %q", b.toasts)
	}
}

func TestPlansWithoutAScheduleAreRunByHand(t *testing.T) {
	b := as(t, fleet.RoleOperator)
	v := *b.deps.Fleet.Plan(b.d.Scene().Plan)
	v.Schedule, v.Rev = nil, 1<<40
	b.open(nav.Route{Page: nav.Plans}, nil)
	b.row(api.Row{Kind: "plan", ID: string(v.ID), Rev: v.Rev, Plan: &v})
	b.says("By hand")
	if items := b.page.(*plans).menu(string(v.ID)); len(items) != 1 || items[0].Label != "Edit" {
		t.Errorf("%+v", items)
	}
	b.choose(string(v.ID), "Edit")
	b.says("Plan databases")
	b.says("Nothing begins by itself")
	widgets.Escape(b.w.Canvas())
}

// A host's next run is its own: the slot and the host's splay.
func TestHostsShowTheirNextRun(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	plan := b.deps.Fleet.Plan(b.d.Scene().Plan)
	table, err := schedule.Parse(*plan.Schedule)
	if err != nil {
		t.Fatal(err)
	}
	now := b.deps.Now()
	var idle fleet.HostID
	for _, id := range plan.Hosts {
		if b.deps.Fleet.Active(id) == nil && b.deps.Fleet.Host(id).Name == "db-01.prod-eu" {
			idle = id
		}
	}
	due := table.Due(table.Next(now), plan.ID, idle)
	b.open(nav.Route{Page: nav.Hosts}, nil)
	b.says(words.Moment(due, now))
	b.says("Paused") // archive-nas
	b.open(hostRoute(idle), nil)
	b.says("Every 6 h · next " + words.Moment(due, now))
	b.advance(due.Sub(now) + time.Second) // while nobody says anything of the plan
	b.says("Every 6 h · next " + words.Moment(table.Due(table.Next(due), plan.ID, idle), b.deps.Now()))
}

func TestJobsSayThatAScheduleBeganThem(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Jobs}, nil)
	b.says("databases · by schedule")
	b.open(hostRoute(b.d.Scene().Host), nil)
	b.says("databases · started " + words.Moment(*b.deps.Fleet.Job(b.d.Scene().Running).StartedAt, b.deps.Now()) + " by schedule")
}

// Who pauses a plan while somebody else has its dialog open is not overruled by it.
func TestSavingAPlanDoesNotResumeIt(t *testing.T) {
	b := as(t, fleet.RoleOperator)
	id := b.d.Scene().Plan
	b.open(nav.Route{Page: nav.Plans, ID: string(id)}, nil)
	b.says("Plan databases")
	if _, err := b.d.PausePlan(t.Context(), string(id)); err != nil {
		t.Fatal(err)
	}
	b.until("the pause", func() bool { return b.deps.Fleet.Plan(id).Schedule.Paused })
	rev := b.deps.Fleet.Plan(id).Rev
	b.tap("Save")
	b.until("the save", func() bool { return b.deps.Fleet.Plan(id).Rev > rev })
	if !b.deps.Fleet.Plan(id).Schedule.Paused {
		t.Error("it runs again")
	}
}

func TestTheOverviewSaysWhatBeginsNext(t *testing.T) {
	newBench(t, sample.Vacant(sample.Noon())) // for the words
	now := sample.Noon()
	next := vm.FleetNext{At: now.Add(25 * time.Minute), Hosts: 38}
	for want, got := range map[string]string{
		"next 38 at " + next.At.Local().Format("15:04"):              runningText(vm.Cards{}, next, now),
		"1.00 MiB/s · next 38 at " + next.At.Local().Format("15:04"): runningText(vm.Cards{Speed: 1 << 20}, next, now),
		"1.00 MiB/s · 2 wait for their hosts":                        runningText(vm.Cards{Speed: 1 << 20, Totals: model.Totals{Queued: 2}}, next, now),
		"next 1 in 3 d":                                              runningText(vm.Cards{}, vm.FleetNext{At: now.AddDate(0, 0, 3), Hosts: 1}, now),
		"Nothing runs":                                               runningText(vm.Cards{}, vm.FleetNext{}, now),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
