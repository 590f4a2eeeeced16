package vm

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
)

// HostScope is the coarse filter of the hosts.
type HostScope string

// The scopes. Revoked hosts are in ScopeRevoked only.
const (
	ScopeAll       HostScope = "all"
	ScopeAttention HostScope = "attention"
	ScopeRunning   HostScope = "running"
	ScopeOffline   HostScope = "offline"
	ScopeRevoked   HostScope = "revoked"
)

// HostColumn is what hosts can be ordered by.
type HostColumn string

// The columns.
const (
	HostByName   HostColumn = "name"
	HostByStatus HostColumn = "status" // the worst first
	HostByPlan   HostColumn = "plan"
	HostByBackup HostColumn = "backup" // the newest backup that left a snapshot
	HostBySize   HostColumn = "size"
	HostBySeen   HostColumn = "seen"
)

// Hosts is the table of hosts, on its own page and on the overview.
type Hosts struct {
	m      *model.Fleet
	runs   *Runs
	scope  HostScope
	text   string
	terms  terms
	column HostColumn
	desc   bool
	ids    []string
}

// NewHosts makes the table of all hosts, by name.
func NewHosts(m *model.Fleet) *Hosts {
	v := &Hosts{m: m, runs: NewRuns(m), scope: ScopeAll, column: HostByName}
	v.rebuild()
	return v
}

// HostRow is what the table shows of a host.
type HostRow struct {
	ID            string
	Name          string
	OS, Arch      string
	AgentVersion  string
	ResticVersion string // empty: none usable
	SecretStore   fleet.SecretStore
	Online        bool
	LastSeen      time.Time // zero: never
	Revoked       time.Time // zero: it is not
	Status        model.Status
	Issue         *model.Issue // the worst; nil: nothing is wrong
	Issues        int
	Marks         []model.Mark // the last backups, newest last
	Plans         []string     // names
	Saved         time.Time    // when the newest backup with a snapshot ended; zero: none is known
	Size          int64        // of the newest backups
	Job           *JobLine     // what runs on it or waits there; nil: nothing
}

// JobLine is a job that runs, in a row.
type JobLine struct {
	ID        fleet.JobID
	Kind      fleet.JobKind
	State     fleet.JobState
	Phase     fleet.Phase
	Counted   bool // Percent says something
	Percent   float64
	Speed     float64       // bytes a second
	Remaining time.Duration // 0: not known
}

// Face tells which face the page shows.
func (v *Hosts) Face() Face {
	return FaceOf(v.m, len(v.m.Hosts()), len(v.ids))
}

// IDs gives the rows in their order.
func (v *Hosts) IDs() []string { return v.ids }

// Scope, Text and Sort give what is set.
func (v *Hosts) Scope() HostScope { return v.scope }

// Text is the text filter.
func (v *Hosts) Text() string { return v.text }

// Sort is the order.
func (v *Hosts) Sort() (HostColumn, bool) { return v.column, v.desc }

// SetScope filters by scope.
func (v *Hosts) SetScope(s HostScope) Refresh {
	v.scope = s
	return v.rebuild()
}

// SetText filters by words in the host's name, host name, system and plans.
func (v *Hosts) SetText(text string) Refresh {
	v.text, v.terms = text, parseTerms(text)
	return v.rebuild()
}

// SetSort orders by a column.
func (v *Hosts) SetSort(c HostColumn, desc bool) Refresh {
	v.column, v.desc = c, desc
	return v.rebuild()
}

// Update takes a change of the model.
func (v *Hosts) Update(c model.Change) Refresh {
	switch {
	case c.Rows():
		return max(v.rebuild(), Cells)
	case len(c.Progress) > 0:
		return Cells
	case c.Connection && !v.m.Listed():
		return Rows // the face
	}
	return Nothing
}

// rebuild chooses and orders the rows anew. The model has them by name already.
func (v *Hosts) rebuild() Refresh {
	var ids []string
	for _, h := range v.m.Hosts() {
		if v.inScope(h) && v.matches(h) {
			ids = append(ids, string(h.ID))
		}
	}
	v.sort(ids)
	if slices.Equal(ids, v.ids) {
		return Nothing
	}
	v.ids = ids
	return Rows
}

// inScope tells whether a host is in the scope that is set. Revoked ones are in no other than theirs.
func (v *Hosts) inScope(h *fleet.Host) bool {
	if v.scope == ScopeRevoked || h.RevokedAt != nil {
		return v.scope == ScopeRevoked && h.RevokedAt != nil
	}
	switch v.scope {
	case ScopeAttention:
		return len(v.m.Issues(h.ID)) > 0
	case ScopeRunning:
		return v.m.Status(h.ID) == model.StatusRunning
	case ScopeOffline:
		return !h.Online
	}
	return true
}

