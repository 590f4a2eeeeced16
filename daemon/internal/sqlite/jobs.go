package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

const jobColumns = `id, host_id, plan_id, repository_id, kind, state, cancel_requested, accepted, created_by, created_at,
	started_at, finished_at, updated_at, log_seq, log_bytes, log_crc32c, log_sealed, created_rev, rev, outcome, spec`

func scanJob(s scanner) (control.JobRecord, error) {
	var j control.JobRecord
	var outcome *string
	err := s.Scan(&j.ID, &j.HostID, &j.PlanID, &j.RepositoryID, &j.Kind, &j.State, &j.CancelRequested, &j.Accepted,
		&j.CreatedBy, when{&j.CreatedAt}, maybe{&j.StartedAt}, maybe{&j.FinishedAt}, when{&j.UpdatedAt},
		&j.Log.LastSeq, &j.Log.Bytes, &j.Log.CRC32C, &j.LogSealed, &j.CreatedRev, &j.Rev, &outcome, asJSON{&j.Spec})
	if err == nil && outcome != nil {
		j.Outcome = &fleet.Outcome{}
		err = json.Unmarshal([]byte(*outcome), j.Outcome)
	}
	j.Counted = control.TallyOf(j.Job)
	return j, err
}

func (r *reader) Job(ctx context.Context, id fleet.JobID) (control.JobRecord, error) {
	return one(ctx, r.q, "read job", scanJob, "SELECT "+jobColumns+" FROM jobs WHERE id = ?", string(id))
}

func (r *reader) JobsByID(ctx context.Context, ids []fleet.JobID) (map[fleet.JobID]control.JobRecord, error) {
	out := make(map[fleet.JobID]control.JobRecord, len(ids))
	for chunk := range slices.Chunk(ids, chunkSize) {
		found, err := many(ctx, r.q, "read jobs", scanJob, "SELECT "+jobColumns+" FROM jobs WHERE id IN ("+marks(len(chunk))+
			") ORDER BY id", anys(chunk)...)
		if err != nil {
			return nil, err
		}
		for _, j := range found {
			out[j.ID] = j
		}
	}
	return out, nil
}

