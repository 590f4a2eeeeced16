package sqlite

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements bounds the statements of a pool that stay compiled, and the texts that are remembered in case they come again.
const maxStatements = 128

// statements compiles what a pool is asked again and again once for each connection. A text is compiled when it has come twice: that
// of a list of ids is another one for each length. When there is no room for more, the rest is compiled each time it is run.
type statements struct {
	pool *sql.DB

	mu       sync.Mutex
	compiled map[string]*sql.Stmt
	once     map[string]struct{} // texts that came once since it was cleared last
	due      []string            // texts to compile
}

func newStatements(pool *sql.DB) *statements {
	return &statements{pool: pool, compiled: map[string]*sql.Stmt{}, once: map[string]struct{}{}}
}

// of gives the statement for a text, nil when it is not compiled.
func (s *statements) of(query string) *sql.Stmt {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.compiled[query]
	if st != nil || len(s.compiled)+len(s.due) >= maxStatements {
		return st
	}
	if _, again := s.once[query]; again {
		delete(s.once, query)
		s.due = append(s.due, query)
		return nil
	}
	if len(s.once) >= maxStatements {
		clear(s.once)
	}
	s.once[query] = struct{}{}
	return nil
}

// learn compiles what is due. It takes a connection of the pool: whoever calls it holds none.
func (s *statements) learn(ctx context.Context) {
	s.mu.Lock()
	due := s.due
	s.due = nil
	s.mu.Unlock()
	for _, query := range due {
		st, err := s.pool.PrepareContext(context.WithoutCancel(ctx), query) //nolint:sqlclosecheck // closed with the pool
		if err != nil {
			continue // whoever runs the text is told
		}
		s.mu.Lock()
		s.compiled[query] = st
		s.mu.Unlock()
	}
}

// session runs the statements of one transaction. Rows must be closed before the same text is run again.
type session struct {
	tx    *sql.Tx
	known *statements
}

func (s session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if st := s.known.of(query); st != nil {
		return s.tx.StmtContext(ctx, st).QueryContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return s.tx.QueryContext(ctx, query, args...)
}

func (s session) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if st := s.known.of(query); st != nil {
		return s.tx.StmtContext(ctx, st).QueryRowContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return s.tx.QueryRowContext(ctx, query, args...)
}

func (s session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if st := s.known.of(query); st != nil {
		return s.tx.StmtContext(ctx, st).ExecContext(ctx, args...) //nolint:sqlclosecheck // closed with the transaction
	}
	return s.tx.ExecContext(ctx, query, args...)
}

// uninterrupted keeps a context's end away from statements: the driver watches an endable context with a goroutine of its own.
type uninterrupted struct{ s session }

func (u uninterrupted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return u.s.QueryContext(context.WithoutCancel(ctx), query, args...)
}

func (u uninterrupted) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return u.s.QueryRowContext(context.WithoutCancel(ctx), query, args...)
}

func (u uninterrupted) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return u.s.ExecContext(context.WithoutCancel(ctx), query, args...)
}
