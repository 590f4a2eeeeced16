package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// keyLife is how long an idempotency key names its first job.
const keyLife = 24 * time.Hour

const maxKey = 255

// StartJob queues a job on a host. A repeated idempotencyKey of the same actor gives the first job again, for 24 hours. The job
// of a host that is away waits in the state queued.
func (s *Service) StartJob(ctx context.Context, actor Actor, host string, req api.JobRequest, idempotencyKey string) (fleet.Job, error) {
	if len(idempotencyKey) > maxKey {
		return fleet.Job{}, fault.New(fault.InvalidInput, "The idempotency key is longer than %d bytes. Use a shorter one.", maxKey)
	}
	var job JobRecord
	var made bool
	err := s.update(ctx, func(w Writer) error {
		h, err := findHost(ctx, w, host)
		if err != nil {
			return err
		}
		digest, err := digestOf(h.ID, req)
		if err != nil {
			return err
		}
		job, err = s.earlierJob(ctx, w, actor, idempotencyKey, digest)
		if err != nil || job.ID != "" {
			return err
		}
		made = true
		job, err = s.queueJob(ctx, w, actor, h, req)
		if err != nil || idempotencyKey == "" {
			return err
		}
		return w.PutIdempotent(ctx, IdempotencyKey{actor.Name, idempotencyKey, digest, job.ID, job.CreatedAt})
	})
	if err != nil {
		return fleet.Job{}, err
	}
	if d := s.dispatcher(); made && d != nil {
		d.Offer(job.Job)
	}
	return job.Job, nil
}

// earlierJob gives the job that the actor made under key, and none when there is none.
func (s *Service) earlierJob(ctx context.Context, r JobReader, actor Actor, key, digest string) (JobRecord, error) {
	if key == "" {
		return JobRecord{}, nil
	}
	id, was, err := r.Idempotent(ctx, actor.Name, key, s.now().Add(-keyLife))
	switch {
	case errors.Is(err, ErrNotFound):
		return JobRecord{}, nil
	case err != nil:
		return JobRecord{}, err
	case was != digest:
		return JobRecord{}, fault.New(fault.Conflict, "This idempotency key was used for another request (job %s). Use a new key.", id)
	}
	return r.Job(ctx, id)
}

