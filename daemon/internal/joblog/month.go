package joblog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// schemaVersion is the user_version of a month's file.
const schemaVersion = 1

// The chunks of a job are found by their last line: the one that holds line n is the first with last_seq >= n. log_bytes and
// log_crc32c are the log's position (fleet.LogPosition) after the chunk, so that one row tells where a log ends. A seal's state
// is one of the seal constants.
const schema = `
CREATE TABLE jobs (
  id     INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE chunks (
  id         INTEGER PRIMARY KEY,
  job        INTEGER NOT NULL REFERENCES jobs (id),
  first_seq  INTEGER NOT NULL,
  last_seq   INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  crc32c     INTEGER NOT NULL,
  log_bytes  INTEGER NOT NULL,
  log_crc32c INTEGER NOT NULL,
  data       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX chunks_by_job ON chunks (job, last_seq);
CREATE TABLE seals (
  job        INTEGER PRIMARY KEY REFERENCES jobs (id),
  last_seq   INTEGER NOT NULL,
  log_bytes  INTEGER NOT NULL,
  log_crc32c INTEGER NOT NULL,
  state      INTEGER NOT NULL
) STRICT;
CREATE INDEX seals_to_compact ON seals (job) WHERE state = 0;
PRAGMA user_version = 1;
`

// States of a seal, as stored.
const (
	sealNew       = 0 // its chunks are as they came
	sealCompacted = 1
	sealKept      = 2 // a chunk is damaged: what is there stays as it is
)

// row is one chunk as stored. end is the position after it.
type row struct {
	first int64
	bytes int64 // of the plain form
	crc   uint32
	end   fleet.LogPosition
	data  []byte
}

// month is an open month's file. All methods are safe for concurrent use; those that write queue for the one connection.
type month struct {
	db     *sqlite.DB
	insert *sql.Stmt // of db.Write
	after  *sql.Stmt // of db.Read
}

// openMonth opens the file and makes its tables when they are not there.
func openMonth(ctx context.Context, path string, mode sqlite.Mode) (*month, error) {
	db, err := sqlite.Open(path, mode)
	if err != nil {
		return nil, err
	}
	m := &month{db: db}
	if err := m.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open log file: %w", sqlite.Fault(err)), m.close())
	}
	return m, nil
}

func (m *month) prepare(ctx context.Context) error {
	var version int
	if err := m.db.Write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fault.New(fault.SchemaTooNew, "A log file was written by a newer daemon. Start the newer daemon again.")
	}
	if version == 0 {
		if err := m.change(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, schema); return err }); err != nil {
			return err
		}
	}
	var err error
	if m.insert, err = m.db.Write.PrepareContext(ctx, `INSERT INTO chunks
		(job, first_seq, last_seq, bytes, crc32c, log_bytes, log_crc32c, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`); err != nil {
		return err
	}
	m.after, err = m.db.Read.PrepareContext(ctx, `SELECT first_seq, last_seq, bytes, crc32c, log_bytes, log_crc32c, data
		FROM chunks WHERE job = ? AND last_seq > ? ORDER BY last_seq`)
	return err
}

func (m *month) close() error {
	var errs []error
	for _, s := range []*sql.Stmt{m.insert, m.after} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, m.db.Close())...)
}

// change runs do in one transaction of the writer and commits it.
func (m *month) change(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := m.db.Write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), ignoreDone(tx.Rollback()))
	}
	return nil
}