func (r *reader) SettledJobs(ctx context.Context, host fleet.HostID, ids []fleet.JobID) ([]fleet.JobID, error) {
	var out []fleet.JobID
	for chunk := range slices.Chunk(ids, chunkSize) {
		found, err := many(ctx, r.q, "read settled jobs", text[fleet.JobID], `SELECT id FROM jobs
			WHERE ended = 1 AND log_sealed = 1 AND state <> 'lost' AND host_id = ? AND id IN (`+marks(len(chunk))+") ORDER BY id",
			append([]any{string(host)}, anys(chunk)...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (r *reader) OpenJobs(ctx context.Context, host fleet.HostID) ([]control.JobRecord, error) {
	return many(ctx, r.q, "read open jobs", scanJob,
		"SELECT "+jobColumns+" FROM jobs WHERE ended = 0 AND host_id = ? ORDER BY n", string(host))
}

func (r *reader) QueuedBefore(ctx context.Context, t time.Time, limit int) ([]fleet.JobID, error) {
	// n is the order of creation: the oldest are looked at first, and no further than the limit.
	return many(ctx, r.q, "read queued jobs", text[fleet.JobID], `SELECT id FROM (SELECT id, n, created_at FROM jobs
		WHERE state = 'queued' ORDER BY n LIMIT ?) WHERE created_at < ? ORDER BY n`, limit, micros(t))
}

func (r *reader) SentToAway(ctx context.Context, t time.Time, limit int) ([]fleet.JobID, error) {
	return many(ctx, r.q, "read jobs of hosts away", text[fleet.JobID], `SELECT j.id FROM jobs j JOIN hosts h ON h.id = j.host_id
		WHERE j.state IN ('dispatched', 'accepted', 'running') AND h.online = 0 AND coalesce(h.last_seen_at, h.enrolled_at) < ?
		ORDER BY j.n LIMIT ?`, micros(t), limit)
}

func (r *reader) RepositoryInUse(ctx context.Context, id fleet.RepositoryID) (fleet.JobID, error) {
	for _, state := range fleet.JobStates {
		if state.Ended() {
			continue
		}
		jobs, err := many(ctx, r.q, "read open job of repository", text[fleet.JobID],
			"SELECT id FROM jobs WHERE repository_id = ? AND state = ? ORDER BY n LIMIT 1", string(id), string(state))
		if err != nil || len(jobs) > 0 {
			return first(jobs), err
		}
	}
	return "", nil
}

func first(ids []fleet.JobID) fleet.JobID {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

func (r *reader) JobsExist(ctx context.Context, plan fleet.PlanID, repository fleet.RepositoryID) (bool, error) {
	return one(ctx, r.q, "look for jobs", func(s scanner) (found bool, err error) { return found, s.Scan(&found) },
		`SELECT (? <> '' AND EXISTS (SELECT 1 FROM jobs WHERE plan_id = ?)) OR
			(? <> '' AND EXISTS (SELECT 1 FROM jobs WHERE repository_id = ?))`,
		string(plan), string(plan), string(repository), string(repository))
}

func (r *reader) Idempotent(ctx context.Context, actor, key string, since time.Time) (fleet.JobID, string, error) {
	type row struct {
		job    fleet.JobID
		digest string
	}
	v, err := one(ctx, r.q, "read idempotency key", func(s scanner) (v row, err error) {
		return v, s.Scan(&v.job, &v.digest)
	}, "SELECT job_id, digest FROM idempotency WHERE actor = ? AND key = ? AND created_at >= ?", actor, key, micros(since))
	return v.job, v.digest, err
}

// PutJob inserts a job that was never stored (CreatedRev 0), and otherwise replaces what may change of it.
func (w *writer) PutJob(ctx context.Context, j *control.JobRecord) error {
	j.CreatedAt, j.UpdatedAt = stored(j.CreatedAt), stored(j.UpdatedAt)
	j.StartedAt, j.FinishedAt = storedOrNil(j.StartedAt), storedOrNil(j.FinishedAt)
	published := j.Job
	j.Rev = w.changed(api.Row{Kind: "job", ID: string(j.ID), Job: &published})
	published.Rev = j.Rev
	var outcome any
	if j.Outcome != nil {
		copied := *j.Outcome
		published.Outcome = &copied
		text, err := toJSON(j.Outcome)
		if err != nil {
			return err
		}
		outcome = text
	}
	was := j.Counted
	j.Counted = control.TallyOf(j.Job)
	if err := w.count(ctx, was, j.Counted); err != nil {
		return err
	}
	if j.CreatedRev != 0 {
		return w.replaceJob(ctx, j, outcome)
	}
	j.CreatedRev = j.Rev
	spec, err := toJSON(j.Spec)
	if err != nil {
		return err
	}
	return w.exec(ctx, "insert job", `INSERT INTO jobs (id, host_id, plan_id, repository_id, kind, state, ended,
			cancel_requested, accepted, created_by, created_at, started_at, finished_at, updated_at, log_seq, log_bytes,
			log_crc32c, log_sealed, created_rev, rev, outcome, spec)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(j.ID), string(j.HostID), string(j.PlanID), string(j.RepositoryID), string(j.Kind), string(j.State),
		j.State.Ended(), j.CancelRequested, j.Accepted, j.CreatedBy, micros(j.CreatedAt), microsOrNull(j.StartedAt),
		microsOrNull(j.FinishedAt), micros(j.UpdatedAt), j.Log.LastSeq, j.Log.Bytes, int64(j.Log.CRC32C), j.LogSealed,
		j.CreatedRev, j.Rev, outcome, spec)
}

func (w *writer) replaceJob(ctx context.Context, j *control.JobRecord, outcome any) error {
	n, err := w.affected(ctx, "update job", `UPDATE jobs SET state = ?, ended = ?, cancel_requested = ?, accepted = ?,
			started_at = ?, finished_at = ?, updated_at = ?, log_seq = ?, log_bytes = ?, log_crc32c = ?, log_sealed = ?, rev = ?,
			outcome = ?
		WHERE id = ?`,
		string(j.State), j.State.Ended(), j.CancelRequested, j.Accepted, microsOrNull(j.StartedAt), microsOrNull(j.FinishedAt),
		micros(j.UpdatedAt), j.Log.LastSeq, j.Log.Bytes, int64(j.Log.CRC32C), j.LogSealed, j.Rev, outcome, string(j.ID))
	if err == nil && n == 0 {
		err = fmt.Errorf("update job %s: %w", j.ID, control.ErrNotFound)
	}
	return err
}

func (w *writer) PutIdempotent(ctx context.Context, k control.IdempotencyKey) error {
	return w.exec(ctx, "write idempotency key", `INSERT INTO idempotency (actor, key, digest, job_id, created_at)
		VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (actor, key) DO UPDATE SET digest = ?3, job_id = ?4, created_at = ?5`,
		k.Actor, k.Key, k.Digest, string(k.JobID), micros(k.At))
}

func (w *writer) DropIdempotent(ctx context.Context, before time.Time) error {
	return w.exec(ctx, "drop idempotency keys", "DELETE FROM idempotency WHERE created_at < ?", micros(before))
}

// WatchRows reads the state that a watch begins with.
func (r *reader) WatchRows(ctx context.Context, ended int) ([]api.Row, int64, error) {
	rev, err := r.Rev(ctx)
	if err != nil {
		return nil, 0, err
	}
	var rows []api.Row
	hosts, err := r.Hosts(ctx)
	if err != nil {
		return nil, 0, err
	}
	for i := range hosts {
		rows = append(rows, api.Row{Kind: "host", ID: string(hosts[i].ID), Rev: hosts[i].Rev, Host: &hosts[i]})
	}
	repositories, err := r.Repositories(ctx)
	if err != nil {
		return nil, 0, err
	}
	for i, v := range repositories {
		rows = append(rows, api.Row{Kind: "repository", ID: string(v.ID), Rev: v.Rev, Repository: &repositories[i]})
	}
	plans, err := r.Plans(ctx)
	if err != nil {
		return nil, 0, err
	}
	for i, v := range plans {
		rows = append(rows, api.Row{Kind: "plan", ID: string(v.ID), Rev: v.Rev, Plan: &plans[i]})
	}
	jobs, err := many(ctx, r.q, "read jobs to watch", scanJob, "SELECT "+jobColumns+` FROM jobs WHERE n IN
		(SELECT n FROM jobs WHERE ended = 0 UNION SELECT n FROM (SELECT n FROM jobs WHERE ended = 1 ORDER BY n DESC LIMIT ?))
		ORDER BY n`, ended)
	if err != nil {
		return nil, 0, err
	}
	for i := range jobs {
		rows = append(rows, api.Row{Kind: "job", ID: string(jobs[i].ID), Rev: jobs[i].Rev, Job: &jobs[i].Job})
	}
	return rows, rev, nil
}
