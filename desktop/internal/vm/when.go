package vm

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/schedule"
)

// Rhythm is the form in which a person sets when a plan runs.
type Rhythm string

// The rhythms.
const (
	ByHand   Rhythm = "hand"
	Hourly   Rhythm = "hourly"
	Daily    Rhythm = "daily"
	Weekly   Rhythm = "weekly"
	Interval Rhythm = "interval"
	ByCron   Rhythm = "cron" // what none of the others is
)

// Unit is what an interval counts.
type Unit string

// The units.
const (
	Minutes Unit = "minutes"
	Hours   Unit = "hours"
	Days    Unit = "days"
)

var unitLength = map[Unit]time.Duration{Minutes: time.Minute, Hours: time.Hour, Days: 24 * time.Hour}

// DefaultSplay is the Splay of a When whose schedule gets the one that is wise for it.
const DefaultSplay time.Duration = -1

// When is a schedule as a form shows it: members of the other rhythms are what the form offers on a change. Two that are equal say the
// same.
type When struct {
	Rhythm Rhythm
	Past   string  // Hourly: minutes past the hour, as typed
	Clock  string  // Daily and Weekly: 02:30, as typed
	Days   [7]bool // Weekly, by time.Weekday
	Count  string  // Interval, as typed
	Unit   Unit
	Cron   string
	Zone   string        // not of Interval
	Splay  time.Duration // DefaultSplay, or how long
}

// WhenOf reads a schedule, nil for none. Zone is the one to offer, "" for UTC.
func WhenOf(s *fleet.Schedule, zone string) When {
	if zone == "" {
		zone = "UTC"
	}
	w := When{Rhythm: ByHand, Past: "0", Clock: "02:00", Days: [7]bool{false, true, true, true, true, true, false}, Count: "6", Unit: Hours, Cron: "0 2 * * 1-5", Zone: zone, Splay: DefaultSplay}
	if s == nil {
		return w
	}
	w.Splay = s.Splay()
	if s.Cron == "" {
		w.Rhythm = Interval
		w.Count, w.Unit = interval(s.Every())
		return w
	}
	if w.Zone = s.TimeZone; w.Zone == "" {
		w.Zone = "UTC"
	}
	w.readCron(s.Cron)
	return w
}

func interval(every time.Duration) (string, Unit) {
	for _, u := range []Unit{Days, Hours} {
		if every%unitLength[u] == 0 {
			return strconv.FormatInt(int64(every/unitLength[u]), 10), u
		}
	}
	return strconv.FormatInt(int64(every/time.Minute), 10), Minutes
}

// descriptors are cron's own words for rhythms.
var descriptors = map[string]string{"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0"}

func (w *When) readCron(expression string) {
	w.Rhythm, w.Cron = ByCron, expression
	plain := expression
	if d, ok := descriptors[strings.ToLower(strings.TrimSpace(expression))]; ok {
		plain = d
	}
	f := strings.Fields(plain)
	if len(f) != 5 || f[2] != "*" || f[3] != "*" {
		return
	}
	minute, ok := numberUpTo(f[0], 59)
	if !ok {
		return
	}
	if f[1] == "*" && f[4] == "*" {
		w.Rhythm, w.Past = Hourly, strconv.Itoa(minute)
		return
	}
	hour, ok := numberUpTo(f[1], 23)
	if !ok {
		return
	}
	days, ok := weekdays(f[4])
	if !ok {
		return
	}
	w.Rhythm, w.Clock = Daily, fmt.Sprintf("%02d:%02d", hour, minute)
	if days != everyDay {
		w.Rhythm, w.Days = Weekly, days
	}
}

// numberUpTo reads a number from 0 to most that is written in digits alone.
func numberUpTo(text string, most int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= most && text[0] != '+' && text[0] != '-'
}

var everyDay = [7]bool{true, true, true, true, true, true, true}

