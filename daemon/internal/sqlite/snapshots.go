package sqlite

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const snapshotColumns = `repository_id, id, time, hostname, username, tag_list, parent, program_version, job_id,
	plan_id, host_id, files_processed, bytes_processed, bytes_added, paths`

func scanSnapshot(s scanner) (fleet.Snapshot, error) {
	var v fleet.Snapshot
	var tags string
	err := s.Scan(&v.RepositoryID, &v.ID, when{&v.Time}, &v.Hostname, &v.Username, &tags, &v.Parent, &v.ProgramVersion,
		&v.JobID, &v.PlanID, &v.HostID, &v.FilesProcessed, &v.BytesProcessed, &v.BytesAdded, asJSON{&v.Paths})
	if tags = strings.Trim(tags, ","); tags != "" {
		v.Tags = strings.Split(tags, ",")
	}
	return v, err
}

// snapshotKey is where a page of snapshots ends: newest first, so everything after it is less.
type snapshotKey struct {
	time       int64
	id         string
	repository string
}

func (k snapshotKey) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(k.time, 10) + "|" + k.id + "|" + k.repository))
}

func snapshotCursor(cursor string) (snapshotKey, error) {
	if cursor == "" {
		return snapshotKey{time: math.MaxInt64}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	parts := strings.Split(string(raw), "|")
	if err == nil && len(parts) == 3 {
		t, err := strconv.ParseInt(parts[0], 10, 64)
		if err == nil {
			return snapshotKey{time: t, id: parts[1], repository: parts[2]}, nil
		}
	}
	return snapshotKey{}, fault.New(fault.InvalidInput, "The cursor is not one of a list of snapshots. Take it from the page before, or leave it out.")
}

// SnapshotPage reads a page of snapshots, newest first. One index gives the candidates in that order; filters that it does not
// cover are checked on a bounded window of them, so a page may come back short with a cursor to go on.
func (r *reader) SnapshotPage(ctx context.Context, q control.SnapshotQuery) (api.Page[fleet.Snapshot], error) {
	page := api.Page[fleet.Snapshot]{Items: []fleet.Snapshot{}}
	after, err := snapshotCursor(q.Cursor)
	if err != nil {
		return page, err
	}
	p := planSnapshotPage(q, after)
	found, err := many(ctx, r.q, "read snapshots", scanSnapshot, p.sql, p.args...)
	if err != nil {
		return page, err
	}
	page.Items = append(page.Items, found[:min(len(found), q.Limit)]...)
	switch {
	case len(found) > q.Limit:
		last := found[q.Limit-1]
		page.Next = snapshotKey{micros(last.Time), string(last.ID), string(last.RepositoryID)}.String()
	case p.windowed:
		page.Next, err = r.snapshotWindowEnd(ctx, p)
	}
	return page, err
}

type snapshotPagePlan struct {
	sql           string
	args          []any
	windowed      bool
	candidates    string
	candidateArgs []any
}

func planSnapshotPage(q control.SnapshotQuery, after snapshotKey) snapshotPagePlan {
	var p snapshotPagePlan
	var drive, rest string
	var restArgs []any
	args := []any{after.time, after.id, after.repository}
	for _, f := range []struct{ column, value string }{ // the first one that is given drives: it leaves the fewest
		{"plan_id", string(q.PlanID)}, {"host_id", string(q.HostID)}, {"hostname", q.Hostname}, {"repository_id", string(q.RepositoryID)},
	} {
		switch {
		case f.value == "":
		case drive == "":
			drive = " AND " + f.column + " = ?"
			args = append(args, f.value)
		default:
			rest += " AND +" + f.column + " = ?" // the plus: no other index than the window's
			restArgs = append(restArgs, f.value)
		}
	}
	if q.Tag != "" {
		rest += " AND instr(tag_list, ?) > 0"
		restArgs = append(restArgs, ","+q.Tag+",")
	}
	key := "(time, id, repository_id) < (?, ?, ?)"
	if drive == " AND repository_id = ?" { // its index ends with the id: the repository is the same throughout
		key, args = "(time, id) < (?, ?)", []any{after.time, after.id, string(q.RepositoryID)}
	}
	window := q.Limit + 1
	if p.windowed = rest != ""; p.windowed {
		window = scanWindow
	}
	p.candidates = "SELECT n, time, id, repository_id FROM snapshots WHERE " + key + drive + " ORDER BY time DESC, id DESC, repository_id DESC LIMIT ?"
	p.candidateArgs = append(args, window)
	p.sql = "SELECT " + snapshotColumns + " FROM snapshots WHERE n IN (SELECT n FROM (" + p.candidates + "))" + rest +
		" ORDER BY time DESC, id DESC, repository_id DESC LIMIT ?"
	p.args = append(append(append([]any{}, p.candidateArgs...), restArgs...), q.Limit+1)
	return p
}

// snapshotWindowEnd gives the cursor behind the last candidate that was looked at, "" when there are no more.
func (r *reader) snapshotWindowEnd(ctx context.Context, p snapshotPagePlan) (string, error) {
	last, err := many(ctx, r.q, "read end of window", func(s scanner) (k snapshotKey, err error) {
		return k, s.Scan(&k.time, &k.id, &k.repository)
	}, "SELECT time, id, repository_id FROM ("+p.candidates+") ORDER BY time, id, repository_id", p.candidateArgs...)
	if err != nil || len(last) < scanWindow {
		return "", err
	}
	return last[0].String(), nil
}

func (r *reader) SnapshotsByPrefix(ctx context.Context, repository fleet.RepositoryID, prefix string, limit int) ([]fleet.Snapshot, error) {
	return many(ctx, r.q, "read snapshots by id", scanSnapshot, "SELECT "+snapshotColumns+` FROM snapshots
		WHERE id >= ? AND id < ? AND (? = '' OR repository_id = ?) ORDER BY id, repository_id LIMIT ?`,
		prefix, prefix+"\x7f", string(repository), string(repository), limit)
}

// PutSnapshot inserts a snapshot, or completes what is known of it, and tells whether it was not known before.
func (w *writer) PutSnapshot(ctx context.Context, s fleet.Snapshot) (added bool, err error) {
	known, err := one(ctx, w.q, "look for snapshot", func(s scanner) (v bool, err error) { return v, s.Scan(&v) },
		"SELECT EXISTS (SELECT 1 FROM snapshots WHERE repository_id = ? AND id = ?)", string(s.RepositoryID), string(s.ID))
	if err != nil {
		return false, err
	}
	return !known, w.putSnapshot(ctx, s, "")
}

func (w *writer) putSnapshot(ctx context.Context, s fleet.Snapshot, listing fleet.JobID) error {
	paths, err := toJSON(append([]string{}, s.Paths...))
	if err != nil {
		return err
	}
	tags := ""
	if len(s.Tags) > 0 {
		tags = "," + strings.Join(s.Tags, ",") + ","
	}
	return w.exec(ctx, "write snapshot", `INSERT INTO snapshots (repository_id, id, time, hostname, username, tag_list, parent,
			program_version, job_id, files_processed, bytes_processed, bytes_added, listing, rev, paths, plan_id, host_id)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
			coalesce(nullif(?16, ''), (SELECT plan_id FROM jobs WHERE id = ?9 AND repository_id = ?1), ''),
			coalesce(nullif(?17, ''), (SELECT host_id FROM jobs WHERE id = ?9 AND repository_id = ?1),
				(SELECT max(id) FROM hosts WHERE hostname = ?4 AND revoked_at IS NULL HAVING count(*) = 1), ''))
		ON CONFLICT (repository_id, id) DO UPDATE SET time = ?3, hostname = ?4, tag_list = ?6,
			username = CASE WHEN ?5 <> '' THEN ?5 ELSE username END, parent = CASE WHEN ?7 <> '' THEN ?7 ELSE parent END,
			program_version = CASE WHEN ?8 <> '' THEN ?8 ELSE program_version END, job_id = CASE WHEN ?9 <> '' THEN ?9 ELSE job_id END,
			files_processed = max(files_processed, ?10), bytes_processed = max(bytes_processed, ?11),
			bytes_added = max(bytes_added, ?12), listing = CASE WHEN ?13 <> '' THEN ?13 ELSE listing END, rev = ?14, paths = ?15,
			plan_id = CASE WHEN excluded.plan_id <> '' THEN excluded.plan_id ELSE plan_id END,
			host_id = CASE WHEN excluded.host_id <> '' THEN excluded.host_id ELSE host_id END`,
		string(s.RepositoryID), string(s.ID), micros(s.Time), s.Hostname, s.Username, tags, string(s.Parent), s.ProgramVersion,
		string(s.JobID), s.FilesProcessed, s.BytesProcessed, s.BytesAdded, string(listing), w.meta.rev, paths,
		string(s.PlanID), string(s.HostID))
}

// AdoptSnapshots gives a host the snapshots of its hostname that are nobody's, unless another host has that hostname as well.
func (w *writer) AdoptSnapshots(ctx context.Context, host fleet.HostID) error {
	return w.exec(ctx, "adopt snapshots", `UPDATE snapshots SET host_id = ?1
		WHERE hostname = (SELECT hostname FROM hosts WHERE id = ?1) AND +host_id = '' AND
			(SELECT count(*) FROM hosts WHERE revoked_at IS NULL AND hostname = (SELECT hostname FROM hosts WHERE id = ?1)) = 1`, string(host))
}

// ListSnapshots stores a part of a listing; the last missing part removes what is gone.
func (w *writer) ListSnapshots(ctx context.Context, l control.SnapshotListing) error {
	listed, err := one(ctx, w.q, "read listing", func(s scanner) (v int64, err error) { return v, s.Scan(&v) },
		"SELECT listed_rev FROM repositories WHERE id = ?", string(l.RepositoryID))
	if err != nil || l.JobRev <= listed {
		return err // a later listing is whole already, or this one is
	}
	for _, s := range l.Snapshots {
		s.RepositoryID = l.RepositoryID
		if err := w.putSnapshot(ctx, s, l.JobID); err != nil {
			return err
		}
	}
	err = w.exec(ctx, "note part", "INSERT INTO snapshot_parts (job_id, part, repository_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		string(l.JobID), l.Part, string(l.RepositoryID))
	if err != nil {
		return err
	}
	var parts int
	err = w.q.QueryRowContext(ctx, "SELECT count(*) FROM snapshot_parts WHERE job_id = ?", string(l.JobID)).Scan(&parts)
	if err != nil {
		return fmt.Errorf("count parts: %w", err)
	}
	if parts < l.Parts {
		return nil
	}
	return w.endListing(ctx, l)
}

func (w *writer) endListing(ctx context.Context, l control.SnapshotListing) error {
	err := w.exec(ctx, "remove snapshots that are gone", "DELETE FROM snapshots WHERE repository_id = ? AND listing <> ? AND rev <= ?",
		string(l.RepositoryID), string(l.JobID), l.JobRev)
	if err != nil {
		return err
	}
	if err := w.exec(ctx, "drop parts", "DELETE FROM snapshot_parts WHERE repository_id = ?", string(l.RepositoryID)); err != nil {
		return err
	}
	err = w.exec(ctx, "note listing", "UPDATE repositories SET listed_rev = ? WHERE id = ?", l.JobRev, string(l.RepositoryID))
	if err != nil {
		return err
	}
	v, err := w.Repository(ctx, l.RepositoryID)
	if err != nil {
		return err
	}
	v.ListedAt = &l.At
	v.SnapshotCount, err = one(ctx, w.q, "count snapshots", func(s scanner) (n int64, err error) { return n, s.Scan(&n) },
		"SELECT count(*) FROM snapshots WHERE repository_id = ?", string(l.RepositoryID))
	if err != nil {
		return err
	}
	return w.NoteRepository(ctx, &v)
}
