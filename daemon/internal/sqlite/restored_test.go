package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/fleet"
)

// life is one process with the store: it is opened, changed n times, marked when it should be, and closed.
func life(t *testing.T, path string, n int, mark bool) (epoch string, renewed bool) {
	t.Helper()
	ctx := context.Background()
	s, err := OpenStore(ctx, path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		changeSomething(t, s)
	}
	if mark {
		if err := s.Mark(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Epoch(), s.Renewed()
}

func changeSomething(t *testing.T, s *Store) {
	t.Helper()
	_, err := s.Update(context.Background(), func(w control.Writer) error {
		return w.PutRepository(context.Background(), &fleet.Repository{ID: fleet.RepositoryID(newEpoch()), Name: newEpoch(), URL: "/srv", CreatedAt: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestACopyThatIsPutBackBeginsANewEpoch(t *testing.T) {
	dir := t.TempDir()
	path, kept := filepath.Join(dir, "state.db"), filepath.Join(dir, "copy.db")
	first, _ := life(t, path, 3, true)
	copyFile(t, path, kept)
	if again, renewed := life(t, path, 0, true); renewed || again != first {
		t.Fatalf("a stop and a start: epoch %s became %s", first, again)
	}
	if again, renewed := life(t, path, 1, true); renewed || again != first {
		t.Fatalf("a change: epoch %s became %s", first, again)
	}
	copyFile(t, kept, path)
	before := time.Now()
	second, renewed := life(t, path, 0, false) // which does not even come to a mark of its own
	if !renewed || second == first || len(second) != 32 {
		t.Fatalf("epoch %s became %s", first, second)
	}
	third, renewed := life(t, path, 5, false)
	if renewed || third != second {
		t.Fatalf("the next start: epoch %s became %s, renewed %v", second, third, renewed)
	}
	s, err := OpenStore(context.Background(), path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if at := s.RestoredAt(); at.Before(before) || at.After(time.Now()) {
		t.Fatalf("restored at %v", at)
	}
	// A copy of the first epoch, although it has come further than the mark.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ahead := filepath.Join(dir, "ahead.db")
	copyFile(t, kept, ahead)
	life(t, ahead, 50, true)
	copyFile(t, ahead, path)
	if fourth, renewed := life(t, path, 0, true); !renewed || fourth == third || fourth == first {
		t.Fatalf("epoch %s became %s", third, fourth)
	}
}

// A copy that VACUUM INTO made while the store was open, put back after a crash that came before another mark could be written.
func TestACopyOfARunningStore(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	path, kept := filepath.Join(dir, "state.db"), filepath.Join(dir, "copy.db")
	s, err := OpenStore(ctx, path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	changeSomething(t, s)
	if _, err := s.db.Write.ExecContext(ctx, "VACUUM INTO ?", kept); err != nil {
		t.Fatal(err)
	}
	changeSomething(t, s)
	if err := s.Mark(ctx); err != nil {
		t.Fatal(err)
	}
	epoch := s.Epoch()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path + "-wal", path + "-shm"} {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	copyFile(t, kept, path)
	if again, renewed := life(t, path, 0, false); !renewed || again == epoch {
		t.Fatalf("epoch %s became %s", epoch, again)
	}
}

func TestWithoutAMarkNothingIsConcluded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	first, _ := life(t, path, 3, true)
	for name, spoil := range map[string]func() error{
		"removed": func() error { return os.Remove(path + ".mark") },
		"garbled": func() error { return os.WriteFile(path+".mark", []byte("{"), 0o600) },
		"empty":   func() error { return os.WriteFile(path+".mark", nil, 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if again, renewed := life(t, path, 1, true); renewed || again != first {
			t.Errorf("%s: epoch %s became %s", name, first, again)
		}
		if again, renewed := life(t, path, 0, true); renewed || again != first {
			t.Errorf("%s, the next start: epoch %s became %s", name, first, again)
		}
	}
	info, err := os.Stat(path + ".mark")
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, err %v", info, err)
	}
}

func TestRenewOnRequest(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	s, err := OpenStore(ctx, path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	changeSomething(t, s)
	before, at := s.Epoch(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if err := s.Renew(ctx, at); err != nil {
		t.Fatal(err)
	}
	after := s.Epoch()
	if after == before || !s.RestoredAt().Equal(at) {
		t.Fatalf("epoch %s, restored at %v", after, s.RestoredAt())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if again, renewed := life(t, path, 0, true); renewed || again != after {
		t.Fatalf("epoch %s became %s", after, again)
	}
}
