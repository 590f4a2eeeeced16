package words

import (
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/fleet"
)

func TestSchedulesInWords(t *testing.T) {
	cron := func(expression string) *fleet.Schedule {
		return &fleet.Schedule{Cron: expression, TimeZone: "Europe/Berlin"}
	}
	every := func(d time.Duration) *fleet.Schedule { return &fleet.Schedule{EveryMS: d.Milliseconds()} }
	for language, texts := range map[string]map[*fleet.Schedule]string{
		"en": {nil: "By hand", cron("30 2 * * *"): "Daily at 02:30, Europe/Berlin", cron("0 22 * * 1-5"): "Mon–Fri at 22:00, Europe/Berlin", cron("0 1 * * 0,2,6"): "Tue, Sat, Sun at 01:00, Europe/Berlin",
			cron("5 * * * *"): "Hourly at :05, Europe/Berlin", cron("*/5 * * * *"): "*/5 * * * *, Europe/Berlin", every(6 * time.Hour): "Every 6 h", every(90 * time.Minute): "Every 90 min", every(48 * time.Hour): "Every 2 d"},
		"de": {nil: "Von Hand", cron("30 2 * * *"): "Täglich um 02:30, Europe/Berlin", cron("0 22 * * 5-7"): "Fr–So um 22:00, Europe/Berlin", every(48 * time.Hour): "Alle 2 T"},
	} {
		use(t, language)
		for s, want := range texts {
			if got := ScheduleIn(vm.WhenOf(s, "")); got != want {
				t.Errorf("%s: %q, want %q", language, got, want)
			}
		}
	}
}

func TestWhatComes(t *testing.T) {
	use(t, "en")
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
	for d, want := range map[time.Duration]string{0: "in a moment", 59 * time.Second: "in a moment", 3 * time.Hour: "in 3 h", 72 * time.Hour: "in 3 d"} {
		if got := Until(now.Add(d), now); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := Moment(now.AddDate(0, 0, 1), now); got != "tomorrow 12:00" {
		t.Error(got)
	}
}
