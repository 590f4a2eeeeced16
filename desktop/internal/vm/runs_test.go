package vm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

func scheduled(id string, rev int64, s *fleet.Schedule, hosts ...fleet.HostID) api.Row {
	r := planRow(id, hosts...)
	r.Rev, r.Plan.Rev, r.Plan.Schedule = rev, rev, s
	return r
}

func nightly(splay time.Duration) *fleet.Schedule {
	return &fleet.Schedule{Cron: "0 2 * * *", SplayMS: splay.Milliseconds()}
}

// What is shown is what the agent does, whenever it is asked.
func TestNextRunsAreThoseOfTheAgent(t *testing.T) {
	s := &fleet.Schedule{Cron: "*/7 1-3 * * *", TimeZone: berlin, SplayMS: time.Hour.Milliseconds()}
	m := signedIn(hostRow("h1", "a"), hostRow("h2", "b"), scheduled("p1", 1, s, "h1", "h2"))
	r, p := vm.NewRuns(m), m.Plan("p1")
	table, err := schedule.Parse(*s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3000 {
		now := t0.Add(time.Duration(i) * 37 * time.Second)
		if i%500 == 499 {
			now = now.Add(-2 * time.Hour) // clocks are put back
		}
		if got, want := r.Next(p, now), table.Next(now); !got.Equal(want) {
			t.Fatalf("%v: next slot %v, want %v", now, got, want)
		}
		for _, host := range []fleet.HostID{"h1", "h2"} {
			var want time.Time
			for slot := table.Next(now.Add(-2 * time.Hour)); ; slot = table.Next(slot) {
				if want = table.Due(slot, "p1", host); want.After(now) {
					break
				}
			}
			if got := r.NextOn(p, host, now); !got.Equal(want) {
				t.Fatalf("%v: %s begins at %v, want %v", now, host, got, want)
			}
		}
	}
}

func TestNextRunsFollowThePlan(t *testing.T) {
	m := signedIn(hostRow("h1", "a"), hostRow("h2", "b", func(h *fleet.Host) { h.RevokedAt = &t0 }), hostRow("h3", "c"),
		scheduled("p1", 1, nightly(0), "h1", "h2"), scheduled("p2", 1, &fleet.Schedule{EveryMS: time.Hour.Milliseconds(), Start: t0, Paused: true}, "h1", "h3"), planRow("p3", "h3"))
	v := vm.NewHosts(m)
	night := t0.Truncate(24 * time.Hour).Add(26 * time.Hour)
	if n := v.Next("h1", t0); !n.At.Equal(night) || n.Paused {
		t.Errorf("h1: %+v", n)
	}
	if n := v.Next("h2", t0); n != (vm.HostNext{}) {
		t.Errorf("a revoked host: %+v", n)
	}
	if n := v.Next("h3", t0); !n.At.IsZero() || !n.Paused {
		t.Errorf("h3: %+v", n)
	}
	over := vm.NewOverview(m)
	if n := over.Next(t0); !n.At.Equal(night) || n.Hosts != 2 {
		t.Errorf("the fleet: %+v", n)
	}
	// Resumed, it comes first, without anybody making the page anew.
	m.Apply(model.Batch{Rows: []api.Row{scheduled("p2", 2, &fleet.Schedule{EveryMS: time.Hour.Milliseconds(), Start: t0}, "h1", "h3")}})
	for _, id := range []string{"h1", "h3"} {
		if n := v.Next(id, t0); !n.At.Equal(t0.Add(time.Hour)) || n.Paused {
			t.Errorf("%s after it was resumed: %+v", id, n)
		}
	}
	m.Apply(model.Batch{Rows: []api.Row{scheduled("p1", 2, nil, "h1")}})
	if w := vm.NewPlans(m).Runs.When(m.Plan("p1")); w.Rhythm != vm.ByHand {
		t.Errorf("without a schedule it is %+v", w)
	}
	if got := vm.NewRuns(m).Next(m.Plan("p1"), t0); !got.IsZero() {
		t.Errorf("without a schedule it runs at %v", got)
	}
}

// BenchmarkNextRuns is what the lines of a window cost when they are drawn, of a fleet with fifty plans.
func BenchmarkNextRuns(b *testing.B) {
	var rows []api.Row
	var hosts []fleet.HostID
	for i := range 2000 {
		id := fmt.Sprintf("h%04d", i)
		hosts = append(hosts, fleet.HostID(id))
		rows = append(rows, hostRow(id, id))
	}
	for i := range 50 {
		rows = append(rows, scheduled(fmt.Sprintf("p%d", i), 1, nightly(time.Hour), hosts[i*40:i*40+40]...))
	}
	v := vm.NewHosts(signedIn(rows...))
	for b.Loop() {
		for _, id := range hosts[:30] {
			v.Next(string(id), t0)
		}
	}
}
