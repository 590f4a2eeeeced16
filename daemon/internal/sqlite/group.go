package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
)

// A group ends, at the latest, with so many Updates or so many changed rows: those that came first wait for the last.
const (
	groupUpdates = 32
	groupRows    = 256
)

// group is one transaction of the writer and the Updates in it. Whoever has it in turn uses it alone; ended is for all.
type group struct {
	conn *sql.Conn
	tx   *sql.Tx // nil: nothing is begun, or what was begun is undone
	meta metaRow // with the changes of all Updates that went well
	disk metaRow // as it was read

	updates int // that had their turn
	stored  int // of them, those that went well
	rows    int // that these changed

	ended chan struct{} // closed when the group is on disk, or is not
	err   error         // why it is not; set before ended is closed
}

func newGroup() *group { return &group{ended: make(chan struct{})} }

// Update runs fn in the writer's transaction, which others that wait for it may share: each of them is whole or leaves nothing, and
// is answered when all are on disk. Only waiting for the writer ends with ctx: once begun, the work is not interrupted, so that a
// client that hangs up costs no other one anything, and ctx is looked at once more at its end.
//
// A failure that SQLite answers by undoing the whole transaction, as it may when the disk is full, fails all who share it.
func (s *Store) Update(ctx context.Context, fn func(control.Writer) error) ([]api.Row, error) {
	g, err := s.line.join(ctx)
	if err != nil {
		return nil, fmt.Errorf("wait for the writer: %w", Fault(err))
	}
	rows, err := s.turn(ctx, g, fn)
	<-g.ended // also with an error: it may come of what another Update did, which is true only once it is on disk
	if g.err != nil {
		return nil, g.err
	}
	return rows, err
}

// turn is one Update's time with the group, which it then hands on, even when fn panics.
func (s *Store) turn(ctx context.Context, g *group, fn func(control.Writer) error) (rows []api.Row, err error) {
	defer s.handOn(g)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.beginTx(ctx, g); err != nil {
		return nil, fmt.Errorf("begin writing: %w", Fault(err))
	}
	run := uninterrupted{g.session(s)}
	w := &writer{reader: reader{q: run}, run: run, meta: g.meta}
	whole := false
	defer func() {
		if !whole {
			g.undoLast(ctx, run, err)
		}
	}()
	if err := fn(w); err != nil {
		return nil, Fault(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := g.keepLast(ctx, w); err != nil {
		return nil, Fault(err)
	}
	whole = true
	return w.rows, nil
}

func (g *group) session(s *Store) session { return session{tx: g.tx, known: s.toWrite} }

// beginTx begins the transaction, or a part of it that can be undone alone.
func (s *Store) beginTx(ctx context.Context, g *group) (err error) {
	ctx = context.WithoutCancel(ctx)
	g.updates++
	if g.tx != nil {
		_, err := g.session(s).ExecContext(ctx, "SAVEPOINT one")
		return err
	}
	if g.conn == nil {
		if g.conn, err = s.db.Write.Conn(ctx); err != nil {
			return err
		}
	}
	if g.tx, err = g.conn.BeginTx(ctx, nil); err != nil {
		g.tx = nil
		return err
	}
	r := reader{q: g.session(s)}
	if g.disk, err = r.readMeta(ctx); err != nil {
		undo(g.tx)
		g.tx = nil
		return err
	}
	g.meta = g.disk
	return nil
}

// keepLast makes an Update's changes part of the group.
func (g *group) keepLast(ctx context.Context, w *writer) error {
	if g.stored > 0 {
		if err := w.exec(ctx, "end part", "RELEASE one"); err != nil {
			return err
		}
	}
	g.meta = w.meta
	g.stored++
	g.rows += len(w.rows)
	return nil
}

// undoLast undoes what an Update changed, which failed with cause or panicked. Where SQLite has undone all already, those before it
// are told as well.
func (g *group) undoLast(ctx context.Context, u uninterrupted, cause error) {
	if g.stored == 0 {
		undo(g.tx)
		g.tx = nil
		return
	}
	_, err := u.ExecContext(ctx, "ROLLBACK TO one")
	if err == nil {
		_, err = u.ExecContext(ctx, "RELEASE one")
	}
	if err != nil {
		undo(g.tx)
		g.tx = nil
		if code(cause) != 0 {
			err = cause // of SQLite, and the reason
		}
		g.err = fmt.Errorf("keep what others wrote: %w", Fault(err))
	}
}

// handOn gives the group to the next Update, or ends it.
func (s *Store) handOn(g *group) {
	if g.err == nil && g.updates < groupUpdates && g.rows < groupRows && s.line.pass(g) {
		return
	}
	ctx := context.Background()
	if g.tx != nil && g.err == nil {
		g.err = s.commit(ctx, g)
	}
	if g.conn != nil {
		_ = g.conn.Close() // gives it back to the pool, where it stays open
	}
	close(g.ended)
	s.toWrite.learn(ctx)
	s.line.free()
}

// commit puts the group on disk.
func (s *Store) commit(ctx context.Context, g *group) error {
	defer undo(g.tx)
	if g.meta != g.disk {
		_, err := g.session(s).ExecContext(ctx, "UPDATE meta SET rev = ?, audit_count = ?, audit_head = ? WHERE id = 1",
			g.meta.rev, g.meta.auditCount, g.meta.auditHead)
		if err != nil {
			return fmt.Errorf("write meta: %w", Fault(err))
		}
	}
	if err := g.tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", Fault(err))
	}
	return nil
}
