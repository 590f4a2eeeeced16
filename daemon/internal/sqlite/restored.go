package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/backstay/backstay/shared/atomicfile"
)

// mark is noted beside the store: how far it had come. A copy that is put back in the store's place stands before the mark, or is of
// another epoch, and so is told from a store that only stopped. The mark never runs ahead: it is read from what is committed.
type mark struct {
	Epoch      string    `json:"epoch"`
	Rev        int64     `json:"rev"`
	RestoredAt time.Time `json:"restored_at,omitzero"`
}

// compare holds the store against the mark and, where it was put back from a copy, begins a new epoch.
func (s *Store) compare(ctx context.Context, now time.Time) error {
	was, known, err := readMark(s.markPath) // before the store, which another process may be writing
	if err != nil {
		return err
	}
	is, err := s.committed(ctx)
	if err != nil {
		return err
	}
	s.noted = was
	s.life.Store(&mark{Epoch: is.Epoch, RestoredAt: was.RestoredAt})
	if known && (was.Epoch != is.Epoch || was.Rev > is.Rev) {
		s.renewed = true
		return s.Renew(ctx, now)
	}
	return nil
}

// committed is the mark of the store as it is.
func (s *Store) committed(ctx context.Context) (m mark, err error) {
	err = s.db.Read.QueryRowContext(ctx, "SELECT epoch, rev FROM meta WHERE id = 1").Scan(&m.Epoch, &m.Rev)
	if err != nil {
		return m, fmt.Errorf("read epoch: %w", Fault(err))
	}
	return m, nil
}

// Renewed tells whether OpenStore found that the store had been put back from a copy.
func (s *Store) Renewed() bool { return s.renewed }

// RestoredAt is when it was noticed last that the store was put back from a copy; zero when it never was.
func (s *Store) RestoredAt() time.Time { return s.life.Load().RestoredAt }

// Renew begins a new epoch, because the store was put back from a copy. It is on disk when Renew returns.
func (s *Store) Renew(ctx context.Context, now time.Time) error {
	s.marking.Lock()
	defer s.marking.Unlock()
	next := mark{Epoch: newEpoch(), RestoredAt: now.UTC()}
	if _, err := s.db.Write.ExecContext(context.WithoutCancel(ctx), "UPDATE meta SET epoch = ? WHERE id = 1", next.Epoch); err != nil {
		return fmt.Errorf("begin a new epoch: %w", Fault(err))
	}
	s.life.Store(&next)
	return s.note(ctx)
}

// Mark notes how far the store has come, unless it is noted already. Call it now and then, and before Close: what is committed after
// the last mark does not help to tell a copy.
func (s *Store) Mark(ctx context.Context) error {
	s.marking.Lock()
	defer s.marking.Unlock()
	return s.note(ctx)
}

// note writes the mark. The caller holds marking.
func (s *Store) note(ctx context.Context) error {
	m, err := s.committed(ctx)
	if err != nil {
		return err
	}
	m.RestoredAt = s.RestoredAt()
	if m == s.noted {
		return nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode mark: %w", err)
	}
	if err := atomicfile.Write(s.markPath, text, 0o600); err != nil {
		return Fault(err)
	}
	s.noted = m
	return nil
}

// readMark gives the last mark, and false when there is none: the store is new, or of a release that made none. One that cannot be
// understood counts as none.
func readMark(path string) (m mark, known bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, false, nil
	}
	if err != nil {
		return mark{}, false, fmt.Errorf("read mark: %w", err)
	}
	if whole := json.Unmarshal(text, &m) == nil; !whole || m.Epoch == "" {
		return mark{}, false, nil // as if there were none
	}
	return m, true, nil
}
