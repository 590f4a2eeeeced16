package vm

import (
	"slices"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Life is which of its four states the live page shows.
type Life string

// The lives. The job's state stands beside it.
const (
	LifeQueued  Life = "queued"  // it waits for its host or its repository
	LifeRunning Life = "running" // restic runs, or may well run while contact is lost
	LifeDone    Life = "done"    // it succeeded, perhaps with warnings
	LifeFailed  Life = "failed"  // it failed, was cancelled, interrupted or lost
)

// Job is the live page of one job: before it runs, while it runs, and ever after.
type Job struct {
	m    *model.Fleet
	id   fleet.JobID
	row  fleet.Job
	have bool // row holds
	link model.Connection

	track  model.Track
	taken  time.Time // when the newest figures came, by our clock
	series series
	phases phases
	log    LogFacts
}

// LogFacts is what is known of the job's log.
type LogFacts struct {
	First  int64 // number of the first line that came; 0: none came yet
	Last   int64 // number of the last line that is known to exist
	Stderr int64 // lines of restic's standard error among those that came
	Live   bool  // all lines known so far have come
	EOF    bool  // no line will come any more
}

// JobChange says what to refresh.
type JobChange struct {
	Row     bool // the header, the panel, the actions; look at everything
	Figures bool // percent, bytes, files, speed
	Steps   bool
	Link    bool
	Log     bool // LogFacts
}

// NewJob makes the page of a job. What the model knows of it is shown at once.
func NewJob(m *model.Fleet, id fleet.JobID) *Job {
	v := &Job{m: m, id: id}
	if j := m.Job(id); j != nil {
		v.row, v.have = *j, true
	}
	return v
}

// Take takes a batch of the job's stream.
func (v *Job) Take(b model.JobBatch, now time.Time) JobChange {
	var c JobChange
	if b.Job != nil {
		c.Row = v.takeRow(b.Job)
	}
	v.track.Past(b.Past)
	for _, p := range b.Past {
		v.series.add(p.At, p.BytesDone)
		c.Figures = true
	}
	for _, p := range b.Progress {
		c.Steps = v.takeProgress(p) || c.Steps
		c.Figures, v.taken = true, now
	}
	if b.AsOfSeq > v.log.Last || len(b.Lines) > 0 || b.Live || b.EOF {
		v.takeLog(b)
		c.Log = true
	}
	if b.Link != nil {
		v.link, c.Link = *b.Link, true
	}
	return c
}

// Update takes a change of the model: the watch may know the job's row earlier than its stream, and names may change.
func (v *Job) Update(c model.Change) JobChange {
	var out JobChange
	if j := v.m.Job(v.id); j != nil && (c.All || slices.Contains(c.Jobs, v.id)) {
		if c.Restored {
			v.row.Rev = 0
		}
		out.Row = v.takeRow(j)
	}
	out.Row = out.Row || c.All || v.have && slices.Contains(c.Hosts, v.row.HostID) || len(c.Plans)+len(c.Repositories) > 0 || c.Identity
	return out
}

// takeRow takes the job's row, unless a newer one is known.
func (v *Job) takeRow(j *fleet.Job) bool {
	if v.have && j.Rev < v.row.Rev {
		return false
	}
	v.row, v.have = *j, true
	return true
}

func (v *Job) takeProgress(p fleet.Progress) (moved bool) {
	if v.have && v.row.State.Ended() {
		return false
	}
	v.track.Take(v.row.Kind, p)
	v.series.add(p.At, p.BytesDone)
	return v.phases.take(p)
}

func (v *Job) takeLog(b model.JobBatch) {
	l := &v.log
	l.Last = max(l.Last, b.AsOfSeq, b.First+int64(len(b.Lines))-1)
	if len(b.Lines) > 0 && l.First == 0 {
		l.First = b.First
	}
	for i := range b.Lines {
		line := &b.Lines[i]
		if line.Stream == fleet.StreamErr {
			l.Stderr++
		}
		v.phases.line(line)
	}
	l.Live, l.EOF = l.Live || b.Live, l.EOF || b.EOF
}

// Face tells which face the page shows; Full once the job's row is known, whatever became of the connection since.
func (v *Job) Face() Face {
	switch {
	case v.have:
		return Full
	case v.link.Link == model.Lost && v.link.RetryAt.IsZero() || v.link.Link == model.SignedOut:
		return Failed
	}
	return Loading
}

// Err is why the face is Failed; fault.UnknownJob says that there is no such job.
func (v *Job) Err() error { return v.link.Err }

// Unknown tells whether the daemon does not know the job.
func (v *Job) Unknown() bool {
	code := fault.CodeOf(v.link.Err)
	return code == fault.UnknownJob || code == fault.NotFound
}

// Stale tells whether what is shown may be outdated: the stream is lost, and the job is not over with its log whole.
func (v *Job) Stale() bool {
	return v.have && !(v.row.State.Ended() && v.log.EOF) && (v.link.Link == model.Lost || v.link.Link == model.SignedOut)
}

// Log tells about the log.
func (v *Job) Log() LogFacts { return v.log }

// Row gives the job's row; nil while the page loads.
func (v *Job) Row() *fleet.Job {
	if !v.have {
		return nil
	}
	return &v.row
}

// Life tells which of its four states the page shows.
func (v *Job) Life() Life { return lifeOf(v.row.State) }

func lifeOf(s fleet.JobState) Life {
	switch s {
	case fleet.StateRunning, fleet.StateUnknown:
		return LifeRunning
	case fleet.StateSucceeded, fleet.StateWarning:
		return LifeDone
	case fleet.StateFailed, fleet.StateCancelled, fleet.StateLost, fleet.StateInterrupt:
		return LifeFailed
	}
	return LifeQueued
}

// JobHeader is what stands above everything else.
type JobHeader struct {
	ID             fleet.JobID
	Kind           fleet.JobKind
	State          fleet.JobState
	Life           Life
	Stopping       bool // a cancel was asked for and is not carried out yet
	HostID         fleet.HostID
	Host           string // its id when the host is gone
	HostKnown      bool
	HostOnline     bool
	PlanID         fleet.PlanID
	Plan           string // "": no plan, or one that is gone
	RepositoryID   fleet.RepositoryID
	Repository     string
	CreatedBy      string
	Scheduled      bool // a schedule began it, and nobody did
	Created        time.Time
	Started, Ended time.Time // zero: not yet
}

// Header gives it.
func (v *Job) Header() JobHeader { return jobHeader(v.m, &v.row) }

func jobHeader(m *model.Fleet, j *fleet.Job) JobHeader {
	h := JobHeader{ID: j.ID, Kind: j.Kind, State: j.State, Life: lifeOf(j.State), Stopping: j.CancelRequested && !j.State.Ended(), HostID: j.HostID,
		Host: string(j.HostID), PlanID: j.PlanID, RepositoryID: j.RepositoryID, CreatedBy: field(j.CreatedBy), Scheduled: j.CreatedBy == fleet.ScheduleUser, Created: j.CreatedAt}
	if host := m.Host(j.HostID); host != nil {
		h.Host, h.HostKnown, h.HostOnline = field(host.Name), true, host.Online
	}
	if p := m.Plan(j.PlanID); p != nil {
		h.Plan = field(p.Name)
	}
	h.Repository = field(repositoryName(m, j))
	if j.StartedAt != nil {
		h.Started = *j.StartedAt
	}
	if j.FinishedAt != nil {
		h.Ended = *j.FinishedAt
	}
	return h
}

// repositoryName is the name of a job's repository, or where it is when it is not known any more.
func repositoryName(m *model.Fleet, j *fleet.Job) string {
	if r := m.Repository(j.RepositoryID); r != nil {
		return r.Name
	}
	if j.Spec.Repository.URL != "" {
		return j.Spec.Repository.URL
	}
	return string(j.RepositoryID)
}

// JobActions says what may be done. What the daemon would refuse is not offered.
type JobActions struct {
	Cancel   bool
	RunAgain bool
	SaveLog  bool
}

// Actions gives it.
func (v *Job) Actions() JobActions {
	if !v.have {
		return JobActions{}
	}
	may := v.m.May(fleet.RoleOperator)
	host := v.m.Host(v.row.HostID)
	return JobActions{
		Cancel:   may && !v.row.State.Ended() && !v.row.CancelRequested,
		RunAgain: may && v.row.State.Ended() && host != nil && host.RevokedAt == nil && v.m.Repository(v.row.RepositoryID) != nil,
		SaveLog:  v.log.Last > 0 || v.row.Log.LastSeq > 0,
	}
}