func (v *Hosts) matches(h *fleet.Host) bool {
	if len(v.terms) == 0 {
		return true
	}
	text := []string{strings.ToLower(h.Name), strings.ToLower(h.Hostname), h.OS}
	for _, p := range v.m.PlansOf(h.ID) {
		text = append(text, strings.ToLower(p.Name))
	}
	return v.terms.match(text...)
}

var statusRank = map[model.Status]int{model.StatusFailed: 0, model.StatusUnknown: 1, model.StatusWarning: 2, model.StatusWaiting: 3,
	model.StatusUnplanned: 4, model.StatusRunning: 5, model.StatusProtected: 6, model.StatusRevoked: 7}

func (v *Hosts) sort(ids []string) {
	key := map[HostColumn]func(h *fleet.Host) int64{
		HostByStatus: func(h *fleet.Host) int64 { return int64(statusRank[v.m.Status(h.ID)]) },
		HostByBackup: func(h *fleet.Host) int64 { return instant(v.m.LastSaved(h.ID)) },
		HostBySize:   func(h *fleet.Host) int64 { return v.m.Size(h.ID) },
		HostBySeen:   func(h *fleet.Host) int64 { return instant(seen(h)) },
	}[v.column]
	switch {
	case key != nil:
		sortByKey(ids, v.desc, func(id string) int64 { return key(v.m.Host(fleet.HostID(id))) })
	case v.column == HostByPlan:
		slices.SortStableFunc(ids, func(a, b string) int { return ordered(model.CompareNames(v.firstPlan(a), v.firstPlan(b)), v.desc) })
	case v.desc:
		slices.Reverse(ids)
	}
}

// sortByKey orders ids by a number of each, and leaves those with the same number in their order.
func sortByKey(ids []string, desc bool, key func(string) int64) {
	type keyed struct {
		id string
		n  int64
	}
	all := make([]keyed, 0, len(ids))
	for _, id := range ids {
		all = append(all, keyed{id, key(id)})
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return ordered(cmp.Compare(a.n, b.n), desc) })
	for i := range all {
		ids[i] = all[i].id
	}
}

func ordered(c int, desc bool) int {
	if desc {
		return -c
	}
	return c
}

func (v *Hosts) firstPlan(id string) string {
	if plans := v.m.PlansOf(fleet.HostID(id)); len(plans) > 0 {
		return plans[0].Name
	}
	return "\uffff" // behind all names
}

// instant is a time to order by; none is before all.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func seen(h *fleet.Host) time.Time {
	if h.LastSeenAt == nil {
		return time.Time{}
	}
	return *h.LastSeenAt
}

// Row gives what to show of a host, and false when it is gone.
func (v *Hosts) Row(id string) (HostRow, bool) { return hostRow(v.m, fleet.HostID(id)) }

// Next gives what a host does next by itself.
func (v *Hosts) Next(id string, now time.Time) HostNext { return v.runs.OfHost(fleet.HostID(id), now) }

func hostRow(m *model.Fleet, id fleet.HostID) (HostRow, bool) {
	h := m.Host(id)
	if h == nil {
		return HostRow{}, false
	}
	r := HostRow{ID: string(id), Name: field(h.Name), OS: field(h.OS), Arch: field(h.Arch), AgentVersion: field(h.AgentVersion), ResticVersion: field(h.ResticVersion),
		SecretStore: h.SecretStore, Online: h.Online, LastSeen: seen(h), Status: m.Status(id), Marks: m.Marks(id), Saved: m.LastSaved(id), Size: m.Size(id),
		Job: jobLine(m, m.Active(id))}
	if h.RevokedAt != nil {
		r.Revoked = *h.RevokedAt
	}
	for _, p := range m.PlansOf(id) {
		r.Plans = append(r.Plans, field(p.Name))
	}
	if issues := m.Issues(id); len(issues) > 0 {
		worst := issues[0]
		r.Issue, r.Issues = &worst, len(issues)
	}
	return r, true
}

// jobLine gives the live figures of a job in a row, nil for none.
func jobLine(m *model.Fleet, j *fleet.Job) *JobLine {
	if j == nil {
		return nil
	}
	t := m.Track(j.ID)
	l := &JobLine{ID: j.ID, Kind: j.Kind, State: j.State, Counted: t.Counted()}
	l.Speed, _ = t.Speed()
	if p, ok := t.Progress(); ok {
		l.Phase, l.Percent = p.Phase, p.Percent
		l.Remaining = time.Duration(p.RemainingMS) * time.Millisecond
	}
	return l
}
