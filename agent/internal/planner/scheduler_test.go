package planner_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstay/backstay/agent/internal/bell"
	"github.com/backstay/backstay/agent/internal/planner"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	planID = fleet.PlanID("P1")
	hostID = fleet.HostID("H1")
)

// fakeJobs takes each id up once, as the runner does.
type fakeJobs struct {
	mu      sync.Mutex
	changed bell.Bell
	begun   []agentwire.HeldJob
	at      []time.Time
	lasting bool // jobs stay open until end
	err     error
	now     func() time.Time
}

func (f *fakeJobs) RunSlot(_ context.Context, spec fleet.JobSpec) (fleet.JobState, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return "", f.err
	}
	if slices.ContainsFunc(f.begun, func(j agentwire.HeldJob) bool { return j.JobID == spec.JobID }) {
		return fleet.StateSucceeded, nil
	}
	state := fleet.StateSucceeded
	if f.lasting {
		state = fleet.StateRunning
	}
	f.begun = append(f.begun, agentwire.HeldJob{JobID: spec.JobID, State: state, Spec: &spec})
	f.at = append(f.at, f.now())
	f.changed.Ring()
	return fleet.StateAccepted, nil
}

func (f *fakeJobs) Held() []agentwire.HeldJob {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.begun)
}

func (f *fakeJobs) Changed() <-chan struct{} { return f.changed.Listen() }

func (f *fakeJobs) set(change func()) {
	f.mu.Lock()
	change()
	f.mu.Unlock()
	f.changed.Ring()
}

func (f *fakeJobs) endAll() {
	f.set(func() {
		for i := range f.begun {
			f.begun[i].State = fleet.StateSucceeded
		}
	})
}

// slots are those whose jobs began, in order, as "15:04" or with the day before it.
func (f *fakeJobs) slots(t *testing.T, layout string) string {
	t.Helper()
	var out []string
	for _, j := range f.Held() {
		plan, host, slot, ok := j.JobID.Slot()
		if !ok || plan != planID || host != hostID || j.Spec.PlanID != plan || j.Spec.Kind != fleet.KindBackup || j.Spec.Validate() != nil {
			t.Fatalf("job %s, %+v", j.JobID, j.Spec)
		}
		out = append(out, slot.Format(layout))
	}
	return strings.Join(out, " ")
}

// desk is a host with a clock of its own, inside a bubble whose time begins at midnight UTC of 1 January 2000.
type desk struct {
	t     *testing.T
	dir   string
	jobs  *fakeJobs
	plans *planner.Cache
	mu    sync.Mutex
	ahead time.Duration // of the host's clock
	stop  func()
}

func newDesk(t *testing.T, s fleet.Schedule) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), jobs: &fakeJobs{}}
	d.jobs.now = d.now
	var err error
	if d.plans, err = planner.Open(filepath.Join(d.dir, "plan.json")); err != nil {
		t.Fatal(err)
	}
	d.plan(&s)
	d.start()
	return d
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.ahead)
}

func (d *desk) jump(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ahead += by
}

// plan has the daemon send the plan with this schedule.
func (d *desk) plan(s *fleet.Schedule) {
	d.t.Helper()
	repository := fleet.Repository{ID: "R1", URL: "rest:https://backup.example.org:8000/web1/"}
	p := fleet.Plan{ID: planID, Name: "daily", RepositoryID: "R1", Hosts: []fleet.HostID{hostID}, Backup: fleet.BackupSpec{Paths: []string{"/etc"}}, Schedule: s}
	if err := d.plans.Store(agentwire.ConfigUpdate{Version: 1, Plans: []fleet.Plan{p}, Repositories: []fleet.Repository{repository}}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) start() {
	d.t.Helper()
	s, err := planner.NewScheduler(planner.SchedulerConfig{Plans: d.plans, Jobs: d.jobs, Host: hostID, Marks: filepath.Join(d.dir, "schedules.json"), Now: d.now})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	d.stop = func() { cancel(); <-done }
	synctest.Wait()
}

// pass lets time go by.
func (d *desk) pass(by time.Duration) {
	time.Sleep(by)
	synctest.Wait()
}

func (d *desk) began(want string) {
	d.t.Helper()
	if got := d.jobs.slots(d.t, "15:04"); got != want {
		d.t.Errorf("began %q, want %q", got, want)
	}
}

func in(t *testing.T, f func(*testing.T)) { t.Helper(); synctest.Test(t, f) }

func hourly() fleet.Schedule { return fleet.Schedule{Cron: "0 * * * *"} }

func TestEverySlotRunsOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		defer d.stop()
		d.pass(3*time.Hour + time.Minute)
		d.began("01:00 02:00 03:00")
		for i, at := range d.jobs.at {
			if late := at.Sub(time.Date(2000, 1, 1, i+1, 0, 0, 0, time.UTC)); late < 0 || late > time.Second {
				t.Errorf("job %d began %v after its slot", i, late)
			}
		}
	})
}

