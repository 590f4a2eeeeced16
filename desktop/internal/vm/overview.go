package vm

import (
	"slices"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// OverviewDays is how many days the bars show.
const OverviewDays = 30

// How often the daemon is asked for the days: after a backup ended, and else.
const (
	askSoon  = 10 * time.Second
	askAgain = 5 * time.Minute
	askError = 30 * time.Second
)

// Overview is the first page: cards, bars, what needs attention, and the hosts.
type Overview struct {
	Hosts *Hosts

	m       *model.Fleet
	days    api.Overview
	have    bool
	err     error
	asked   time.Time
	loading bool
	stale   bool // a backup ended since the days were asked for
	load    []float64
}

// NewOverview makes the page.
func NewOverview(m *model.Fleet) *Overview { return &Overview{m: m, Hosts: NewHosts(m)} }

// Next gives which backups begin next by themselves.
func (v *Overview) Next(now time.Time) FleetNext { return v.Hosts.runs.OfFleet(now) }

// OverviewChange says what to refresh.
type OverviewChange struct {
	Cards     bool
	Attention bool
	Hosts     Refresh
}

// Update takes a change of the model.
func (v *Overview) Update(c model.Change) OverviewChange {
	v.stale = v.stale || len(c.Ended) > 0
	return OverviewChange{Cards: c.Rows() || len(c.Progress) > 0 || c.Connection, Attention: c.Rows(), Hosts: v.Hosts.Update(c)}
}

// Tick notes how fast the fleet reads. Call it once a second.
func (v *Overview) Tick() {
	v.load = append(v.load, v.speed())
	if more := len(v.load) - seriesLength; more > 0 {
		v.load = append(v.load[:0], v.load[more:]...)
	}
}

func (v *Overview) speed() float64 {
	total := 0.0
	for j := range v.m.OpenJobs() {
		if j.State == fleet.StateRunning {
			total += v.m.Speed(j.ID)
		}
	}
	return total
}

// Due tells whether the days should be asked for now; carry it out with Daemon.Overview(ctx, OverviewDays) and hand the answer to Took.
func (v *Overview) Due(now time.Time) bool {
	wait := askAgain
	switch {
	case v.loading || !v.m.Listed():
		return false
	case v.asked.IsZero():
		wait = 0
	case v.err != nil:
		wait = askError
	case v.stale:
		wait = askSoon
	}
	if now.Sub(v.asked) < wait {
		return false
	}
	v.loading, v.stale, v.asked = true, false, now
	return true
}

// Took takes the answer.
func (v *Overview) Took(o api.Overview, err error) {
	v.loading, v.err = false, err
	if err == nil {
		v.days, v.have = o, true
	}
}

// Retry lets Due ask at once.
func (v *Overview) Retry() { v.err, v.asked = nil, time.Time{} }

// Face tells which face the page shows; Empty when there is no host.
func (v *Overview) Face() Face { return FaceOf(v.m, len(v.m.Hosts()), len(v.m.Hosts())) }

// DaysFace tells which face the bars show.
func (v *Overview) DaysFace() (Face, error) {
	switch {
	case v.have:
		return Full, nil
	case v.err != nil:
		return Failed, v.err
	}
	return Loading, nil
}

// Rate is a share of backups that saved a snapshot. Cancelled ones do not count.
type Rate struct {
	Known bool // there were any
	Share float64
	Of    int64
}

func rateOf(c api.BackupCounts) Rate {
	all := c.Succeeded + c.Warning + c.Failed
	if all == 0 {
		return Rate{}
	}
	return Rate{true, float64(c.Succeeded+c.Warning) / float64(all), all}
}

// Cards are the figures on top. Those that come from the days are zero until DaysFace is Full.
type Cards struct {
	Totals     model.Totals
	Last24h    Rate
	WeekBefore Rate      // of the seven days before those
	RateByDay  []float64 // a day without backups is as the one before it
	SavedByDay []float64 // backups that saved a snapshot
	Added24h   int64     // bytes, as stored
	AddedByDay []float64
	Speed      float64   // bytes read a second by all that runs
	Load       []float64 // Speed, second by second, of the last five minutes at most
}

// Cards gives them.
func (v *Overview) Cards() Cards {
	c := Cards{Totals: v.m.Totals(), Last24h: rateOf(v.days.Last24h), WeekBefore: rateOf(v.days.WeekBefore), Added24h: v.days.Last24h.BytesAdded, Speed: v.speed(), Load: v.load}
	last := 1.0
	for _, d := range v.days.Days {
		if r := rateOf(d.BackupCounts); r.Known {
			last = r.Share
		}
		c.RateByDay = append(c.RateByDay, last)
		c.SavedByDay = append(c.SavedByDay, float64(d.Succeeded+d.Warning))
		c.AddedByDay = append(c.AddedByDay, float64(d.BytesAdded))
	}
	return c
}

// Bar is one day.
type Bar struct {
	Day time.Time // its beginning, UTC
	api.BackupCounts
}

// Bars gives the days, oldest first, and their sum. Nothing before DaysFace is Full.
func (v *Overview) Bars() (bars []Bar, sum api.BackupCounts) {
	for _, d := range v.days.Days {
		day, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			continue // not a day of this daemon
		}
		bars = append(bars, Bar{day, d.BackupCounts})
		sum.Succeeded += d.Succeeded
		sum.Warning += d.Warning
		sum.Failed += d.Failed
		sum.Cancelled += d.Cancelled
		sum.BytesAdded += d.BytesAdded
	}
	return bars, sum
}

// AttentionRow is a host that needs a person.
type AttentionRow struct {
	HostID     fleet.HostID
	Host       string
	Issue      model.Issue // the worst
	More       int         // further issues of the host
	Plan       string      // name of the issue's plan, where it has one
	Repository string      // name of the issue's repository, where it has one
	Message    string      // of the backup's outcome, where it is known
	Items      int64       // that could not be read, where it is known
}

// Attention gives the first n hosts that need a person, the worst first, and how many there are; 0 gives all.
func (v *Overview) Attention(n int) (rows []AttentionRow, all int) { return attention(v.m, n) }

func attention(m *model.Fleet, n int) ([]AttentionRow, int) {
	list := m.Attention()
	shown := list
	if n > 0 {
		shown = list[:min(n, len(list))]
	}
	rows := make([]AttentionRow, 0, len(shown))
	for _, a := range shown {
		rows = append(rows, attentionRow(m, a.HostID, a.Worst(), len(a.Issues)-1))
	}
	return rows, len(list)
}

func attentionRow(m *model.Fleet, host fleet.HostID, i model.Issue, more int) AttentionRow {
	r := AttentionRow{HostID: host, Issue: i, More: more}
	if h := m.Host(host); h != nil {
		r.Host = field(h.Name)
	}
	if p := m.Plan(i.PlanID); p != nil {
		r.Plan = field(p.Name)
	}
	if repo := m.Repository(i.RepositoryID); repo != nil {
		r.Repository = field(repo.Name)
	}
	if j := m.Job(i.JobID); j != nil && j.Outcome != nil {
		r.Message, r.Items = field(j.Outcome.Message), j.Outcome.Errors
	}
	return r
}

// Revoked gives the hosts whose agents are not trusted any more, by name.
func Revoked(m *model.Fleet) []HostRow {
	var rows []HostRow
	for _, h := range m.Hosts() {
		if h.RevokedAt == nil {
			continue
		}
		if r, ok := hostRow(m, h.ID); ok {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b HostRow) int { return b.Revoked.Compare(a.Revoked) })
	return rows
}
