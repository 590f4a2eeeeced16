package apitest

import (
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// AddJob stores a job as it is.
func (s *Server) AddJob(j fleet.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addLocked(j)
}

func (s *Server) addLocked(j fleet.Job) {
	s.jobs[j.ID] = &job{Job: j}
	s.order = append(s.order, j.ID)
	s.touchLocked(s.jobs[j.ID])
}

func (s *Server) touchLocked(j *job) {
	j.Rev = int64(len(s.rows)) + 1
	copied := j.Job
	s.changedLocked(api.Row{Kind: "job", ID: string(j.ID), Job: &copied})
}

// StartJob marks a job as running.
func (s *Server) StartJob(id fleet.JobID, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	j.State, j.StartedAt, j.started = fleet.StateRunning, &at, true
	s.touchLocked(j)
}

// Append adds lines to the log of a job.
func (s *Server) Append(id fleet.JobID, lines ...fleet.LogLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	for _, l := range lines {
		j.lines = append(j.lines, l)
		j.pos = j.pos.Add(l)
	}
	j.Log = j.pos
	s.ringLocked()
}

// Progress sets the progress of a job.
func (s *Server) Progress(id fleet.JobID, p fleet.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[id].progress = &p
	s.ringLocked()
}

// Finish ends a job and seals its log.
func (s *Server) Finish(id fleet.JobID, o fleet.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	j.State, j.Outcome, j.LogSealed = o.State, &o, true
	j.FinishedAt = &o.FinishedAt
	s.touchLocked(j)
}

// SetState puts a job into a state without an outcome.
func (s *Server) SetState(id fleet.JobID, state fleet.JobState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[id].State = state
	s.touchLocked(s.jobs[id])
}

// Job gives a job, and false when there is none.
func (s *Server) Job(id fleet.JobID) (fleet.Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[id]
	if !ok {
		return fleet.Job{}, false
	}
	return j.Job, true
}

// Jobs tells how many jobs there are.
func (s *Server) Jobs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs)
}

// newJob queues what a request asked for. A known key gives the job it made before.
func (s *Server) newJob(host fleet.Host, r api.JobRequest, key string) fleet.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.keys[key]; ok && key != "" {
		return s.jobs[id].Job
	}
	now := time.Now().UTC()
	j := fleet.Job{ID: fleet.JobID(fmt.Sprintf("01JTEST%019d", len(s.order)+1)), HostID: host.ID, Kind: r.Kind, State: fleet.StateQueued,
		CreatedBy: "admin", CreatedAt: now, UpdatedAt: now, RepositoryID: s.repositoryLocked(r.Repository).ID}
	for _, p := range s.Plans {
		if r.Plan != "" && (p.Name == r.Plan || string(p.ID) == r.Plan) {
			j.PlanID, j.RepositoryID = p.ID, p.RepositoryID
		}
	}
	j.Spec = fleet.JobSpec{JobID: j.ID, Kind: r.Kind, PlanID: j.PlanID, Repository: s.repositoryLocked(string(j.RepositoryID)).Spec()}
	switch r.Kind {
	case fleet.KindBackup:
		j.Spec.Backup = &fleet.BackupSpec{Paths: r.Paths, Excludes: r.Excludes, Tags: r.Tags, Verbose: r.Verbose}
	case fleet.KindRestore:
		j.Spec.Restore = &fleet.RestoreSpec{SnapshotID: fleet.SnapshotID(r.Snapshot), Includes: r.Includes, Folder: r.Folder}
	case fleet.KindCheck:
		j.Spec.Check = &fleet.CheckSpec{ReadData: r.ReadData}
	}
	s.keys[key] = j.ID
	s.addLocked(j)
	if s.OnJob != nil {
		started := s.jobs[j.ID].Job
		s.wg.Go(func() { s.OnJob(s, started) })
	}
	return s.jobs[j.ID].Job
}

func (s *Server) repositoryLocked(idOrName string) fleet.Repository {
	for _, r := range s.Repositories {
		if string(r.ID) == idOrName || r.Name == idOrName {
			return r
		}
	}
	return fleet.Repository{}
}
