package model

import (
	"slices"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// Status says how a host's backups stand. Whether it is connected is another question: Host.Online.
type Status string

// The statuses. A running backup stands above all that came before it.
const (
	StatusRunning   Status = "running"   // a job runs on the host or waits there for its repository
	StatusFailed    Status = "failed"    // the newest backup failed, was interrupted or is lost
	StatusUnknown   Status = "unknown"   // contact was lost while a backup ran
	StatusWarning   Status = "warning"   // the newest backup is there but for some files
	StatusProtected Status = "protected" // it has a plan and the newest backup succeeded
	StatusWaiting   Status = "waiting"   // it has a plan and was never backed up
	StatusUnplanned Status = "unplanned" // it has no plan
	StatusRevoked   Status = "revoked"   // its agent is not trusted any more
)

// MaxMarks is how many backups a host's strip shows.
const MaxMarks = fleet.MaxBackupMarks

// Mark is one backup of a host, as its strip shows it. What is beyond the daemon's mark is known of the newer ones only.
type Mark struct {
	fleet.BackupMark
	PlanID     fleet.PlanID // "": no plan, or not known
	Reason     fleet.Reason
	Started    time.Time // zero: it never ran, or not known
	SnapshotID fleet.SnapshotID
	Files      int64
}

// host is a machine with what follows for it. row is nil while only jobs of it are known.
type host struct {
	row   *fleet.Host
	jobs  jobList
	open  jobList
	plans []*fleet.Plan // by name

	status Status
	marks  []Mark // newest last
	issues []Issue
	size   int64
	saved  time.Time // when the newest backup with a snapshot ended
}

func (f *Fleet) entry(id fleet.HostID) *host {
	h := f.hosts[id]
	if h == nil {
		h = &host{}
		f.hosts[id] = h
	}
	return h
}

// dropIdle removes an entry that stands for nothing.
func (f *Fleet) dropIdle(id fleet.HostID) {
	if h := f.hosts[id]; h != nil && h.row == nil && h.jobs.len() == 0 {
		delete(f.hosts, id)
	}
}

// touch notes that a host is to be derived anew.
func (f *Fleet) touch(id fleet.HostID, c *changes) {
	f.dirty[id] = struct{}{}
	add(&c.hosts, id)
}

func (f *Fleet) touchAll(ids []fleet.HostID, c *changes) {
	for _, id := range ids {
		f.touch(id, c)
	}
}

// settle derives what follows for every host that was touched.
func (f *Fleet) settle(c *changes) {
	if len(f.dirty) == 0 {
		return
	}
	byHost := f.plansByHost()
	for id := range f.dirty {
		if h := f.hosts[id]; h != nil && h.row != nil {
			h.plans = byHost(id)
			f.derive(h)
		}
	}
	clear(f.dirty)
	f.attention.drop()
	f.totals = nil
}

// plansByHost gives a look-up of the plans of a host. With many hosts to derive, one pass over the plans serves all.
func (f *Fleet) plansByHost() func(fleet.HostID) []*fleet.Plan {
	if len(f.dirty) < 8 {
		return func(id fleet.HostID) []*fleet.Plan {
			var out []*fleet.Plan
			for _, p := range f.Plans() {
				if slices.Contains(p.Hosts, id) {
					out = append(out, p)
				}
			}
			return out
		}
	}
	all := map[fleet.HostID][]*fleet.Plan{}
	for _, p := range f.Plans() {
		for _, id := range p.Hosts {
			if have := all[id]; len(have) == 0 || have[len(have)-1] != p {
				all[id] = append(have, p)
			}
		}
	}
	return func(id fleet.HostID) []*fleet.Plan { return all[id] }
}

func (f *Fleet) derive(h *host) {
	h.marks = marksOf(h)
	h.size, h.saved = 0, time.Time{}
	sized := map[fleet.PlanID]bool{}
	for _, m := range slices.Backward(h.marks) {
		if !m.Saved() {
			continue
		}
		if h.saved.IsZero() {
			h.saved, h.size = m.At, m.Bytes
			sized[m.PlanID] = true
		} else if m.PlanID != "" && len(h.plans) > 1 && !sized[m.PlanID] && hasPlan(h, m.PlanID) {
			sized[m.PlanID] = true
			h.size += m.Bytes
		}
	}
	if last := h.row.LastBackup; last != nil && last.At.After(h.saved) {
		h.saved, h.size = last.At, last.Bytes
	}
	h.status = statusOf(h)
	h.issues = issuesOf(h)
}

func hasPlan(h *host, id fleet.PlanID) bool {
	return slices.ContainsFunc(h.plans, func(p *fleet.Plan) bool { return p.ID == id })
}

// marksOf gives the newest backups of a host, newest last: those that the daemon notes, and where the job itself is known, what it
// says. A backup whose contact is lost has not ended and is among them.
func marksOf(h *host) []Mark {
	marks := make([]Mark, 0, 2*MaxMarks)
	for j := range h.jobs.newestFirst() {
		if m, ok := MarkOf(j); ok {
			if marks = append(marks, m); len(marks) == MaxMarks {
				break
			}
		}
	}
	known := len(marks)
	for _, m := range h.row.Backups {
		if !slices.ContainsFunc(marks[:known], func(k Mark) bool { return k.JobID == m.JobID }) {
			marks = append(marks, Mark{BackupMark: m})
		}
	}
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.At.Compare(b.At) })
	return marks[max(0, len(marks)-MaxMarks):]
}

