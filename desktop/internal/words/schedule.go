package words

import (
	"strings"
	"time"

	"github.com/backstay/backstay/desktop/internal/vm"
)

// Schedule says in a few words when a plan runs: Mon–Fri at 22:00. What a cron expression means beyond that, it says itself.
func Schedule(w vm.When) string {
	switch w.Rhythm {
	case vm.Hourly:
		return T("schedule.hourly", "Minute", twoDigits(w.Past))
	case vm.Daily:
		return T("schedule.daily", "Time", w.Clock)
	case vm.Weekly:
		return T("schedule.weekly", "Days", Weekdays(w.Days), "Time", w.Clock)
	case vm.Interval:
		return T("schedule.interval", "Span", T("format."+string(w.Unit), "N", w.Count))
	case vm.ByCron:
		return w.Cron
	}
	return T("schedule.hand")
}

// ScheduleIn is Schedule with the time zone, where there is one.
func ScheduleIn(w vm.When) string {
	if w.Rhythm == vm.ByHand || w.Rhythm == vm.Interval {
		return Schedule(w)
	}
	return T("schedule.zone", "When", Schedule(w), "Zone", w.Zone)
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// Weekday names a day of the week: Mon.
func Weekday(d time.Weekday) string { return T("format.weekday." + string(rune('0'+int(d)))) }

// Week are the days in the order in which people here count them.
func Week() []time.Weekday {
	return []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
}

// Weekdays names some days of the week, three and more in a row as a span: Mon–Fri, Sun.
func Weekdays(on [7]bool) string {
	week := Week()
	var parts []string
	for i := 0; i < len(week); i++ {
		first := i
		for i+1 < len(week) && on[week[first]] && on[week[i+1]] {
			i++
		}
		switch {
		case !on[week[first]]:
		case i-first >= 2:
			parts = append(parts, Weekday(week[first])+"–"+Weekday(week[i]))
		default:
			for ; first <= i; first++ {
				parts = append(parts, Weekday(week[first]))
			}
		}
	}
	return strings.Join(parts, ", ")
}
