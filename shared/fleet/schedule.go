package fleet

import (
	"slices"
	"strings"
	"time"
)

// Bounds of a schedule.
const (
	MinEvery = time.Minute
	MaxEvery = 366 * 24 * time.Hour
	MaxSplay = 12 * time.Hour
	maxCron  = 256
)

// Schedule says when the backups of a plan begin by themselves, on each of its hosts by that host's own clock. Exactly one of Cron
// and EveryMS is set. Package schedule computes its slots.
type Schedule struct {
	Cron     string    `json:"cron,omitempty"`      // minute, hour, day of month, month, day of week, as in crontab(5); or @hourly, @daily, @weekly, @monthly, @yearly
	TimeZone string    `json:"time_zone,omitempty"` // of Cron, an IANA name such as Europe/Berlin; UTC when empty
	EveryMS  int64     `json:"every_ms,omitempty"`  // whole minutes, from MinEvery to MaxEvery
	Start    time.Time `json:"start,omitzero"`      // from which EveryMS counts
	SplayMS  int64     `json:"splay_ms"`            // a host begins up to so long after the slot, always equally long; never more than half the way to the next slot
	Paused   bool      `json:"paused,omitempty"`    // no slot counts while it is, and none of them is caught up later
}

// ScheduleUser is the name under which scheduled runs stand as begun; no user can have it.
const ScheduleUser = "schedule"

// Every is EveryMS as a duration.
func (s Schedule) Every() time.Duration { return time.Duration(s.EveryMS) * time.Millisecond }

// Splay is SplayMS as a duration.
func (s Schedule) Splay() time.Duration { return time.Duration(s.SplayMS) * time.Millisecond }

// Equal tells whether o has the same slots as s, begun at the same times.
func (s Schedule) Equal(o Schedule) bool {
	same := s.Start.Equal(o.Start)
	s.Start, o.Start = time.Time{}, time.Time{}
	return same && s == o
}

// Validate tells whether s is whole, except whether its cron expression and time zone mean something, which package schedule knows.
func (s Schedule) Validate() error {
	switch {
	case (s.Cron == "") == (s.EveryMS == 0):
		return invalid("A schedule has either a cron expression or an interval. Give one of them.")
	case len(s.Cron) > maxCron:
		return invalid("The cron expression is longer than %d bytes. Shorten it.", maxCron)
	case s.Cron == "" && s.TimeZone != "":
		return invalid("A time zone belongs to a cron expression; an interval has none. Leave it out.")
	case s.EveryMS != 0 && (s.Every() < MinEvery || s.EveryMS > MaxEvery.Milliseconds()):
		return invalid("The interval has to be from 1 minute to 366 days. Choose one in between.")
	case s.EveryMS%time.Minute.Milliseconds() != 0:
		return invalid("The interval has to be whole minutes. Round it.")
	case s.EveryMS != 0 && s.Start.IsZero():
		return invalid("An interval needs a start from which it counts. Give one.")
	case s.SplayMS < 0 || s.SplayMS > MaxSplay.Milliseconds():
		return invalid("The splay has to be from 0 to 12 hours. Choose one in between.")
	}
	return nil
}

// slotLayout is how a slot's instant stands in a job's id.
const slotLayout = "20060102T150405Z"

// slotPrefix begins the ids of scheduled runs.
const slotPrefix = "slot:"

// SlotID is the id of the job that runs a plan on a host for a slot, whoever fires it: "slot:<plan>:<host>:<UTC instant>".
func SlotID(plan PlanID, host HostID, slot time.Time) JobID {
	return JobID(slotPrefix + string(plan) + ":" + string(host) + ":" + slot.UTC().Format(slotLayout))
}

// Scheduled tells whether the job is a run of a schedule.
func (id JobID) Scheduled() bool { return strings.HasPrefix(string(id), slotPrefix) }

// Slot gives the plan, host and instant of a scheduled run; ok is false for any other job and for an id that is malformed.
func (id JobID) Slot() (plan PlanID, host HostID, slot time.Time, ok bool) {
	rest, found := strings.CutPrefix(string(id), slotPrefix)
	parts := strings.Split(rest, ":")
	if !found || len(parts) != 3 || !ValidID(parts[0]) || !ValidID(parts[1]) {
		return "", "", time.Time{}, false
	}
	at, err := time.Parse(slotLayout, parts[2])
	return PlanID(parts[0]), HostID(parts[1]), at, err == nil
}

// SlotSpec is the job of a slot: a backup of the plan p on one of its hosts.
func (p Plan) SlotSpec(repository RepositorySpec, host HostID, slot, now time.Time) JobSpec {
	b := p.Backup
	b.Tags = slices.Clone(b.Tags)
	return JobSpec{JobID: SlotID(p.ID, host, slot), Kind: KindBackup, PlanID: p.ID, Repository: repository, Backup: &b, CreatedAt: now.UTC()}
}
