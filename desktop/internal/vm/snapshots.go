package vm

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// Tags that Backstay gives to snapshots.
const (
	tagJob  = "job:"
	tagPlan = "plan:"
)

// SnapshotsFilter chooses snapshots; zero members choose all.
type SnapshotsFilter struct {
	Repository fleet.RepositoryID
	Host       fleet.HostID
	Plan       fleet.PlanID
	Tag        string
	Text       string // words in paths, tags, host names; the beginning of an id
}

// Snapshots is the list of snapshots, newest first. It comes page by page; what backups save meanwhile is added as it comes.
type Snapshots struct {
	m      *model.Fleet
	filter SnapshotsFilter
	terms  terms
	pages  pager[fleet.Snapshot]
	rows   map[string]*fleet.Snapshot
	ids    []string
	fresh  []fleet.Snapshot // saved since the first page was asked for
}

// NewSnapshots makes the list.
func NewSnapshots(m *model.Fleet, f SnapshotsFilter) *Snapshots {
	v := &Snapshots{m: m}
	v.SetFilter(f)
	return v
}

// Filter gives what is set.
func (v *Snapshots) Filter() SnapshotsFilter { return v.filter }

// SetFilter filters anew. Only another text keeps the pages that were read.
func (v *Snapshots) SetFilter(f SnapshotsFilter) Refresh {
	old := v.filter
	old.Text = f.Text
	if old != f || v.rows == nil {
		v.pages.reset()
		v.fresh = nil
	}
	v.filter, v.terms = f, parseTerms(f.Text)
	return v.rebuild()
}

// SnapshotsQuery asks for a page of snapshots.
type SnapshotsQuery struct {
	Filter apiclient.SnapshotFilter
	gen    int
}

// More gives the query for the next page, and false when there is none, or one is under way. Carry it out with Daemon.Snapshots and
// hand the answer to Took.
func (v *Snapshots) More() (SnapshotsQuery, bool) {
	f := v.filter
	if !v.m.Listed() || !v.pages.next() || f.Host != "" && v.m.Host(f.Host) == nil {
		return SnapshotsQuery{}, false
	}
	v.pages.loading = true
	q := SnapshotsQuery{gen: v.pages.gen, Filter: apiclient.SnapshotFilter{Repository: string(f.Repository), Tag: f.Tag, Cursor: v.pages.cursor, Limit: pageSize}}
	if h := v.m.Host(f.Host); h != nil {
		q.Filter.Hostname = h.Hostname
	}
	if f.Plan != "" && f.Tag == "" {
		q.Filter.Tag = tagPlan + string(f.Plan)
	}
	return q, true
}

// Short tells whether so few rows are there that the page should ask for More by itself.
func (v *Snapshots) Short() bool { return v.pages.short(len(v.ids)) }

// Took takes the answer to a query.
func (v *Snapshots) Took(q SnapshotsQuery, page api.Page[fleet.Snapshot], err error) Refresh {
	if !v.pages.took(q.gen, page.Items, page.Next, err) {
		return Nothing
	}
	if err == nil && len(v.pages.items) == len(page.Items) { // the first page has what was saved meanwhile
		v.fresh = nil
	}
	v.rebuild()
	return Rows
}

// Loading tells whether a page is on its way.
func (v *Snapshots) Loading() bool { return v.pages.loading }

// Complete tells whether everything was read.
func (v *Snapshots) Complete() bool { return v.pages.complete }

// Err is why the last page did not come; Retry lets More ask again.
func (v *Snapshots) Err() error { return v.pages.err }

// Retry forgets the error.
func (v *Snapshots) Retry() { v.pages.err = nil }

// Face tells which face the page shows.
func (v *Snapshots) Face() Face {
	switch face := FaceOf(v.m, 1, 1); {
	case face != Full:
		return face
	case len(v.ids) > 0:
		return Full
	case v.pages.err != nil:
		return Failed
	case !v.pages.complete:
		return Loading
	case v.filter == SnapshotsFilter{}:
		return Empty
	}
	return NoMatch
}

// IDs gives the rows, newest first.
func (v *Snapshots) IDs() []string { return v.ids }

// Update takes a change of the model: a backup that ended may have saved a snapshot.
func (v *Snapshots) Update(c model.Change) Refresh {
	added := false
	for _, id := range c.Ended {
		if s, ok := v.savedBy(v.m.Job(id)); ok && v.pages.begun && v.passes(&s) {
			v.fresh, added = append(v.fresh, s), true
		}
	}
	switch {
	case c.All && v.pages.begun: // backups may have ended that nobody saw running
		v.pages.renew()
		v.rebuild()
		return Rows
	case added:
		return max(v.rebuild(), Cells)
	case c.All || len(c.Plans)+len(c.Repositories) > 0, c.Connection && !v.m.Listed():
		return Cells
	}
	return Nothing
}

