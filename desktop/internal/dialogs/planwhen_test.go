package dialogs_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/dialogs"
	"github.com/backstay/backstay/desktop/internal/hands"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// planned opens the dialog of a plan with a schedule.
func (r room) planned(s *fleet.Schedule, edit bool) *[]api.PlanRequest {
	var sent []api.PlanRequest
	dialogs.OpenPlan(dialogs.PlanConfig{Canvas: r.c, Now: noon, Zone: "Europe/Vienna", MayEdit: edit, Repositories: []*fleet.Repository{offsite}, Hosts: []*fleet.Host{web},
		Plan: &fleet.Plan{ID: "P1", Name: "mail", RepositoryID: "R1", Hosts: []fleet.HostID{"H1"}, Backup: fleet.BackupSpec{Paths: []string{"/srv/mail"}}, Schedule: s},
		Save: func(p api.PlanRequest, _ func(error)) { sent = append(sent, p) }})
	return &sent
}

// runs wants that these are the next runs that are shown.
func (r room) runs(at ...time.Time) {
	r.t.Helper()
	for _, t := range at {
		r.want(words.T("plan.run", "Time", words.Moment(t, noon()), "Until", words.Until(t, noon())))
	}
	shown := 0
	hands.Texts(r.c, func(t *canvas.Text) {
		for _, a := range at {
			if t.Text == words.T("plan.run", "Time", words.Moment(a, noon()), "Until", words.Until(a, noon())) {
				shown++
			}
		}
	})
	if shown != len(at) {
		r.t.Errorf("%d runs are shown, want %d", shown, len(at))
	}
}

// toText goes on to the field in which a text stands, and empties it.
func (r room) toText(text string) {
	r.t.Helper()
	for range 60 {
		r.tab(1)
		e, ok := r.c.Focused().(interface{ SelectedText() string })
		if !ok {
			continue
		}
		r.c.Focused().(fyne.Shortcutable).TypedShortcut(&fyne.ShortcutSelectAll{})
		if e.SelectedText() == text {
			hands.Press(r.c, fyne.KeyBackspace)
			return
		}
	}
	r.t.Fatalf("there is no field with %q", text)
}

func TestAScheduleThatIsNotTouchedStaysExactly(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 7, 0, 0, time.UTC)
	for _, s := range []fleet.Schedule{
		{Cron: "30 2 * * mon-fri", TimeZone: "Asia/Tokyo", SplayMS: 77_000},
		{Cron: "@daily", SplayMS: 0, Paused: true},
		{Cron: "*/20 1-3 * * *", TimeZone: "UTC", SplayMS: 5},
		{EveryMS: (90 * time.Minute).Milliseconds(), Start: start, SplayMS: time.Hour.Milliseconds()},
	} {
		r := newRoom(t)
		sent := r.planned(&s, true)
		r.tap("Save")
		if len(*sent) != 1 {
			t.Fatalf("%+v: nothing was sent", s)
		}
		got := (*sent)[0].Schedule
		if got.Cron != s.Cron || got.TimeZone != s.TimeZone || got.EveryMS != s.EveryMS || got.SplayMS == nil || *got.SplayMS != s.SplayMS || got.Paused != s.Paused ||
			(got.Start == nil) != s.Start.IsZero() || got.Start != nil && !got.Start.Equal(s.Start) {
			t.Errorf("%+v became %+v", s, got)
		}
	}
}

func TestTheNextRunsAreShownWhileAScheduleIsSet(t *testing.T) {
	r := newRoom(t)
	sent := r.planned(&fleet.Schedule{Cron: "30 2 * * *", TimeZone: "UTC", SplayMS: 60_000}, true)
	first := time.Date(2026, 11, 24, 2, 30, 0, 0, time.UTC)
	r.want("Daily", "02:30", "UTC", "Next runs, by this computer's clock", "1 min")
	r.runs(first, first.AddDate(0, 0, 1), first.AddDate(0, 0, 2), first.AddDate(0, 0, 3), first.AddDate(0, 0, 4))
	r.tap("Weekly")
	for _, day := range []string{"Mon", "Tue", "Wed", "Fri"} {
		r.tap(day)
	}
	thursday := time.Date(2026, 11, 26, 2, 30, 0, 0, time.UTC)
	r.runs(thursday, thursday.AddDate(0, 0, 7), thursday.AddDate(0, 0, 14), thursday.AddDate(0, 0, 21), thursday.AddDate(0, 0, 28))
	r.tap("Thu")
	r.want("No run yet", "Choose at least one day.")
	r.tap("Cron")
	r.toText("30 2 * * *")
	r.want("No run yet")
	hands.Write(r.c, "0 12 1 1 *")
	newYear := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	r.runs(newYear, newYear.AddDate(1, 0, 0), newYear.AddDate(2, 0, 0), newYear.AddDate(3, 0, 0), newYear.AddDate(4, 0, 0))
	r.toText("UTC")
	hands.Write(r.c, "Europe/Atlantis")
	r.want("There is no such time zone. Give an IANA name such as Europe/Berlin, or UTC.")
	r.tap("Save")
	if len(*sent) > 0 {
		t.Fatalf("sent %+v", *sent)
	}
	r.toText("Europe/Atlantis")
	hands.Write(r.c, "Europe/Berlin")
	r.tap("Save")
	if len(*sent) != 1 {
		t.Fatal("nothing was sent")
	}
	if s := (*sent)[0].Schedule; s.Cron != "0 12 1 1 *" || s.TimeZone != "Europe/Berlin" || *s.SplayMS != 60_000 {
		t.Errorf("%+v", s)
	}
	r.tap("By hand")
	r.want("Nothing begins by itself")
}

func TestANewPlanIsOfferedEveryNight(t *testing.T) {
	r := newRoom(t)
	dialogs.OpenPlan(dialogs.PlanConfig{Canvas: r.c, Now: noon, Zone: "Europe/Vienna", MayEdit: true})
	night := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	r.want("02:00", "Europe/Vienna", "Default")
	r.runs(night, night.AddDate(0, 0, 1))
}

func TestAViewerReadsTheSchedule(t *testing.T) {
	r := newRoom(t)
	r.planned(&fleet.Schedule{Cron: "30 2 * * 1-5", TimeZone: "Europe/Vienna"}, false)
	r.want("Mon–Fri at 02:30, Europe/Vienna")
	r.runs(time.Date(2026, 11, 24, 1, 30, 0, 0, time.UTC))
	r = newRoom(t)
	r.planned(nil, false)
	r.want("By hand", "Nothing begins by itself")
}
