package vm_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

const berlin = "Europe/Berlin"

func cronPlan(expression string) *fleet.Schedule {
	return &fleet.Schedule{Cron: expression, TimeZone: berlin, SplayMS: 90_000}
}

func everyPlan(d time.Duration) *fleet.Schedule {
	return &fleet.Schedule{EveryMS: d.Milliseconds(), Start: t0.Add(-time.Hour), SplayMS: 1000, Paused: true}
}

// A schedule is shown in the form that it has, and the form gives the same slots again.
func TestSchedulesAreReadAsWhatTheyAre(t *testing.T) {
	for _, c := range []struct {
		s    *fleet.Schedule
		want vm.When // the members that the rhythm shows
	}{
		{nil, vm.When{Rhythm: vm.ByHand}},
		{cronPlan("30 2 * * *"), vm.When{Rhythm: vm.Daily, Clock: "02:30"}},
		{cronPlan("@daily"), vm.When{Rhythm: vm.Daily, Clock: "00:00"}},
		{cronPlan("5 23 * * 0-6"), vm.When{Rhythm: vm.Daily, Clock: "23:05"}},
		{cronPlan("0 22 * * 1-5"), vm.When{Rhythm: vm.Weekly, Clock: "22:00", Days: [7]bool{1: true, 2: true, 3: true, 4: true, 5: true}}},
		{cronPlan("0 1 * * sat,7"), vm.When{Rhythm: vm.Weekly, Clock: "01:00", Days: [7]bool{0: true, 6: true}}},
		{cronPlan("@weekly"), vm.When{Rhythm: vm.Weekly, Clock: "00:00", Days: [7]bool{0: true}}},
		{cronPlan("7 * * * *"), vm.When{Rhythm: vm.Hourly, Past: "7"}},
		{cronPlan("@hourly"), vm.When{Rhythm: vm.Hourly, Past: "0"}},
		{cronPlan("0 2,14 * * *"), vm.When{Rhythm: vm.ByCron, Cron: "0 2,14 * * *"}},
		{cronPlan("*/5 * * * *"), vm.When{Rhythm: vm.ByCron, Cron: "*/5 * * * *"}},
		{cronPlan("0 2 1 * *"), vm.When{Rhythm: vm.ByCron, Cron: "0 2 1 * *"}},
		{cronPlan("0 2 * * */2"), vm.When{Rhythm: vm.ByCron, Cron: "0 2 * * */2"}},
		{cronPlan("@monthly"), vm.When{Rhythm: vm.ByCron, Cron: "@monthly"}},
		{everyPlan(6 * time.Hour), vm.When{Rhythm: vm.Interval, Count: "6", Unit: vm.Hours}},
		{everyPlan(90 * time.Minute), vm.When{Rhythm: vm.Interval, Count: "90", Unit: vm.Minutes}},
		{everyPlan(14 * 24 * time.Hour), vm.When{Rhythm: vm.Interval, Count: "14", Unit: vm.Days}},
	} {
		w := vm.WhenOf(c.s, "UTC")
		got := vm.When{Rhythm: w.Rhythm}
		switch w.Rhythm {
		case vm.Hourly:
			got.Past = w.Past
		case vm.Daily:
			got.Clock = w.Clock
		case vm.Weekly:
			got.Clock, got.Days = w.Clock, w.Days
		case vm.Interval:
			got.Count, got.Unit = w.Count, w.Unit
		case vm.ByCron:
			got.Cron = w.Cron
		}
		if got != c.want {
			t.Errorf("%+v is read as %+v", c.s, got)
		}
		same, bad := w.Schedule(c.s, "UTC", t0)
		if bad != "" || (same == nil) != (c.s == nil) || same != nil && !same.Equal(*c.s) {
			t.Errorf("untouched, %+v becomes %+v %s", c.s, same, bad)
		}
		if c.s == nil {
			continue
		}
		w.Splay = time.Minute
		again, bad := w.Schedule(c.s, "UTC", t0)
		if bad != "" || again.Splay() != time.Minute || again.Paused != c.s.Paused {
			t.Fatalf("%+v with another splay is %+v %s", c.s, again, bad)
		}
		a, b := vm.NextRuns(unpaused(c.s), t0, 8), vm.NextRuns(unpaused(again), t0, 8)
		for i := range a {
			if len(b) != len(a) || !a[i].Equal(b[i]) {
				t.Errorf("%+v runs at %v, written anew at %v", c.s, a, b)
			}
		}
	}
}

func unpaused(s *fleet.Schedule) *fleet.Schedule {
	v := *s
	v.Paused = false
	return &v
}