// digestOf tells requests apart that come under the same idempotency key.
func digestOf(host fleet.HostID, req api.JobRequest) (string, error) {
	b, err := json.Marshal(struct {
		Host    fleet.HostID
		Request api.JobRequest
	}{host, req})
	if err != nil {
		return "", fmt.Errorf("digest of request: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

func (s *Service) queueJob(ctx context.Context, w Writer, actor Actor, h fleet.Host, req api.JobRequest) (JobRecord, error) {
	if err := checkTrusted(h); err != nil {
		return JobRecord{}, err
	}
	spec, err := s.jobSpec(ctx, w, h, req)
	if err != nil {
		return JobRecord{}, err
	}
	job := JobRecord{Job: fleet.Job{
		ID: spec.JobID, HostID: h.ID, Kind: spec.Kind, PlanID: spec.PlanID, RepositoryID: spec.Repository.ID,
		State: fleet.StateQueued, CreatedBy: actor.Name, CreatedAt: spec.CreatedAt, UpdatedAt: spec.CreatedAt, Spec: spec,
	}}
	if err := w.PutJob(ctx, &job); err != nil {
		return JobRecord{}, err
	}
	detail := fmt.Sprintf("%s on host %s, repository %s", job.Kind, h.ID, job.RepositoryID)
	if job.PlanID != "" {
		detail += ", plan " + string(job.PlanID)
	}
	return job, w.AppendAudit(ctx, AuditEntry{job.CreatedAt, actor.Name, "job.create", string(job.ID), detail})
}

func checkTrusted(h fleet.Host) error {
	if h.RevokedAt == nil {
		return nil
	}
	return fault.New(fault.HostRevoked, "Host %s was revoked. Enrol it anew with a fresh token (`backstayd enrol-token`).", shown(h.Name))
}

// CancelJob makes the end of a job desired. A job that was never sent is cancelled at once.
func (s *Service) CancelJob(ctx context.Context, actor Actor, id fleet.JobID) (fleet.Job, error) {
	var job JobRecord
	err := s.update(ctx, func(w Writer) (err error) {
		if job, err = findJob(ctx, w, id); err != nil {
			return err
		}
		now := s.now()
		switch {
		case job.State.Ended():
			return fault.New(fault.JobEnded, "Job %s has ended already (%s). There is nothing to cancel.", job.ID, job.State)
		case job.CancelRequested:
			return nil
		case job.State == fleet.StateQueued:
			job.CancelRequested = true
			err = s.endUnsent(ctx, w, &job, cancelled("Cancelled by "+actor.Name+" before it was sent to the host. Start it again when it is wanted."))
		default:
			job.CancelRequested, job.UpdatedAt = true, now
			err = w.PutJob(ctx, &job)
		}
		if err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{now, actor.Name, "job.cancel", string(job.ID), ""})
	})
	if err != nil {
		return fleet.Job{}, err
	}
	s.logs.Notify(id)
	if d := s.dispatcher(); d != nil && !job.State.Ended() {
		d.Cancel(job.HostID, job.ID, actor.Name)
	}
	return job.Job, nil
}

// Job gives one job.
func (s *Service) Job(ctx context.Context, id fleet.JobID) (fleet.Job, error) {
	var job JobRecord
	err := s.store.View(ctx, func(r Reader) (err error) {
		job, err = findJob(ctx, r, id)
		return err
	})
	if err != nil {
		return fleet.Job{}, err
	}
	return s.withLog(ctx, job.Job)
}

// withLog sets how far the log of a job is on disk, which the job's row tells only once the log is sealed.
func (s *Service) withLog(ctx context.Context, job fleet.Job) (fleet.Job, error) {
	if job.LogSealed || job.State == fleet.StateQueued {
		return job, nil
	}
	pos, err := s.logs.Durable(ctx, job.ID)
	if err != nil {
		return fleet.Job{}, fmt.Errorf("read end of log of job %s: %w", job.ID, err)
	}
	job.Log = pos
	return job, nil
}

// Jobs gives a page of jobs, newest first. A page may be short, even empty, and still name a next one.
func (s *Service) Jobs(ctx context.Context, f JobFilter) (api.Page[fleet.Job], error) {
	var page api.Page[fleet.Job]
	if err := checkJobFilter(f); err != nil {
		return page, err
	}
	limit, err := pageLimit(f.Limit)
	if err != nil {
		return page, err
	}
	err = s.store.View(ctx, func(r Reader) error {
		q := JobQuery{States: f.States, Kind: f.Kind, Text: f.Text, Cursor: f.Cursor, Limit: limit}
		if err := jobQueryIDs(ctx, r, f, &q); err != nil {
			return err
		}
		page, err = r.JobPage(ctx, q)
		return err
	})
	if err != nil {
		return page, err
	}
	for i, job := range page.Items {
		if job.State.Ended() {
			continue
		}
		if page.Items[i], err = s.withLog(ctx, job); err != nil {
			return page, err
		}
	}
	return page, nil
}

const maxText = 256

func checkJobFilter(f JobFilter) error {
	seen := make(map[fleet.JobState]bool)
	for _, state := range f.States {
		if !state.Valid() || seen[state] {
			return fault.New(fault.InvalidInput, "%s is not a state of jobs, or is named twice. Use %v.", shown(string(state)), fleet.JobStates)
		}
		seen[state] = true
	}
	if f.Kind != "" && !f.Kind.Valid() {
		return unknownKind(f.Kind)
	}
	if len(f.Text) > maxText {
		return fault.New(fault.InvalidInput, "The text to look for is longer than %d bytes. Use a shorter one.", maxText)
	}
	return nil
}

func unknownKind(kind fleet.JobKind) error {
	return fault.New(fault.InvalidInput, "%s is not a kind of jobs. Use one of %v.", shown(string(kind)), fleet.JobKinds)
}

// jobQueryIDs resolves names. A plan or repository that was deleted is still found by its id, for the sake of its jobs.
func jobQueryIDs(ctx context.Context, r Reader, f JobFilter, q *JobQuery) error {
	if f.HostID != "" {
		h, err := findHost(ctx, r, string(f.HostID))
		if err != nil {
			return err
		}
		q.HostID = h.ID
	}
	if f.PlanID != "" {
		p, err := findPlan(ctx, r, string(f.PlanID))
		if err != nil {
			p.ID, err = f.PlanID, orJobs(ctx, r, f.PlanID, "", err)
		}
		if err != nil {
			return err
		}
		q.PlanID = p.ID
	}
	if f.RepositoryID != "" {
		v, err := findRepository(ctx, r, string(f.RepositoryID))
		if err != nil {
			v.ID, err = f.RepositoryID, orJobs(ctx, r, "", f.RepositoryID, err)
		}
		if err != nil {
			return err
		}
		q.RepositoryID = v.ID
	}
	return nil
}

// orJobs forgives the error of a look-up when jobs of the plan or repository are known.
func orJobs(ctx context.Context, r Reader, plan fleet.PlanID, repository fleet.RepositoryID, was error) error {
	if code := fault.CodeOf(was); code != fault.UnknownPlan && code != fault.UnknownRepository {
		return was
	}
	found, err := r.JobsExist(ctx, plan, repository)
	if err != nil {
		return err
	}
	if !found {
		return was
	}
	return nil
}
