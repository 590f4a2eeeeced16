package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// AgentJob gives a job if it belongs to the host, and fault.UnknownJob otherwise.
func (s *Service) AgentJob(ctx context.Context, host fleet.HostID, id fleet.JobID) (fleet.Job, error) {
	j, err := s.agentJob(ctx, host, id)
	return j.Job, err
}

func (s *Service) agentJob(ctx context.Context, host fleet.HostID, id fleet.JobID) (j JobRecord, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		j, err = jobOfHost(ctx, r, host, id)
		return err
	})
	return j, err
}

func jobOfHost(ctx context.Context, r JobReader, host fleet.HostID, id fleet.JobID) (JobRecord, error) {
	j, err := findJob(ctx, r, id)
	if err == nil && j.HostID != host {
		return JobRecord{}, fault.New(fault.UnknownJob, "Job %s is not one of this host.", shown(string(id)))
	}
	return j, err
}

// changeJob runs fn on a job of the host in one transaction; put says whether fn changed it. Readers of the job are rung.
func (s *Service) changeJob(ctx context.Context, host fleet.HostID, id fleet.JobID, fn func(w Writer, j *JobRecord) (put bool, err error)) error {
	changed := false
	err := s.update(ctx, func(w Writer) error {
		j, err := jobOfHost(ctx, w, host, id)
		if err != nil {
			return err
		}
		rev, was := j.Rev, j.State
		put, err := fn(w, &j)
		if err == nil && put {
			err = errors.Join(w.PutJob(ctx, &j), reopened(ctx, w, was, &j))
		}
		changed = j.Rev != rev
		return err
	})
	if err == nil && changed {
		s.logs.Notify(id)
	}
	return err
}

// JobDispatched is called before a job is sent. An error means: do not send it (it was cancelled, or has ended).
func (s *Service) JobDispatched(ctx context.Context, id fleet.JobID) error {
	changed := false
	err := s.update(ctx, func(w Writer) error {
		j, err := findJob(ctx, w, id)
		if err != nil {
			return err
		}
		if j.State.Ended() {
			return fault.New(fault.JobEnded, "Job %s has ended (%s); it is not sent.", id, j.State)
		}
		if j.CancelRequested {
			return fault.New(fault.Conflict, "Job %s is to be cancelled; it is not sent.", id)
		}
		if j.State != fleet.StateQueued { // sent before, and never confirmed
			return nil
		}
		changed = advance(&j, fleet.StateDispatched, s.now())
		return w.PutJob(ctx, &j)
	})
	if err == nil && changed {
		s.logs.Notify(id)
	}
	return err
}

// JobAccepted takes command.ack: the agent holds the job.
func (s *Service) JobAccepted(ctx context.Context, host fleet.HostID, id fleet.JobID, state fleet.JobState) error {
	if !state.Valid() {
		return fault.New(fault.Protocol, "The agent acknowledged a job with state %s. Update the agent.", shown(string(state)))
	}
	return s.changeJob(ctx, host, id, func(_ Writer, j *JobRecord) (bool, error) {
		if j.State.Final() {
			return false, nil
		}
		put := !j.Accepted
		j.Accepted = true
		next := fleet.StateAccepted // also when it has ended there: job.finished will say how
		if state == fleet.StateRunning {
			next = state
		}
		return advance(j, next, s.now()) || put, nil
	})
}

// JobRejected takes command.reject: the job will not run.
func (s *Service) JobRejected(ctx context.Context, host fleet.HostID, id fleet.JobID, r agentwire.CommandReject) error {
	return s.changeJob(ctx, host, id, func(w Writer, j *JobRecord) (bool, error) {
		o := fleet.Outcome{State: fleet.StateFailed, Reason: r.Reason, Message: cut(r.Message, maxMessage), FinishedAt: s.now()}
		if o.Reason == "" {
			o.Reason = fleet.ReasonRejected
		}
		o.Reason = fleet.Reason(cut(string(o.Reason), 64))
		if j.CancelRequested {
			o.State, o.Reason = fleet.StateCancelled, fleet.ReasonCancelled
		}
		j.LogSealed = j.LogSealed || !j.Accepted // nothing was written then
		_, err := s.end(ctx, w, j, o)
		return false, err
	})
}

// JobStarted takes job.started: restic runs.
func (s *Service) JobStarted(ctx context.Context, host fleet.HostID, id fleet.JobID, m agentwire.JobStarted) error {
	return s.changeJob(ctx, host, id, func(_ Writer, j *JobRecord) (bool, error) {
		if j.State.Final() {
			return false, nil
		}
		put := advance(j, fleet.StateRunning, s.now()) || !j.Accepted
		j.Accepted = true
		if j.StartedAt == nil && !m.At.IsZero() {
			at := m.At.UTC()
			j.StartedAt = &at
			put = true
		}
		return put, nil
	})
}

