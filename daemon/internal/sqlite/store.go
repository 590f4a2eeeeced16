package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
)

var _ control.Store = (*Store)(nil)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is state.db. It is safe for concurrent use.
type Store struct {
	db       *DB
	markPath string
	renewed  bool // by OpenStore

	line            line
	toRead, toWrite *statements

	life    atomic.Pointer[mark] // its epoch, and when that began
	marking sync.Mutex           // one at a time writes the mark; nobody waits for it but who does the same
	noted   mark                 // the last one; guarded by marking
}

// OpenStore opens state.db at path, makes it when it is not there, and brings its schema forward. now is when a new store is
// born. A store that was put back from a copy since the last Mark begins a new epoch.
func OpenStore(ctx context.Context, path string, now time.Time) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	todo, err := steps(files)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	db, err := Open(path, Create)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	s := &Store{db: db, toRead: newStatements(db.Read), toWrite: newStatements(db.Write)}
	if s.markPath, err = filepath.Abs(path + ".mark"); err != nil {
		return nil, errors.Join(fmt.Errorf("open state: %w", err), db.Close())
	}
	if err := s.prepare(ctx, path, todo, now); err != nil {
		return nil, errors.Join(fmt.Errorf("open state: %w", Fault(err)), db.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, path string, todo []step, now time.Time) error {
	if err := migrate(ctx, s.db, path, todo); err != nil {
		return err
	}
	_, err := s.db.Write.ExecContext(ctx, `INSERT INTO meta (id, epoch, rev, audit_count, audit_head, created_at)
		VALUES (1, ?, 0, 0, '', ?) ON CONFLICT (id) DO NOTHING`, newEpoch(), micros(now))
	if err != nil {
		return fmt.Errorf("begin meta: %w", err)
	}
	return s.compare(ctx, now)
}

func newEpoch() string {
	raw := make([]byte, 16)
	rand.Read(raw) // never fails: crypto/rand
	return hex.EncodeToString(raw)
}

// Epoch names this life of the store. It is another one when the store was put back from a copy.
func (s *Store) Epoch() string { return s.life.Load().Epoch }

// Rev is the rev of the newest change.
func (s *Store) Rev(ctx context.Context) (rev int64, err error) {
	err = s.View(ctx, func(r control.Reader) error {
		rev, err = r.Rev(ctx)
		return err
	})
	return rev, err
}

// Close closes the file. Safe to call again.
func (s *Store) Close() error { return s.db.Close() }

// View runs fn on one snapshot of the store.
func (s *Store) View(ctx context.Context, fn func(control.Reader) error) error {
	defer s.toRead.learn(ctx)
	tx, err := s.db.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin reading: %w", Fault(err))
	}
	defer undo(tx)
	return Fault(fn(&reader{q: session{tx: tx, known: s.toRead}}))
}

// undo ends a transaction that was not committed: it failed, it panicked, or it only read. After a commit it does nothing.
func undo(tx *sql.Tx) { _ = tx.Rollback() }

// querier is what reading needs of a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reader reads within a transaction.
type reader struct{ q querier }

// Rev is the rev of the newest change in this snapshot.
func (r *reader) Rev(ctx context.Context) (int64, error) {
	var rev int64
	if err := r.q.QueryRowContext(ctx, "SELECT rev FROM meta WHERE id = 1").Scan(&rev); err != nil {
		return 0, fmt.Errorf("read rev: %w", err)
	}
	return rev, nil
}

// writer writes within a transaction. It keeps meta in memory; the group of Updates writes it back once, at its end.
type writer struct {
	reader
	run  uninterrupted
	rows []api.Row
	meta metaRow
}

type metaRow struct {
	rev        int64
	auditCount int64
	auditHead  string
}

func (r *reader) readMeta(ctx context.Context) (m metaRow, err error) {
	err = r.q.QueryRowContext(ctx, "SELECT rev, audit_count, audit_head FROM meta WHERE id = 1").Scan(&m.rev, &m.auditCount, &m.auditHead)
	if err != nil {
		return m, fmt.Errorf("read meta: %w", err)
	}
	return m, nil
}

// Rev is the rev of the newest change, those of this transaction included.
func (w *writer) Rev(context.Context) (int64, error) { return w.meta.rev, nil }

// changed gives a row the next rev and puts it into what will be published.
func (w *writer) changed(row api.Row) int64 {
	w.meta.rev++
	row.Rev = w.meta.rev
	w.rows = append(w.rows, row)
	return row.Rev
}

func (w *writer) exec(ctx context.Context, what, query string, args ...any) error {
	_, err := w.affected(ctx, what, query, args...)
	return err
}

// affected runs a statement and gives the number of rows it changed.
func (w *writer) affected(ctx context.Context, what, query string, args ...any) (int64, error) {
	res, err := w.run.ExecContext(ctx, query, args...)
	if IsUnique(err) {
		return 0, fmt.Errorf("%s: %w", what, errors.Join(control.ErrDuplicate, err))
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}
