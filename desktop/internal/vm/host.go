package vm

import (
	"slices"

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
	Next      *Runs

	m    *model.Fleet
	id   fleet.HostID
	runs List[model.Mark]
}

// NewHost makes the page.
func NewHost(m *model.Fleet, id fleet.HostID) *Host {
	v := &Host{m: m, id: id, Next: NewRuns(m), Jobs: NewJobs(m, JobsFilter{Host: id})}
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

// HostActions says what may be done.
type HostActions struct {
	BackUp    bool // by one of its plans
	EnrolAnew bool
}

// Actions gives it.
func (v *Host) Actions() HostActions {
	h := v.m.Host(v.id)
	if h == nil {
		return HostActions{}
	}
	return HostActions{BackUp: v.m.May(fleet.RoleOperator) && h.RevokedAt == nil && len(v.m.PlansOf(v.id)) > 0, EnrolAnew: v.m.May(fleet.RoleAdmin)}
}