// savedBy is the snapshot that a job saved, as the daemon notes it.
func (v *Snapshots) savedBy(j *fleet.Job) (fleet.Snapshot, bool) {
	if j == nil || j.Outcome == nil || j.Outcome.Summary == nil || j.Outcome.Summary.Backup == nil || j.Outcome.Summary.Backup.SnapshotID == "" || j.Spec.Backup == nil {
		return fleet.Snapshot{}, false
	}
	b := j.Outcome.Summary.Backup
	s := fleet.Snapshot{ID: b.SnapshotID, RepositoryID: j.RepositoryID, Time: j.Outcome.StartedAt, Paths: j.Spec.Backup.Paths, Tags: append(slices.Clone(j.Spec.Backup.Tags), tagJob+string(j.ID)),
		JobID: j.ID, FilesProcessed: b.TotalFilesProcessed, BytesProcessed: b.TotalBytesProcessed, BytesAdded: b.DataAddedPacked}
	if j.PlanID != "" {
		s.Tags = append(s.Tags, tagPlan+string(j.PlanID))
	}
	if h := v.m.Host(j.HostID); h != nil {
		s.Hostname = h.Hostname
	}
	return s, true
}

// passes tells whether a snapshot passes all of the filter but its text.
func (v *Snapshots) passes(s *fleet.Snapshot) bool {
	f := v.filter
	if h := v.m.Host(f.Host); h != nil && s.Hostname != h.Hostname {
		return false
	}
	return (f.Repository == "" || s.RepositoryID == f.Repository) && (f.Tag == "" || slices.Contains(s.Tags, f.Tag)) &&
		(f.Plan == "" || slices.Contains(s.Tags, tagPlan+string(f.Plan)))
}

func (v *Snapshots) rebuild() Refresh {
	rows := map[string]*fleet.Snapshot{}
	var all []*fleet.Snapshot
	for _, list := range [][]fleet.Snapshot{v.pages.shown(), v.fresh} {
		for i := range list {
			s := &list[i]
			if key := snapshotKey(s); rows[key] == nil && v.passes(s) && v.matches(s) {
				rows[key] = s
				all = append(all, s)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *fleet.Snapshot) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.ID, b.ID)) })
	ids := make([]string, 0, len(all))
	for _, s := range all {
		ids = append(ids, snapshotKey(s))
	}
	same := slices.Equal(ids, v.ids)
	v.rows, v.ids = rows, ids
	if same {
		return Nothing
	}
	return Rows
}

// snapshotKey names a snapshot: a copied one has the same id in two repositories.
func snapshotKey(s *fleet.Snapshot) string { return string(s.RepositoryID) + "/" + string(s.ID) }

func (v *Snapshots) matches(s *fleet.Snapshot) bool {
	if len(v.terms) == 0 {
		return true
	}
	if len(v.terms) == 1 && strings.HasPrefix(string(s.ID), v.terms[0]) {
		return true
	}
	text := []string{strings.ToLower(s.Hostname)}
	for _, list := range [][]string{s.Paths, s.Tags} {
		for _, t := range list {
			text = append(text, strings.ToLower(t))
		}
	}
	return v.terms.match(text...)
}

// SnapshotRow is what the list shows of a snapshot.
type SnapshotRow struct {
	Key          string // of the row
	ID           fleet.SnapshotID
	Short        string // the eight digits that restic shows
	Time         time.Time
	Hostname     string
	HostID       fleet.HostID // "": no host of the fleet has this name
	User         string
	RepositoryID fleet.RepositoryID
	Repository   string
	PlanID       fleet.PlanID
	Plan         string
	JobID        fleet.JobID
	Paths        []string
	Tags         []string // those of people; Backstay's own are told by Plan and JobID
	Program      string
	Files        int64
	Bytes        int64 // read
	Added        int64 // as stored
}

// Row gives what to show of a snapshot, and false when it is not in the list.
func (v *Snapshots) Row(key string) (SnapshotRow, bool) {
	s := v.rows[key]
	if s == nil {
		return SnapshotRow{}, false
	}
	r := SnapshotRow{Key: key, ID: s.ID, Short: field(string(s.ID[:min(8, len(s.ID))])), Time: s.Time, Hostname: field(s.Hostname), User: field(s.Username), RepositoryID: s.RepositoryID,
		Repository: repositoryOf(v.m, s.RepositoryID), JobID: s.JobID, Paths: fields(s.Paths), Program: field(s.ProgramVersion), Files: s.FilesProcessed, Bytes: s.BytesProcessed, Added: s.BytesAdded}
	for _, t := range s.Tags {
		switch plan, ok := strings.CutPrefix(t, tagPlan); {
		case ok:
			r.PlanID = fleet.PlanID(plan)
		case !strings.HasPrefix(t, tagJob):
			r.Tags = append(r.Tags, field(t))
		}
	}
	if p := v.m.Plan(r.PlanID); p != nil {
		r.Plan = field(p.Name)
	}
	r.HostID = v.hostOf(s)
	return r, true
}

// hostOf finds the host that made a snapshot: by the job where it is known, else by its host name where only one host has it.
func (v *Snapshots) hostOf(s *fleet.Snapshot) fleet.HostID {
	if j := v.m.Job(s.JobID); j != nil {
		return j.HostID
	}
	if h := v.m.Host(v.filter.Host); h != nil && h.Hostname == s.Hostname {
		return h.ID
	}
	var found fleet.HostID
	for _, h := range v.m.Hosts() {
		if h.Hostname != s.Hostname {
			continue
		}
		if found != "" {
			return ""
		}
		found = h.ID
	}
	return found
}
