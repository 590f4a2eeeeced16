package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func putPlanless(ctx context.Context, w control.Writer, name, url string) error {
	return w.PutRepository(ctx, &fleet.Repository{ID: fleet.RepositoryID(name), Name: name, URL: url})
}

func revOf(t *testing.T, s *Store) int64 {
	t.Helper()
	rev, err := s.Rev(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// G18: a full disk refuses the change with words a person can act on, costs nothing that was there, and is got over.
func TestAFullDiskIsSurvived(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	var pages int
	if err := s.db.Write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages+4)); err != nil {
		t.Fatal(err)
	}
	put := func(name string) error {
		_, err := s.Update(ctx, func(w control.Writer) error { return putPlanless(ctx, w, name, strings.Repeat("x", 3000)) })
		return err
	}
	var err error
	good := int64(0)
	for err == nil {
		if err = put(fmt.Sprint("r", good)); err == nil {
			good++
		}
	}
	if fault.CodeOf(err) != fault.StorageFull || good == 0 {
		t.Fatalf("after %d changes: %v", good, err)
	}
	if rev := revOf(t, s); rev != good {
		t.Fatalf("rev %d after %d changes", rev, good)
	}
	if _, err := s.db.Write.Exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := put("last"); err != nil {
		t.Fatal(err)
	}
	if rev := revOf(t, s); rev != good+1 {
		t.Fatalf("rev %d", rev)
	}
}

func TestRevsAreDenseAndInTheOrderOfCommits(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 30 {
				rows, err := s.Update(ctx, func(w control.Writer) error {
					if err := putPlanless(ctx, w, fmt.Sprint(i), fmt.Sprint(n)); err != nil {
						return err
					}
					if n%3 == 0 {
						return errors.New("changed my mind")
					}
					return putPlanless(ctx, w, fmt.Sprint(i, "b"), fmt.Sprint(n))
				})
				if (err != nil) != (n%3 == 0) {
					t.Errorf("update: %v", err)
				}
				mu.Lock()
				for _, r := range rows {
					if seen[r.Rev] {
						t.Errorf("rev %d twice", r.Rev)
					}
					seen[r.Rev] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	last := revOf(t, s)
	if int(last) != len(seen) || last != 4*20*2 {
		t.Fatalf("rev %d, %d changes", last, len(seen))
	}
}

func TestViewIsOneSnapshot(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	update := func(name string) {
		if _, err := s.Update(ctx, func(w control.Writer) error { return putPlanless(ctx, w, name, "/x") }); err != nil {
			t.Fatal(err)
		}
	}
	update("a")
	err := s.View(ctx, func(r control.Reader) error {
		if _, err := r.Repositories(ctx); err != nil { // the snapshot is taken here
			return err
		}
		update("b") // and a writer does not wait for its reader
		rows, rev, err := r.WatchRows(ctx, 10)
		if err != nil || len(rows) != 1 || rev != 1 {
			t.Fatalf("%d rows at rev %d: %v", len(rows), rev, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUpdateThatPanicsChangesNothing(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	func() {
		defer func() { _ = recover() }()
		_, _ = s.Update(ctx, func(w control.Writer) error {
			if err := putPlanless(ctx, w, "a", "/x"); err != nil {
				t.Error(err)
			}
			panic("a programmer's mistake")
		})
	}()
	if rev := revOf(t, s); rev != 0 {
		t.Fatalf("rev %d", rev)
	}
	if _, err := s.Update(ctx, func(w control.Writer) error { return putPlanless(ctx, w, "b", "/x") }); err != nil {
		t.Fatal(err) // the writer is free again
	}
}

func TestWaitingForTheWriterEndsWithTheContext(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var rows []api.Row
	var err error
	_, outer := s.Update(context.Background(), func(control.Writer) error {
		rows, err = s.Update(ctx, func(control.Writer) error { return nil })
		return nil
	})
	if outer != nil || !errors.Is(err, context.DeadlineExceeded) || rows != nil {
		t.Fatalf("%v; %v", outer, err)
	}
}

func TestDuplicateAndMissingRows(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	_, err := s.Update(ctx, func(w control.Writer) error {
		if err := putPlanless(ctx, w, "a", "/x"); err != nil {
			return err
		}
		return w.PutRepository(ctx, &fleet.Repository{ID: "other", Name: "a"})
	})
	if !errors.Is(err, control.ErrDuplicate) {
		t.Fatalf("got %v", err)
	}
	err = s.View(ctx, func(r control.Reader) error {
		_, err := r.Repository(ctx, "a")
		return err
	})
	if !errors.Is(err, control.ErrNotFound) {
		t.Fatalf("the first row stayed: %v", err)
	}
	_, err = s.Update(ctx, func(w control.Writer) error {
		return w.PutJob(ctx, &control.JobRecord{Job: fleet.Job{ID: "never stored", State: fleet.StateFailed}, CreatedRev: 7})
	})
	if !errors.Is(err, control.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}