func TestWhatIsFilledInBecomesASchedule(t *testing.T) {
	for _, c := range []struct {
		change func(*vm.When)
		cron   string
		every  time.Duration
		bad    vm.WhenFault
	}{
		{change: func(w *vm.When) { w.Rhythm = vm.Daily }, cron: "0 2 * * *"},
		{change: func(w *vm.When) { w.Rhythm, w.Clock = vm.Daily, " 7:05 " }, cron: "5 7 * * *"},
		{change: func(w *vm.When) { w.Rhythm, w.Clock = vm.Daily, "24:00" }, bad: vm.BadClock},
		{change: func(w *vm.When) { w.Rhythm, w.Clock = vm.Daily, "7" }, bad: vm.BadClock},
		{change: func(w *vm.When) { w.Rhythm, w.Clock = vm.Daily, "7:5" }, bad: vm.BadClock},
		{change: func(w *vm.When) { w.Rhythm, w.Clock = vm.Daily, "-1:30" }, bad: vm.BadClock},
		{change: func(w *vm.When) { w.Rhythm = vm.Weekly }, cron: "0 2 * * 1-5"},
		{change: func(w *vm.When) { w.Rhythm, w.Days = vm.Weekly, [7]bool{0: true, 5: true, 6: true} }, cron: "0 2 * * 0,5,6"},
		{change: func(w *vm.When) { w.Rhythm, w.Days = vm.Weekly, [7]bool{true, true, true, true, true, true, true} }, cron: "0 2 * * *"},
		{change: func(w *vm.When) { w.Rhythm, w.Days = vm.Weekly, [7]bool{} }, bad: vm.NoDays},
		{change: func(w *vm.When) { w.Rhythm, w.Past = vm.Hourly, "30" }, cron: "30 * * * *"},
		{change: func(w *vm.When) { w.Rhythm, w.Past = vm.Hourly, "60" }, bad: vm.BadPast},
		{change: func(w *vm.When) { w.Rhythm = vm.Interval }, every: 6 * time.Hour},
		{change: func(w *vm.When) { w.Rhythm, w.Count = vm.Interval, "0" }, bad: vm.BadCount},
		{change: func(w *vm.When) { w.Rhythm, w.Count, w.Unit = vm.Interval, "367", vm.Days }, bad: vm.BadCount},
		{change: func(w *vm.When) { w.Rhythm, w.Count = vm.Interval, "1.5" }, bad: vm.BadCount},
		{change: func(w *vm.When) { w.Rhythm, w.Cron = vm.ByCron, "@monthly" }, cron: "@monthly"},
		{change: func(w *vm.When) { w.Rhythm, w.Cron = vm.ByCron, "" }, bad: vm.BadCron},
		{change: func(w *vm.When) { w.Rhythm, w.Cron = vm.ByCron, "0 0 30 2 *" }, bad: vm.BadCron},
		{change: func(w *vm.When) { w.Rhythm, w.Zone = vm.Daily, "Europe/Atlantis" }, bad: vm.BadZone},
		{change: func(w *vm.When) { w.Rhythm, w.Zone = vm.Daily, "Local" }, bad: vm.BadZone},
		{change: func(w *vm.When) { w.Rhythm, w.Zone = vm.Interval, "nowhere" }, every: 6 * time.Hour},
	} {
		w := vm.WhenOf(nil, berlin)
		c.change(&w)
		s, bad := w.Schedule(nil, berlin, t0)
		if bad != c.bad {
			t.Errorf("%+v: fault %q, want %q", w, bad, c.bad)
		}
		if bad != "" {
			continue
		}
		zone := berlin
		if c.every > 0 {
			zone = ""
		}
		if s.Cron != c.cron || s.Every() != c.every || s.TimeZone != zone || s.Splay() == 0 || s.Validate() != nil {
			t.Errorf("%+v becomes %+v", w, s)
		}
	}
	if s, bad := vm.WhenOf(everyPlan(time.Hour), "").Schedule(nil, "", t0); bad != "" || !s.Start.Equal(t0) {
		t.Errorf("a new interval counts from %v %s", s, bad)
	}
	was := everyPlan(time.Hour)
	w := vm.WhenOf(was, "")
	w.Count = "2"
	if s, _ := w.Schedule(was, "", t0.Add(time.Second)); !s.Start.Equal(t0) || !s.Paused {
		t.Errorf("another interval is %+v", s)
	}
}

// Whatever is filled in gives a schedule that the daemon takes, or a fault, and a schedule of any form is read as itself.
func TestFormsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := vm.WhenOf(nil, berlin)
		w.Rhythm = rapid.SampledFrom([]vm.Rhythm{vm.Hourly, vm.Daily, vm.Weekly, vm.Interval, vm.ByCron}).Draw(t, "rhythm")
		w.Clock = rapid.StringMatching(`[0-2]?[0-9]:[0-6][0-9]`).Draw(t, "clock")
		w.Past = rapid.StringMatching(`[0-9]{1,2}`).Draw(t, "past")
		w.Count = rapid.StringMatching(`[0-9]{1,7}`).Draw(t, "count")
		w.Unit = rapid.SampledFrom([]vm.Unit{vm.Minutes, vm.Hours, vm.Days}).Draw(t, "unit")
		for d := range w.Days {
			w.Days[d] = rapid.Bool().Draw(t, "day")
		}
		w.Cron = rapid.StringMatching(`[0-9*,/-]{1,4} [0-9*,-]{1,4} [0-9*]{1,2} [0-9*]{1,2} [0-7*,-]{1,4}`).Draw(t, "cron")
		w.Splay = rapid.SampledFrom([]time.Duration{vm.DefaultSplay, 0, time.Hour}).Draw(t, "splay")
		s, bad := w.Schedule(nil, berlin, t0)
		if bad != "" {
			return
		}
		if _, err := schedule.Parse(*s); err != nil {
			t.Fatalf("%+v gives %+v: %v", w, s, err)
		}
		read := vm.WhenOf(s, berlin)
		read.Splay = read.Splay + time.Second // touched
		again, bad := read.Schedule(s, berlin, t0)
		if bad != "" {
			t.Fatalf("%+v is not taken again: %s", read, bad)
		}
		a, b := vm.NextRuns(s, t0, 4), vm.NextRuns(again, t0, 4)
		for i := range a {
			if len(a) != len(b) || !a[i].Equal(b[i]) {
				t.Fatalf("%s in %+v became %+v", strings.TrimSpace(s.Cron), w, again)
			}
		}
	})
}