var dayNames = map[string]int{"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}

// weekdays reads a list of days of the week and ranges of them; false for what else cron knows.
func weekdays(field string) (days [7]bool, ok bool) {
	if field == "*" {
		return everyDay, true
	}
	for part := range strings.SplitSeq(field, ",") {
		first, last, span := strings.Cut(part, "-")
		if !span {
			last = first
		}
		from, ok1 := weekday(first)
		to, ok2 := weekday(last)
		if !ok1 || !ok2 || from > to {
			return days, false
		}
		for d := from; d <= to; d++ {
			days[d%7] = true
		}
	}
	return days, true
}

func weekday(text string) (int, bool) {
	if d, ok := dayNames[strings.ToLower(text)]; ok {
		return d, true
	}
	return numberUpTo(text, 7)
}

// WhenFault names what is wrong in a form.
type WhenFault string

// The faults; "" is none.
const (
	BadPast  WhenFault = "past"
	BadClock WhenFault = "clock"
	NoDays   WhenFault = "days"
	BadCount WhenFault = "count"
	BadCron  WhenFault = "cron"
	BadZone  WhenFault = "zone"
)

// Schedule gives what the form says, nil for none. Former is the plan's schedule so far, and zone what WhenOf was told: a form that was
// not touched gives the former exactly, and one that was keeps what it does not show.
func (w When) Schedule(former *fleet.Schedule, zone string, now time.Time) (*fleet.Schedule, WhenFault) {
	if w.Rhythm == ByHand {
		return nil, ""
	}
	if former != nil && w == WhenOf(former, zone) {
		same := *former
		return &same, ""
	}
	var v fleet.Schedule
	var bad WhenFault
	if w.Rhythm == Interval {
		v.EveryMS, bad = w.everyMS()
		v.Start = now.UTC().Truncate(time.Minute)
		if former != nil && former.EveryMS == v.EveryMS {
			v.Start = former.Start
		}
	} else {
		v.Cron, bad = w.cron()
		v.TimeZone = strings.TrimSpace(w.Zone)
	}
	if bad != "" {
		return nil, bad
	}
	if _, err := schedule.Zone(v.TimeZone); err != nil {
		return nil, BadZone
	}
	table, err := schedule.Parse(v)
	switch {
	case err != nil && w.Rhythm == Interval:
		return nil, BadCount
	case err != nil:
		return nil, BadCron
	}
	splay := w.Splay
	if splay == DefaultSplay {
		splay = table.DefaultSplay(now)
	}
	v.SplayMS = splay.Milliseconds()
	v.Paused = former != nil && former.Paused
	return &v, ""
}

func (w When) everyMS() (int64, WhenFault) {
	n, ok := numberUpTo(strings.TrimSpace(w.Count), int(fleet.MaxEvery/time.Minute))
	if !ok || n == 0 {
		return 0, BadCount
	}
	return int64(n) * unitLength[w.Unit].Milliseconds(), ""
}

func (w When) cron() (string, WhenFault) {
	if w.Rhythm == ByCron {
		expression := strings.TrimSpace(w.Cron)
		if expression == "" {
			return "", BadCron
		}
		return expression, ""
	}
	if w.Rhythm == Hourly {
		minute, ok := numberUpTo(strings.TrimSpace(w.Past), 59)
		if !ok {
			return "", BadPast
		}
		return fmt.Sprintf("%d * * * *", minute), ""
	}
	h, m, _ := strings.Cut(strings.TrimSpace(w.Clock), ":")
	hour, ok1 := numberUpTo(h, 23)
	minute, ok2 := numberUpTo(m, 59)
	if !ok1 || !ok2 || len(m) != 2 {
		return "", BadClock
	}
	days := "*"
	if w.Rhythm == Weekly && w.Days != everyDay {
		if days = cronDays(w.Days); days == "" {
			return "", NoDays
		}
	}
	return fmt.Sprintf("%d %d * * %s", minute, hour, days), ""
}

// cronDays writes days of the week, three and more in a row as a range.
func cronDays(days [7]bool) string {
	var parts []string
	for d := 0; d < 7; d++ {
		first := d
		for d < 6 && days[first] && days[d+1] {
			d++
		}
		switch {
		case !days[first]:
		case d-first >= 2:
			parts = append(parts, fmt.Sprintf("%d-%d", first, d))
		default:
			for ; first <= d; first++ {
				parts = append(parts, strconv.Itoa(first))
			}
		}
	}
	return strings.Join(parts, ",")
}

// NextRuns gives the next n slots of a schedule; none when it is paused, or nil.
func NextRuns(s *fleet.Schedule, now time.Time, n int) []time.Time {
	if s == nil || s.Paused {
		return nil
	}
	table, err := schedule.Parse(*s)
	if err != nil {
		return nil // of a newer daemon
	}
	return table.NextN(now, n)
}
