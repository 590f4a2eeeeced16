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

// JobScope is the coarse filter of the jobs.
type JobScope string

// The scopes.
const (
	JobsAll       JobScope = "all"
	JobsOpen      JobScope = "open" // not ended
	JobsFailed    JobScope = "failed"
	JobsWarning   JobScope = "warning"
	JobsSucceeded JobScope = "succeeded"
	JobsCancelled JobScope = "cancelled"
)

// scopeStates are the ended states of each scope; none means all.
var scopeStates = map[JobScope][]fleet.JobState{
	JobsFailed:  {fleet.StateFailed, fleet.StateInterrupt, fleet.StateLost},
	JobsWarning: {fleet.StateWarning}, JobsSucceeded: {fleet.StateSucceeded}, JobsCancelled: {fleet.StateCancelled},
}

// JobsFilter chooses jobs; zero members choose all.
type JobsFilter struct {
	Scope      JobScope // JobsAll when empty
	Kind       fleet.JobKind
	Host       fleet.HostID
	Plan       fleet.PlanID
	Repository fleet.RepositoryID
	Text       string // part of the name of the host, plan, repository or person; the beginning of an id
}

// Jobs is the list of jobs: those that have not ended on top, then the past. The newest of the past are known by the watch; older ones
// are read page by page, see More.
type Jobs struct {
	m      *model.Fleet
	filter JobsFilter
	open   []string
	past   []string
	older  pager[fleet.Job]
	byID   map[fleet.JobID]*fleet.Job // of older
	edge   time.Time                  // when the newest job was created that was known when the first page was asked for
}

// pageSize is how many rows are read at a time, and few how many are too few to leave it at.
const (
	pageSize  = 200
	few       = 50
	maxPaged  = 20_000 // rows read page by page; further back one filters
	textLimit = 256    // bytes of a text filter, as the daemon takes it
)

// NewJobs makes the list of the jobs that pass a filter.
func NewJobs(m *model.Fleet, f JobsFilter) *Jobs {
	v := &Jobs{m: m}
	v.SetFilter(f)
	return v
}

// Filter gives what is set.
func (v *Jobs) Filter() JobsFilter { return v.filter }

// SetFilter filters anew. Pages that were read for the filter before are forgotten.
func (v *Jobs) SetFilter(f JobsFilter) Refresh {
	if f.Scope == "" {
		f.Scope = JobsAll
	}
	if len(f.Text) > textLimit {
		f.Text = strings.ToValidUTF8(f.Text[:textLimit], "")
	}
	v.filter = f
	v.older.reset()
	v.byID = map[fleet.JobID]*fleet.Job{}
	return v.rebuild()
}

// JobsQuery asks for a page of jobs.
type JobsQuery struct {
	Filter apiclient.JobFilter
	gen    int
}

// More gives the query for the next page of the past, and false when there is none, or one is under way. Ask when the page opens, and
// when a person comes near the end of the rows; the query is to be carried out and handed to Took.
func (v *Jobs) More() (JobsQuery, bool) {
	if !v.older.next() || v.filter.Scope == JobsOpen || !v.m.Listed() {
		return JobsQuery{}, false
	}
	if !v.older.begun {
		v.edge = time.Time{}
		if j := v.m.NewestJob(); j != nil {
			v.edge = j.CreatedAt
		}
	}
	v.older.loading = true
	f := v.filter
	return JobsQuery{gen: v.older.gen, Filter: apiclient.JobFilter{States: scopeStates[f.Scope], Kind: f.Kind, Host: string(f.Host), Plan: string(f.Plan),
		Repository: string(f.Repository), Text: f.Text, Cursor: v.older.cursor, Limit: pageSize}}, true
}

// Short tells whether so few rows are there that the page should ask for More by itself.
func (v *Jobs) Short() bool { return v.filter.Scope != JobsOpen && v.older.short(len(v.past)) }

// Took takes the answer to a query.
func (v *Jobs) Took(q JobsQuery, page api.Page[fleet.Job], err error) Refresh {
	if !v.older.took(q.gen, page.Items, page.Next, err) {
		return Nothing
	}
	if err == nil && len(v.older.items) == len(page.Items) { // the first page
		v.byID = map[fleet.JobID]*fleet.Job{}
	}
	if err == nil {
		for i := range page.Items {
			v.byID[page.Items[i].ID] = &page.Items[i]
		}
	}
	v.rebuild()
	return Rows
}

// Loading tells whether a page of the past is on its way.
func (v *Jobs) Loading() bool { return v.older.loading }

// Complete tells whether there is nothing older.
func (v *Jobs) Complete() bool { return v.older.complete || v.filter.Scope == JobsOpen }

// Err is why the last page of the past did not come; Retry lets More ask again.
func (v *Jobs) Err() error { return v.older.err }

// Retry forgets the error.
func (v *Jobs) Retry() { v.older.err = nil }

// Face tells which face the page shows.
func (v *Jobs) Face() Face {
	n := len(v.open) + len(v.past)
	switch face := FaceOf(v.m, 1, 1); {
	case face != Full:
		return face
	case n > 0:
		return Full
	case v.older.err != nil:
		return Failed
	case !v.Complete():
		return Loading
	case v.filter == JobsFilter{Scope: JobsAll}:
		return Empty
	}
	return NoMatch
}

// Past gives the jobs that have ended, newest first.
func (v *Jobs) Past() []string { return v.past }

// IDs gives all rows in their order.
func (v *Jobs) IDs() []string { return slices.Concat(v.open, v.past) }

