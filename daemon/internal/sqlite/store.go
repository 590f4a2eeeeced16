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
	s := &Store{db: db}
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
	tx, err := s.db.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin reading: %w", Fault(err))
	}
	defer undo(tx)
	return Fault(fn(&reader{q: tx}))
}

// Update runs fn in one write transaction. Only waiting for the writer ends with ctx: once begun, the work is not interrupted,
// so that a client that hangs up costs no other one anything, and ctx is looked at once more before the commit.
func (s *Store) Update(ctx context.Context, fn func(control.Writer) error) ([]api.Row, error) {
	conn, err := s.db.Write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("wait for the writer: %w", Fault(err))
	}
	defer conn.Close()
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, fmt.Errorf("begin writing: %w", Fault(err))
	}
	defer undo(tx)
	w := &writer{reader: reader{q: uninterrupted{tx}}, tx: tx}
	if err := w.begin(ctx); err != nil {
		return nil, Fault(err)
	}
	if err := fn(w); err != nil {
		return nil, Fault(err)
	}
	if err := w.end(ctx); err != nil {
		return nil, Fault(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", Fault(err))
	}
	return w.rows, nil
}

// undo ends a transaction that was not committed: it failed, it panicked, or it only read. After a commit it does nothing.
func undo(tx *sql.Tx) { _ = tx.Rollback() }

// querier is what reading needs of a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// uninterrupted keeps a context's end away from statements: the driver watches an endable context with a goroutine of its own.
type uninterrupted struct{ tx *sql.Tx }

func (u uninterrupted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return u.tx.QueryContext(context.WithoutCancel(ctx), query, args...)
}

func (u uninterrupted) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return u.tx.QueryRowContext(context.WithoutCancel(ctx), query, args...)
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

// writer writes within a transaction. It keeps meta in memory and writes it back once, at the end.
type writer struct {
	reader
	tx    *sql.Tx
	rows  []api.Row
	meta  metaRow
	stale metaRow // as it was read
}

type metaRow struct {
	rev        int64
	auditCount int64
	auditHead  string
}

func (w *writer) begin(ctx context.Context) error {
	err := w.q.QueryRowContext(ctx, "SELECT rev, audit_count, audit_head FROM meta WHERE id = 1").
		Scan(&w.meta.rev, &w.meta.auditCount, &w.meta.auditHead)
	if err != nil {
		return fmt.Errorf("read meta: %w", err)
	}
	w.stale = w.meta
	return nil
}

func (w *writer) end(ctx context.Context) error {
	if w.meta == w.stale {
		return nil
	}
	return w.exec(ctx, "write meta", "UPDATE meta SET rev = ?, audit_count = ?, audit_head = ? WHERE id = 1",
		w.meta.rev, w.meta.auditCount, w.meta.auditHead)
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
	res, err := w.tx.ExecContext(context.WithoutCancel(ctx), query, args...)
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
