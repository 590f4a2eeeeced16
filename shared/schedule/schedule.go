// Package schedule computes the slots of a plan's schedule: the instants for which its backups run by themselves. Everything in it
// is pure, so that the agent, which fires the slots, and the daemon, CLI and console, which show them, find the same ones.
//
// # Decisions
//
// Cron expressions are read by netresearch/go-cron, a kept fork of robfig/cron. Its answers are used for times of day as such; what
// they are in a time zone is decided here. When clocks go forward, what would begin in the hour that is left out begins at its end;
// when they go back, what begins at fixed hours begins in the first of the two. Expressions for every hour go by the clock that never
// jumps, so no hour is without them. As in crontab(5), a day matches when the day of the month or the day of the week does, if both
// are restricted.
//
// Time zones come with the program: Windows has none of these names.
package schedule

import (
	"hash/fnv"
	"strings"
	"time"
	_ "time/tzdata" // see above

	"github.com/netresearch/go-cron"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Timetable gives the slots of one schedule. It is immutable.
type Timetable struct {
	every time.Duration // 0: cron
	start time.Time
	splay time.Duration

	cron   *cron.SpecSchedule // in UTC
	zone   *time.Location
	hourly bool // every hour has slots
}

// searchYears is how far a slot may lie ahead: 29 February on a given day of the week comes every 28 years, and 12 later around 2100.
const searchYears = 41

const everyHour = 1<<24 - 1

// Parse reads a schedule. It refuses one that never has a slot.
func Parse(s fleet.Schedule) (Timetable, error) {
	if err := s.Validate(); err != nil {
		return Timetable{}, err
	}
	t := Timetable{every: s.Every(), start: s.Start, splay: s.Splay()}
	if s.Cron == "" {
		return t, nil
	}
	var err error
	if t.zone, err = Zone(s.TimeZone); err != nil {
		return Timetable{}, err
	}
	if t.cron, err = parseCron(s.Cron); err != nil {
		return Timetable{}, err
	}
	t.hourly = t.cron.Hour&everyHour == everyHour
	if t.cron.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Timetable{}, fault.New(fault.InvalidInput, "The cron expression %q names a day that no month has. Choose another day.", s.Cron)
	}
	return t, nil
}

// Zone gives the time zone of an IANA name, UTC for "".
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // which is another one on each host
		return nil, fault.New(fault.InvalidInput, "There is no time zone %q. Give an IANA name such as Europe/Berlin, or UTC.", name)
	}
	return zone, nil
}

func parseCron(expression string) (*cron.SpecSchedule, error) {
	bad := fault.New(fault.InvalidInput, "The cron expression %q cannot be read. Give five fields (minute, hour, day of month, month, day of week), such as 30 2 * * 1-5, or @daily.", expression)
	for _, sign := range []string{"=", "@every", "@reboot", "?"} { // a zone, an interval and signs of other crons
		if strings.Contains(strings.ToLower(expression), sign) {
			return nil, bad
		}
	}
	parser, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor | cron.DowOrDom)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.WithMaxSearchYears(searchYears).Parse(expression)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "The cron expression %q cannot be read. Give five fields (minute, hour, day of month, month, day of week), such as 30 2 * * 1-5, or @daily.", expression)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, bad
	}
	spec.Location = time.UTC
	return spec, nil
}

// Next gives the first slot after the instant after, in UTC; zero when there is none within searchYears.
func (t Timetable) Next(after time.Time) time.Time {
	switch {
	case t.every > 0 && after.Before(t.start):
		return t.start.UTC()
	case t.every > 0:
		return t.start.Add((after.Sub(t.start)/t.every + 1) * t.every).UTC()
	case t.hourly:
		spec := *t.cron
		spec.Location = t.zone
		return spec.Next(after.In(t.zone)).UTC()
	}
	for wall := wallOf(after.In(t.zone)); ; {
		if wall = t.cron.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if at := instant(wall, t.zone); at.After(after) {
			return at.UTC()
		}
	}
}

// NextN gives the next n slots after the instant after.
func (t Timetable) NextN(after time.Time, n int) []time.Time {
	slots := make([]time.Time, 0, n)
	for len(slots) < n {
		if after = t.Next(after); after.IsZero() {
			break
		}
		slots = append(slots, after)
	}
	return slots
}

// lookBack are the spans in which the newest slot is looked for, so that a year of minutes is not gone through.
var lookBack = []time.Duration{2 * time.Hour, 50 * time.Hour, 33 * 24 * time.Hour, 367 * 24 * time.Hour}

// Last gives the newest slot that is after the instant after and not after upTo; zero when there is none.
func (t Timetable) Last(after, upTo time.Time) time.Time {
	for _, span := range lookBack {
		if from := upTo.Add(-span); from.After(after) {
			if slot := t.lastFrom(from, upTo); !slot.IsZero() {
				return slot
			}
		}
	}
	return t.lastFrom(after, upTo)
}

func (t Timetable) lastFrom(after, upTo time.Time) (last time.Time) {
	if t.every > 0 && upTo.Sub(after) > 2*t.every && !upTo.Before(t.start) {
		after = upTo.Add(-2 * t.every)
	}
	for slot := t.Next(after); !slot.IsZero() && !slot.After(upTo); slot = t.Next(slot) {
		last = slot
	}
	return last
}

// Due is when a host begins the run of a slot: the slot and the host's splay. It comes before the next slot.
func (t Timetable) Due(slot time.Time, plan fleet.PlanID, host fleet.HostID) time.Time {
	room := t.splay
	if next := t.Next(slot); !next.IsZero() {
		room = min(room, next.Sub(slot)/2)
	}
	if room <= 0 {
		return slot
	}
	sum := fnv.New64a()
	sum.Write([]byte(string(plan) + "\x00" + string(host)))
	return slot.Add(time.Duration(sum.Sum64() % uint64(room))).Truncate(time.Millisecond)
}

// Of how far apart slots are, this part is the splay by default, and this the most of it.
const (
	splayPart       = 10
	maxDefaultSplay = 10 * time.Minute
)

// DefaultSplay is the splay of a schedule whose user named none: the hosts of a plan do not all come at once to its repository.
func (t Timetable) DefaultSplay(now time.Time) time.Duration {
	slots := t.NextN(now, 2)
	if len(slots) < 2 {
		return maxDefaultSplay
	}
	return min(slots[1].Sub(slots[0])/splayPart, maxDefaultSplay).Truncate(time.Second)
}

// wallOf is what the clock on the wall shows, as if it were UTC.
func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instant is when a clock in zone shows wall: the first time if it does so twice, and the end of the gap if it never does.
func instant(wall time.Time, zone *time.Location) time.Time {
	const day = 24 * time.Hour // no zone jumps twice in two of them
	before, after := wall.Add(-offsetAt(wall.Add(-day), zone)), wall.Add(-offsetAt(wall.Add(day), zone))
	if before.After(after) { // the offset grows somewhere here: clocks go forward
		switch {
		case wallOf(after.In(zone)).Equal(wall):
			return after
		case wallOf(before.In(zone)).Equal(wall):
			return before
		}
		start, _ := before.In(zone).ZoneBounds()
		return start
	}
	if wallOf(before.In(zone)).Equal(wall) {
		return before
	}
	return after
}

func offsetAt(t time.Time, zone *time.Location) time.Duration {
	_, offset := t.In(zone).Zone()
	return time.Duration(offset) * time.Second
}