// Update takes a change of the model.
func (v *Jobs) Update(c model.Change) Refresh {
	switch {
	case v.holed():
		v.older.renew()
		v.rebuild()
		return Rows
	case c.Rows():
		return max(v.rebuild(), Cells)
	case len(c.Progress) > 0 && len(v.open) > 0:
		return Cells
	case c.Connection && !v.m.Listed():
		return Rows
	}
	return Nothing
}

// holed tells whether jobs may be missing between the pages that were read and what the model keeps: so many ended meanwhile that it
// does not reach back to them any more. The pages are then read anew.
func (v *Jobs) holed() bool {
	if !v.older.begun {
		return false
	}
	oldest := v.m.OldestEnded()
	return oldest != nil && oldest.CreatedAt.After(v.edge)
}

func (v *Jobs) job(id fleet.JobID) *fleet.Job {
	if j := v.m.Job(id); j != nil {
		return j
	}
	return v.byID[id]
}

var openRank = map[fleet.JobState]int{fleet.StateRunning: 0, fleet.StateUnknown: 1, fleet.StateAccepted: 2, fleet.StateDispatched: 3, fleet.StateQueued: 4}

func (v *Jobs) rebuild() Refresh {
	match := v.matcher()
	var open []*fleet.Job
	if v.filter.Scope == JobsAll || v.filter.Scope == JobsOpen {
		for j := range v.m.OpenJobs() {
			if match(j) {
				open = append(open, j)
			}
		}
		slices.SortStableFunc(open, func(a, b *fleet.Job) int { return cmp.Compare(openRank[a.State], openRank[b.State]) })
	}
	openIDs := make([]string, 0, len(open))
	for _, j := range open {
		openIDs = append(openIDs, string(j.ID))
	}
	past := v.pastIDs(match)
	if slices.Equal(openIDs, v.open) && slices.Equal(past, v.past) {
		return Nothing
	}
	v.open, v.past = openIDs, past
	return Rows
}

// pastIDs merges what the model knows with what was read page by page. Both are newest first and without holes from the newest on.
func (v *Jobs) pastIDs(match func(*fleet.Job) bool) []string {
	if v.filter.Scope == JobsOpen {
		return nil
	}
	older := v.older.shown()
	past := make([]string, 0, len(v.past)+8)
	take := func(j *fleet.Job) {
		if j.State.Ended() && match(j) {
			past = append(past, string(j.ID))
		}
	}
	for j := range v.m.Jobs() {
		for len(older) > 0 && model.CompareAge(&older[0], j) > 0 {
			if v.m.Job(older[0].ID) == nil {
				take(&older[0])
			}
			older = older[1:]
		}
		take(j)
	}
	for i := range older {
		if v.m.Job(older[i].ID) == nil {
			take(&older[i])
		}
	}
	return past
}

// matcher gives the filter as a function. Names are put into lower case once for each host, plan and repository.
func (v *Jobs) matcher() func(*fleet.Job) bool {
	f, states := v.filter, scopeStates[v.filter.Scope]
	text := strings.ToLower(strings.TrimSpace(f.Text))
	named := map[string]bool{}
	has := func(kind, id string, name func() string) bool {
		key := kind + id
		found, known := named[key]
		if !known {
			found = strings.Contains(strings.ToLower(name()), text)
			named[key] = found
		}
		return found
	}
	return func(j *fleet.Job) bool {
		switch {
		case f.Kind != "" && j.Kind != f.Kind, f.Host != "" && j.HostID != f.Host, f.Plan != "" && j.PlanID != f.Plan, f.Repository != "" && j.RepositoryID != f.Repository:
			return false
		case len(states) > 0 && !slices.Contains(states, j.State):
			return false
		case text == "":
			return true
		}
		return has("h", string(j.HostID), func() string { return v.hostName(j.HostID) }) || has("u", j.CreatedBy, func() string { return j.CreatedBy }) ||
			has("p", string(j.PlanID), func() string { return v.planName(j.PlanID) }) ||
			has("r", string(j.RepositoryID), func() string { return repositoryName(v.m, j) }) || strings.HasPrefix(strings.ToLower(string(j.ID)), text)
	}
}

func (v *Jobs) hostName(id fleet.HostID) string {
	if h := v.m.Host(id); h != nil {
		return h.Name
	}
	return ""
}

func (v *Jobs) planName(id fleet.PlanID) string {
	if p := v.m.Plan(id); p != nil {
		return p.Name
	}
	return ""
}

// JobRow is what the list shows of a job.
type JobRow struct {
	JobHeader
	Reason   fleet.Reason
	Line     *JobLine      // while it has not ended
	Duration time.Duration // of the run; 0: not known
	Bytes    int64         // read, or restored
	Added    int64         // added to the repository, packed
	Files    int64
	Errors   int64 // items
}

// Row gives what to show of a job, and false when it is not known any more.
func (v *Jobs) Row(id string) (JobRow, bool) {
	j := v.job(fleet.JobID(id))
	if j == nil {
		return JobRow{}, false
	}
	return jobRow(v.m, j), true
}

func jobRow(m *model.Fleet, j *fleet.Job) JobRow {
	r := JobRow{JobHeader: jobHeader(m, j)}
	if !j.State.Ended() {
		r.Line = jobLine(m, j)
		return r
	}
	r.Duration = between(r.Started, r.Ended)
	o := j.Outcome
	if o == nil {
		return r
	}
	r.Reason, r.Errors = o.Reason, o.Errors
	switch s := o.Summary; {
	case s == nil:
	case s.Backup != nil:
		r.Bytes, r.Added, r.Files = s.Backup.TotalBytesProcessed, s.Backup.DataAddedPacked, s.Backup.TotalFilesProcessed
	case s.Restore != nil:
		r.Bytes, r.Files = s.Restore.BytesRestored, s.Restore.FilesRestored
	}
	return r
}