// ignoreDone drops the answer of a rollback after SQLite or a failed commit ended the transaction already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// jobTx gives the key of a job, new when the file does not hold it.
func (m *month) jobTx(ctx context.Context, tx *sql.Tx, job fleet.JobID) (key int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO jobs (job_id) VALUES (?)
		ON CONFLICT (job_id) DO UPDATE SET job_id = excluded.job_id RETURNING id`, string(job)).Scan(&key)
	if err != nil {
		return 0, fmt.Errorf("insert job: %w", err)
	}
	return key, nil
}

func (m *month) insertTx(ctx context.Context, tx *sql.Tx, key int64, rows []row) error {
	stmt := tx.StmtContext(ctx, m.insert)
	defer stmt.Close()
	for _, r := range rows {
		_, err := stmt.ExecContext(ctx, key, r.first, r.end.LastSeq, r.bytes, int64(r.crc), r.end.Bytes, int64(r.end.CRC32C), r.data)
		if err != nil {
			return fmt.Errorf("insert chunk: %w", err)
		}
	}
	return nil
}

// state is what a month's file knows of a job.
type state struct {
	key    int64 // 0: the job is not in the file
	end    fleet.LogPosition
	sealed bool
}

// state reads where a job's log ends: the end of its last chunk.
func (m *month) state(ctx context.Context, job fleet.JobID) (state, error) {
	var s state
	err := m.db.Read.QueryRowContext(ctx, `SELECT id, EXISTS (SELECT 1 FROM seals WHERE seals.job = jobs.id)
		FROM jobs WHERE job_id = ?`, string(job)).Scan(&s.key, &s.sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("read job: %w", err)
	}
	err = m.db.Read.QueryRowContext(ctx, `SELECT last_seq, log_bytes, log_crc32c FROM chunks WHERE job = ?
		ORDER BY last_seq DESC LIMIT 1`, s.key).Scan(&s.end.LastSeq, &s.end.Bytes, &s.end.CRC32C)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return state{}, fmt.Errorf("read end of log: %w", err)
	}
	return s, nil
}

// chunksAfter gives take the chunks that hold lines after seq, in order, until take returns false. They are of one moment:
// either all from before a compaction or all from after it.
func (m *month) chunksAfter(ctx context.Context, key, seq int64, take func(row) bool) error {
	rows, err := m.after.QueryContext(ctx, key, seq)
	if err != nil {
		return fmt.Errorf("read chunks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.first, &r.end.LastSeq, &r.bytes, &r.crc, &r.end.Bytes, &r.end.CRC32C, &r.data); err != nil {
			return fmt.Errorf("read chunk: %w", err)
		}
		if !take(r) {
			return rows.Close()
		}
	}
	return rows.Err()
}

// seal records that the log of a job ends at end. A job without a line has no key yet.
func (m *month) seal(ctx context.Context, job fleet.JobID, end fleet.LogPosition) error {
	return m.change(ctx, func(tx *sql.Tx) error {
		key, err := m.jobTx(ctx, tx, job)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO seals (job, last_seq, log_bytes, log_crc32c, state) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (job) DO NOTHING`, key, end.LastSeq, end.Bytes, int64(end.CRC32C), sealNew)
		if err != nil {
			return fmt.Errorf("insert seal: %w", err)
		}
		return nil
	})
}

// toCompact gives the keys of some sealed jobs whose chunks are as they came.
func (m *month) toCompact(ctx context.Context) ([]int64, error) {
	rows, err := m.db.Read.QueryContext(ctx, "SELECT job FROM seals WHERE state = 0 ORDER BY job LIMIT 32")
	if err != nil {
		return nil, fmt.Errorf("read seals: %w", err)
	}
	defer rows.Close()
	var keys []int64
	for rows.Next() {
		var k int64
		if err := rows.Scan(&k); err != nil {
			return nil, fmt.Errorf("read seal: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

func (m *month) sealState(ctx context.Context, key int64, state int) error {
	return m.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE seals SET state = ? WHERE job = ?", state, key)
		if err != nil {
			return fmt.Errorf("update seal: %w", err)
		}
		return nil
	})
}

// replace puts rows in the place of the chunks of a job after seq up to the end of the last row, which must be count.
func (m *month) replace(ctx context.Context, key, seq int64, count int, rows []row) error {
	end := rows[len(rows)-1].end.LastSeq
	return m.change(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM chunks WHERE job = ? AND last_seq > ? AND last_seq <= ?", key, seq, end)
		if err != nil {
			return fmt.Errorf("delete chunks: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n != int64(count) {
			return fmt.Errorf("delete chunks: %d instead of %d (%w)", n, count, err)
		}
		return m.insertTx(ctx, tx, key, rows)
	})
}

// lineAtOrAfter gives the last line of the chunk that holds line seq, or of the next one, from the index alone.
func (m *month) lineAtOrAfter(ctx context.Context, key, seq int64) (last int64, err error) {
	err = m.db.Read.QueryRowContext(ctx, `SELECT last_seq FROM chunks WHERE job = ? AND last_seq >= ?
		ORDER BY last_seq LIMIT 1`, key, seq).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("read index of chunks: %w", err)
	}
	return last, nil
}
