package vm

import (
	"slices"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// HostRuns is how many backups the strip of a host's page shows.
const HostRuns = 60

// Host is the page of one host.
type Host struct {
	Jobs      *Jobs      // of the host
	Snapshots *Snapshots // of the host

	m    *model.Fleet
	id   fleet.HostID
	runs List[model.Mark]
}

// NewHost makes the page.
func NewHost(m *model.Fleet, id fleet.HostID) *Host {
	v := &Host{m: m, id: id, Jobs: NewJobs(m, JobsFilter{Host: id})}
	v.Snapshots = NewSnapshots(m, SnapshotsFilter{Host: id})
	return v
}

// HostChange says what to refresh.
type HostChange struct {
	Page      bool // everything about the host but the two lists
	Live      bool // figures of what runs on it
	Jobs      Refresh
	Snapshots Refresh
}

// Update takes a change of the model.
func (v *Host) Update(c model.Change) HostChange {
	if c.All || slices.ContainsFunc(c.Ended, func(id fleet.JobID) bool { j := v.m.Job(id); return j != nil && j.HostID == v.id }) {
		v.runs.Again()
	}
	out := HostChange{Page: c.All || slices.Contains(c.Hosts, v.id) || len(c.Plans)+len(c.Repositories) > 0 || c.Identity, Jobs: v.Jobs.Update(c), Snapshots: v.Snapshots.Update(c)}
	if j := v.m.Active(v.id); j != nil {
		out.Live = slices.Contains(c.Progress, j.ID)
	}
	return out
}

// Face tells which face the page shows: Failed also when the host is gone, see Gone.
func (v *Host) Face() Face {
	if v.Gone() {
		return Failed
	}
	return FaceOf(v.m, 1, 1)
}

// Gone tells whether the daemon knows no such host.
func (v *Host) Gone() bool { return v.m.Listed() && v.m.Host(v.id) == nil }

// Row gives what the table of hosts shows of it.
func (v *Host) Row() HostRow {
	r, _ := hostRow(v.m, v.id)
	return r
}

// HostDetails is what only the host's page shows.
type HostDetails struct {
	Hostname    string
	AgentID     fleet.AgentID
	RestoreRoot string
	SealingKey  string // credentials for this host are sealed to it
	EnrolledAt  time.Time
	ClockSkew   time.Duration // its clock minus the daemon's
	Issues      []AttentionRow
	Plans       []HostPlan
	Secrets     []HostSecret
}

// HostPlan is a plan of the host.
type HostPlan struct {
	ID           fleet.PlanID
	Name         string
	RepositoryID fleet.RepositoryID
	Repository   string
	Paths        []string
	Excludes     []string
	Secret       bool        // the host holds the repository's password
	Newest       *model.Mark // its newest backup that was not cancelled; nil: none is known
}

// HostSecret is a repository whose password the host holds.
type HostSecret struct {
	RepositoryID fleet.RepositoryID
	Repository   string // "": the repository is gone
	Used         bool   // a plan of the host needs it
}

// Details gives it.
func (v *Host) Details() HostDetails {
	h := v.m.Host(v.id)
	if h == nil {
		return HostDetails{}
	}
	d := HostDetails{Hostname: field(h.Hostname), AgentID: h.AgentID, RestoreRoot: field(h.RestoreRoot), SealingKey: h.SealingKey, EnrolledAt: h.EnrolledAt,
		ClockSkew: time.Duration(h.ClockSkewMS) * time.Millisecond}
	for _, i := range v.m.Issues(v.id) {
		d.Issues = append(d.Issues, attentionRow(v.m, v.id, i, 0))
	}
	used := map[fleet.RepositoryID]bool{}
	for _, p := range v.m.PlansOf(v.id) {
		used[p.RepositoryID] = true
		row := HostPlan{ID: p.ID, Name: field(p.Name), RepositoryID: p.RepositoryID, Repository: repositoryOf(v.m, p.RepositoryID), Paths: fields(p.Backup.Paths),
			Excludes: fields(p.Backup.Excludes), Secret: slices.Contains(h.Secrets, p.RepositoryID)}
		if mark, ok := newestOfPlan(v.m, v.id, p.ID); ok {
			row.Newest = &mark
		}
		d.Plans = append(d.Plans, row)
	}
	for _, id := range h.Secrets {
		d.Secrets = append(d.Secrets, HostSecret{id, repositoryOf(v.m, id), used[id]})
	}
	return d
}

// repositoryOf is the name of a repository, "" when it is gone.
func repositoryOf(m *model.Fleet, id fleet.RepositoryID) string {
	if r := m.Repository(id); r != nil {
		return field(r.Name)
	}
	return ""
}

// newestOfPlan gives the newest backup of a host by a plan that was not cancelled. Where the daemon's mark does not tell the plan, it
// is the only one of the host.
func newestOfPlan(m *model.Fleet, host fleet.HostID, plan fleet.PlanID) (model.Mark, bool) {
	only := len(m.PlansOf(host)) == 1
	for _, mark := range slices.Backward(m.Marks(host)) {
		if mark.State != fleet.StateCancelled && (mark.PlanID == plan || mark.PlanID == "" && only) {
			return mark, true
		}
	}
	return model.Mark{}, false
}

// Active gives the job that runs on the host, or waits there; nil when none does.
func (v *Host) Active() *JobRow {
	j := v.m.Active(v.id)
	if j == nil {
		return nil
	}
	r := jobRow(v.m, j)
	return &r
}

// RunsQuery gives the query for the strip, once: carry it out with Daemon.Jobs and hand the answer to TookRuns.
func (v *Host) RunsQuery() (apiclient.JobFilter, bool) {
	if !v.m.Listed() || v.Gone() || !v.runs.Ask() {
		return apiclient.JobFilter{}, false
	}
	return apiclient.JobFilter{Host: string(v.id), Kind: fleet.KindBackup, Limit: HostRuns}, true
}

// TookRuns takes the answer.
func (v *Host) TookRuns(page api.Page[fleet.Job], err error) {
	var marks []model.Mark
	for i := range page.Items {
		if m, ok := model.MarkOf(&page.Items[i]); ok {
			marks = append(marks, m)
		}
	}
	v.runs.Took(marks, err)
}

// RunsErr is why the strip shows no more than the newest backups; RetryRuns lets RunsQuery ask again.
func (v *Host) RunsErr() error { return v.runs.Err() }

// RetryRuns forgets the error.
func (v *Host) RetryRuns() { v.runs.Again() }

// Runs gives the newest backups, at most HostRuns, the newest last. Before the answer to RunsQuery these are the ones that the host's
// row tells of.
func (v *Host) Runs() []model.Mark {
	marks := slices.Clone(v.m.Marks(v.id))
	known := map[fleet.JobID]bool{}
	for _, m := range marks {
		known[m.JobID] = true
	}
	for _, m := range v.runs.Items() {
		if !known[m.JobID] {
			marks = append(marks, m)
		}
	}
	slices.SortStableFunc(marks, func(a, b model.Mark) int { return a.At.Compare(b.At) })
	return marks[max(0, len(marks)-HostRuns):]
}

// RunsRate is the share of Runs that saved a snapshot.
func (v *Host) RunsRate() Rate {
	var c api.BackupCounts
	for _, m := range v.Runs() {
		switch {
		case m.Saved():
			c.Succeeded++
		case m.State != fleet.StateCancelled && m.State.Ended():
			c.Failed++
		}
	}
	return rateOf(c)
}

// SizePoint is how much a backup read, and added.
type SizePoint struct {
	At    time.Time
	Bytes int64
	Added int64
}

// Sizes gives the sizes of Runs that saved a snapshot, oldest first.
func (v *Host) Sizes() []SizePoint {
	var out []SizePoint
	for _, m := range v.Runs() {
		if m.Saved() && m.Bytes > 0 {
			out = append(out, SizePoint{m.At, m.Bytes, m.Added})
		}
	}
	return out
}

// HostActions says what may be done.
type HostActions struct {
	BackUp    bool // by one of its plans
	Browse    bool // its snapshots
	Restore   bool
	Secrets   bool // give or take repository passwords; the host has to be online
	Revoke    bool
	EnrolAnew bool
}

// Actions gives it.
func (v *Host) Actions() HostActions {
	h := v.m.Host(v.id)
	if h == nil {
		return HostActions{}
	}
	trusted := h.RevokedAt == nil
	operator, admin := v.m.May(fleet.RoleOperator), v.m.May(fleet.RoleAdmin)
	return HostActions{BackUp: operator && trusted && len(v.m.PlansOf(v.id)) > 0, Browse: true, Restore: operator && trusted, Secrets: operator && trusted && h.Online,
		Revoke: admin && trusted, EnrolAnew: admin}
}