// JobFinished takes a job's end: the log is sealed, the end committed and published. Only after nil may the agent be told. A
// fault.Conflict means that lines of the log are missing and must come first.
func (s *Service) JobFinished(ctx context.Context, host fleet.HostID, id fleet.JobID, m agentwire.JobFinished) error {
	outcome, err := cleanOutcome(m.Outcome)
	if err != nil {
		return err
	}
	j, err := s.agentJob(ctx, host, id)
	if err != nil {
		return err
	}
	log, err := s.seal(ctx, id, m.Log)
	if err != nil || j.State.Final() && j.LogSealed { // told before; the logs alone may have been put back from a copy
		return err
	}
	if !log.sealed {
		s.log.Error("a job's log is not what the agent sent", "host_id", host, "job_id", id,
			"last_seq", log.at.LastSeq, "want_last_seq", m.Log.LastSeq)
	}
	return s.changeJob(ctx, host, id, func(w Writer, j *JobRecord) (bool, error) {
		return s.finish(ctx, w, j, outcome, log)
	})
}

// logEnd is the end of a log as the daemon has it, and whether it is the one that the agent has.
type logEnd struct {
	at     fleet.LogPosition
	sealed bool
}

// seal closes the log.
func (s *Service) seal(ctx context.Context, id fleet.JobID, want fleet.LogPosition) (logEnd, error) {
	sealed, err := s.logs.Seal(ctx, id, want)
	if err != nil {
		return logEnd{}, fmt.Errorf("seal log of job %s: %w", id, err)
	}
	if sealed {
		return logEnd{want, true}, nil
	}
	pos, err := s.logs.Durable(ctx, id)
	if err != nil {
		return logEnd{}, fmt.Errorf("read end of log of job %s: %w", id, err)
	}
	if pos.LastSeq < want.LastSeq {
		return logEnd{}, fault.New(fault.Conflict, "The log of job %s ends at line %d here and at %d there. Send the lines after %d first.", id, pos.LastSeq, want.LastSeq, pos.LastSeq)
	}
	return logEnd{pos, false}, nil
}

func (s *Service) finish(ctx context.Context, w Writer, j *JobRecord, o fleet.Outcome, log logEnd) (put bool, err error) {
	wasSealed := j.LogSealed
	if !wasSealed {
		j.Log, j.LogSealed = log.at, log.sealed
	}
	j.Accepted = true
	ended, err := s.end(ctx, w, j, o)
	if err != nil || !ended {
		return j.LogSealed != wasSealed, err // over before; only the log became whole
	}
	return false, s.keepSnapshot(ctx, w, *j)
}

// keepSnapshot makes the snapshot of a backup known at once; the next listing completes it.
func (s *Service) keepSnapshot(ctx context.Context, w Writer, j JobRecord) error {
	o := j.Outcome
	if j.Spec.Backup == nil || o.Summary == nil || o.Summary.Backup == nil || len(o.Summary.Backup.SnapshotID) != snapshotIDLength ||
		!snapshotHex(string(o.Summary.Backup.SnapshotID)) {
		return nil
	}
	v, err := w.Repository(ctx, j.RepositoryID)
	if errors.Is(err, ErrNotFound) {
		return nil // forgotten here while the backup ran
	}
	if err != nil {
		return err
	}
	h, err := w.Host(ctx, j.HostID)
	if err != nil {
		return err
	}
	b := o.Summary.Backup
	tags := append([]string{}, j.Spec.Backup.Tags...)
	tags = append(tags, jobTag+string(j.ID))
	if j.PlanID != "" {
		tags = append(tags, planTag+string(j.PlanID))
	}
	added, err := w.PutSnapshot(ctx, fleet.Snapshot{
		ID: b.SnapshotID, RepositoryID: j.RepositoryID, Time: o.StartedAt, Hostname: h.Hostname, Paths: j.Spec.Backup.Paths,
		Tags: plainTags(tags), JobID: j.ID, PlanID: j.PlanID, HostID: j.HostID, FilesProcessed: b.TotalFilesProcessed,
		BytesProcessed: b.TotalBytesProcessed, BytesAdded: b.DataAddedPacked,
	})
	if err != nil {
		return err
	}
	if added {
		v.SnapshotCount++
	}
	if m := fleet.JobMarkOf(j.Job); m.After(v.LastBackup) {
		v.LastBackup = &m
	}
	return w.NoteRepository(ctx, &v)
}