func TestSplayDelaysAHostAlikeEachTime(t *testing.T) {
	in(t, func(t *testing.T) {
		s := hourly()
		s.SplayMS = (20 * time.Minute).Milliseconds()
		d := newDesk(t, s)
		defer d.stop()
		d.pass(3*time.Hour - time.Minute)
		d.began("01:00 02:00")
		first, second := d.jobs.at[0], d.jobs.at[1]
		if late := first.Sub(time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC)); late < 0 || late >= 20*time.Minute {
			t.Errorf("%v after the slot", late)
		}
		if gap := second.Sub(first) - time.Hour; gap.Abs() > time.Second {
			t.Errorf("one hour and %v later the next time", gap)
		}
	})
}

func TestWhatPassedInSleepIsCaughtUpOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		defer d.stop()
		d.pass(61 * time.Minute)
		d.jump(5*time.Hour + 10*time.Minute) // 06:11 on the wall; timers stood still
		d.pass(time.Minute)
		d.began("01:00 06:00")
		d.pass(time.Hour)
		d.began("01:00 06:00 07:00")
	})
}

func TestWhatPassedWhileTheAgentWasOffIsCaughtUpOnce(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		d.pass(61 * time.Minute)
		d.stop()
		d.pass(3 * time.Hour)
		d.start()
		d.began("01:00 04:00")
		d.stop()
		d.start() // at once again: nothing new
		d.pass(time.Minute)
		d.began("01:00 04:00")
		d.stop()
	})
}

func TestAClockThatIsSetBackRunsNoSlotTwiceAndStopsNothing(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		defer d.stop()
		d.pass(2*time.Hour + time.Minute)
		d.jump(-90 * time.Minute) // 00:31
		d.pass(3 * time.Hour)     // 03:31
		d.began("01:00 02:00 03:00")
	})
}

func TestAClockThatWasYearsAheadStopsNothing(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		defer d.stop()
		d.jump(10 * 365 * 24 * time.Hour)
		d.pass(time.Minute)
		d.jump(-10 * 365 * 24 * time.Hour)
		d.pass(2 * time.Hour)
		got := d.jobs.slots(t, "2006 15:04")
		if want := "2000 01:00 2000 02:00"; !strings.HasSuffix(got, want) || strings.Count(got, ":") != 3 {
			t.Errorf("began %q, want one of the wrong year and %q", got, want)
		}
	})
}

func TestAPlanThatIsNewChangedOrResumedBeginsWithItsNextSlot(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		defer d.stop()
		d.pass(61 * time.Minute)
		d.began("01:00")
		half := fleet.Schedule{Cron: "30 * * * *"}
		d.plan(&half) // 01:01: 00:30 is past, and not of this schedule
		d.pass(30 * time.Minute)
		d.began("01:00 01:30")
		half.Paused = true
		d.plan(&half)
		d.pass(2 * time.Hour) // 03:31
		half.Paused = false
		d.plan(&half)
		d.pass(time.Minute)
		d.began("01:00 01:30")
		d.pass(time.Hour)
		d.began("01:00 01:30 04:30")
		d.plan(nil)
		d.pass(2 * time.Hour)
		d.began("01:00 01:30 04:30")
	})
}

// The same state comes again with each session of the daemon, decoded anew.
func TestAStateThatComesAgainChangesNothing(t *testing.T) {
	in(t, func(t *testing.T) {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		s := fleet.Schedule{EveryMS: time.Hour.Milliseconds(), Start: time.Date(2000, 1, 1, 1, 30, 0, 0, berlin)}
		d := newDesk(t, s)
		for range 14 {
			d.pass(15 * time.Minute)
			d.plan(&s)
			d.stop()
			d.start()
		}
		d.stop()
		d.began("00:30 01:30 02:30 03:30")
	})
}

func TestARunThatIsNotOverLetsSlotsPassAndTheNewestIsCaughtUp(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		defer d.stop()
		d.jobs.set(func() { d.jobs.lasting = true })
		d.pass(4*time.Hour + 30*time.Minute)
		d.began("01:00")
		d.jobs.endAll()
		synctest.Wait()
		d.began("01:00 04:00")
		d.jobs.endAll()
		d.pass(time.Minute)
		d.began("01:00 04:00")
	})
}

func TestAJobThatCannotBeTakenUpIsTriedAgain(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, hourly())
		defer d.stop()
		d.jobs.set(func() { d.jobs.err = errors.New("no space left on device") })
		d.pass(65 * time.Minute)
		d.began("")
		d.jobs.set(func() { d.jobs.err = nil })
		d.pass(time.Minute)
		d.began("01:00")
	})
}

func TestDaysOnWhichClocksJump(t *testing.T) {
	in(t, func(t *testing.T) {
		d := newDesk(t, fleet.Schedule{Cron: "30 2 * * *", TimeZone: "Europe/Berlin"})
		defer d.stop()
		d.jump(84 * 24 * time.Hour) // 25 March 2000: one run is caught up
		d.pass(3 * 24 * time.Hour)
		d.jump(214 * 24 * time.Hour) // 28 October
		d.pass(3 * 24 * time.Hour)
		want := "03-24 01:30 03-25 01:30 03-26 01:00 03-27 00:30 10-27 00:30 10-28 00:30 10-29 00:30 10-30 01:30"
		if got := d.jobs.slots(t, "01-02 15:04"); got != want {
			t.Errorf("began %q, want %q", got, want)
		}
	})
}