// MarkOf gives the mark of a backup that has ended, or whose contact is lost; false for any other job.
func MarkOf(j *fleet.Job) (Mark, bool) {
	if j.Kind != fleet.KindBackup || !j.State.Ended() && j.State != fleet.StateUnknown {
		return Mark{}, false
	}
	short, ok := fleet.MarkOf(*j)
	if !ok {
		short = fleet.BackupMark{JobID: j.ID, State: j.State, At: j.UpdatedAt}
	}
	m := Mark{BackupMark: short, PlanID: j.PlanID}
	if j.StartedAt != nil {
		m.Started = *j.StartedAt
	}
	if o := j.Outcome; o != nil {
		m.Reason = o.Reason
		if s := o.Summary; s != nil && s.Backup != nil {
			m.SnapshotID, m.Files = s.Backup.SnapshotID, s.Backup.TotalFilesProcessed
		}
	}
	return m, true
}

func statusOf(h *host) Status {
	switch {
	case h.row.RevokedAt != nil:
		return StatusRevoked
	case h.active() != nil:
		return StatusRunning
	}
	newest, ok := decisive(h.marks)
	switch {
	case len(h.plans) == 0 && (!ok || newest.Saved()):
		return StatusUnplanned
	case !ok:
		return StatusWaiting
	}
	switch newest.State {
	case fleet.StateSucceeded:
		return StatusProtected
	case fleet.StateWarning:
		return StatusWarning
	case fleet.StateUnknown:
		return StatusUnknown
	}
	return StatusFailed
}

// decisive gives the newest mark that says something: a cancelled backup leaves things as they were.
func decisive(marks []Mark) (Mark, bool) {
	for _, m := range slices.Backward(marks) {
		if m.State != fleet.StateCancelled {
			return m, true
		}
	}
	return Mark{}, false
}

// protected tells whether the host has a plan and its newest backup is there.
func (h *host) protected() bool {
	m, ok := decisive(h.marks)
	return h.row.RevokedAt == nil && len(h.plans) > 0 && ok && m.Saved()
}

// active gives the job that runs on the host, else one that waits there for its repository, else nil. Jobs that wait for the host
// to come back do not count.
func (h *host) active() *fleet.Job {
	var waits *fleet.Job
	for j := range h.open.newestFirst() {
		switch j.State {
		case fleet.StateRunning:
			return j
		case fleet.StateAccepted:
			waits = j
		}
	}
	return waits
}

// Status gives how the backups of a host stand.
func (f *Fleet) Status(id fleet.HostID) Status {
	if h := f.hosts[id]; h != nil {
		return h.status
	}
	return ""
}

// Protected tells whether a host has a plan and its newest backup succeeded, or lacks only some files.
func (f *Fleet) Protected(id fleet.HostID) bool {
	h := f.hosts[id]
	return h != nil && h.row != nil && h.protected()
}

// Marks gives the newest backups of a host, at most MaxMarks, the newest last.
func (f *Fleet) Marks(id fleet.HostID) []Mark {
	if h := f.hosts[id]; h != nil {
		return h.marks
	}
	return nil
}

// Newest gives the newest backup of a host that was not cancelled, and false when there is none.
func (f *Fleet) Newest(id fleet.HostID) (Mark, bool) { return decisive(f.Marks(id)) }

// LastSaved tells when the newest backup of a host that left a snapshot ended; zero when there is none.
func (f *Fleet) LastSaved(id fleet.HostID) time.Time {
	if h := f.hosts[id]; h != nil {
		return h.saved
	}
	return time.Time{}
}

// Size gives how much the newest backups of a host read: one for each of its plans.
func (f *Fleet) Size(id fleet.HostID) int64 {
	if h := f.hosts[id]; h != nil {
		return h.size
	}
	return 0
}

// Active gives the job that runs on a host, else one that waits there for its repository, else nil.
func (f *Fleet) Active(id fleet.HostID) *fleet.Job {
	if h := f.hosts[id]; h != nil {
		return h.active()
	}
	return nil
}
