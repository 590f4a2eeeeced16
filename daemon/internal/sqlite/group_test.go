package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/sharedtest"
)

// shared is a store whose writer is taken, so that Updates gather behind it.
type shared struct {
	t       *testing.T
	s       *Store
	begin   chan struct{} // lets them go
	all     sync.WaitGroup
	expect  int
	mu      sync.Mutex
	answers map[string]answer
	given   atomic.Int64 // answers
}

type answer struct {
	rows []api.Row
	err  error
}

func gather(t *testing.T, s *Store) *shared {
	g := &shared{t: t, s: s, begin: make(chan struct{}), answers: map[string]answer{}}
	held := make(chan struct{})
	g.all.Go(func() {
		_, err := s.Update(context.Background(), func(control.Writer) error {
			close(held)
			<-g.begin
			return nil
		})
		if err != nil && fault.CodeOf(err) != fault.StorageFull { // where those behind it meet a full disk
			t.Error(err)
		}
	})
	<-held
	return g
}

// update has an Update wait behind those before it.
func (g *shared) update(ctx context.Context, name string, fn func(control.Writer) error) {
	g.t.Helper()
	g.all.Go(func() {
		a := answer{err: errors.New("it panicked")}
		defer func() {
			_ = recover()
			g.given.Add(1)
			g.mu.Lock()
			defer g.mu.Unlock()
			g.answers[name] = a
		}()
		a.rows, a.err = g.s.Update(ctx, fn)
	})
	g.expect++
	sharedtest.Eventually(g.t, time.Minute, "it waits", func() bool {
		g.s.line.mu.Lock()
		defer g.s.line.mu.Unlock()
		return len(g.s.line.waiting) == g.expect
	})
}

func (g *shared) put(name string) {
	g.t.Helper()
	ctx := context.Background()
	g.update(ctx, name, func(w control.Writer) error {
		if err := putPlanless(ctx, w, name, "/"+name); err != nil {
			return err
		}
		return w.AppendAudit(ctx, control.AuditEntry{Actor: "ada", Action: "repository.add", Object: name})
	})
}

func (g *shared) wait() {
	close(g.begin)
	g.all.Wait()
}

// stored wants exactly those repositories.
func (g *shared) stored(want ...string) {
	g.t.Helper()
	ctx := context.Background()
	err := g.s.View(ctx, func(r control.Reader) error {
		repositories, err := r.Repositories(ctx)
		if err != nil {
			return err
		}
		var got []string
		for _, v := range repositories {
			got = append(got, v.Name)
		}
		if slices.Sort(want); !slices.Equal(got, want) {
			g.t.Errorf("stored %q, want %q", got, want)
		}
		broken, err := r.VerifyAudit(ctx)
		if broken != 0 {
			g.t.Errorf("the audit chain is broken at %d", broken)
		}
		return err
	})
	if err != nil {
		g.t.Error(err)
	}
}

// TestUpdatesThatWaitShareACommit: nobody is answered before the last of them is through, and those that fail leave nothing.
func TestUpdatesThatWaitShareACommit(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	g := gather(t, s)
	refused, gone := errors.New("no"), context.Canceled
	g.put("a")
	g.update(ctx, "refused", func(w control.Writer) error {
		if err := putPlanless(ctx, w, "refused", "/x"); err != nil {
			return err
		}
		return refused
	})
	g.put("b")
	g.update(ctx, "panics", func(w control.Writer) error {
		if err := putPlanless(ctx, w, "panics", "/x"); err != nil {
			return err
		}
		panic("a programmer's mistake")
	})
	g.update(ctx, "doubled", func(w control.Writer) error {
		if err := putPlanless(ctx, w, "doubled", "/x"); err != nil {
			return err
		}
		return putPlanless(ctx, w, "a", "/x") // upserts by id: the name of another is what is refused
	})
	ending, end := context.WithCancel(ctx)
	g.update(ending, "hangs up", func(w control.Writer) error {
		end()
		return putPlanless(ctx, w, "hangs up", "/x")
	})
	var early int64
	seen := -1
	g.put("c")
	g.update(ctx, "last", func(w control.Writer) error {
		early = g.given.Load() - 1 // the one that panicked waits for nobody
		if err := s.View(ctx, func(r control.Reader) error {
			v, err := r.Repositories(ctx)
			seen = len(v)
			return err
		}); err != nil {
			return err
		}
		return putPlanless(ctx, w, "last", "/x")
	})
	g.wait()
	if early != 0 || seen != 0 {
		t.Errorf("before the commit %d were answered and %d repositories seen", early, seen)
	}
	g.stored("a", "b", "c", "doubled", "last")
	var revs []int64
	for name, want := range map[string]error{"a": nil, "b": nil, "c": nil, "last": nil, "doubled": nil, "refused": refused, "hangs up": gone} {
		got := g.answers[name]
		if !errors.Is(got.err, want) || (want != nil) != (got.rows == nil) {
			t.Errorf("%s: %+v, want %v", name, got, want)
		}
		for _, r := range got.rows {
			revs = append(revs, r.Rev)
		}
	}
	if slices.Sort(revs); !slices.Equal(revs, []int64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("revs %v", revs)
	}
	if rev := revOf(t, s); rev != 6 {
		t.Errorf("rev %d", rev)
	}
}

// TestAFullDiskIsToldToAllWhoShareIt: whoever is told that it went well finds it stored, and nobody else.
func TestAFullDiskIsToldToAllWhoShareIt(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	var pages int
	if err := s.db.Write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages+6)); err != nil {
		t.Fatal(err)
	}
	for round := range 4 {
		g := gather(t, s)
		for i := range 4 {
			name := fmt.Sprintf("r%d%d", round, i)
			g.update(ctx, name, func(w control.Writer) error { return putPlanless(ctx, w, name, strings.Repeat("x", 3000)) })
		}
		g.wait()
		for name, a := range g.answers {
			if a.err != nil && fault.CodeOf(a.err) != fault.StorageFull {
				t.Errorf("%s: %v", name, a.err)
			}
			err := s.View(ctx, func(r control.Reader) error {
				_, err := r.RepositoryByName(ctx, name)
				return err
			})
			if (a.err == nil) != (err == nil) {
				t.Errorf("%s: answered %v, found %v", name, a.err, err)
			}
		}
		if round == 3 && fault.CodeOf(g.answers["r33"].err) != fault.StorageFull {
			t.Errorf("the disk is not full: %v", g.answers["r33"].err)
		}
	}
}

// TestManyUpdatesAtOnce: revs are dense, the audit chain whole, whoever fails beside it.
func TestManyUpdatesAtOnce(t *testing.T) {
	const clients, each = 16, 40
	s, ctx := newStore(t), context.Background()
	no := errors.New("no")
	var mu sync.Mutex
	var revs []int64
	var names []string
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for i := range each {
				name := fmt.Sprintf("r-%02d-%02d", c, i)
				rows, err := s.Update(ctx, func(w control.Writer) error {
					if err := putPlanless(ctx, w, name, "/x"); err != nil {
						return err
					}
					if err := w.AppendAudit(ctx, control.AuditEntry{Actor: "ada", Action: "repository.add", Object: name}); err != nil {
						return err
					}
					if (c+i)%5 == 0 {
						return no
					}
					return nil
				})
				if want := (c+i)%5 == 0; errors.Is(err, no) != want || !want && err != nil {
					t.Errorf("%s: %v", name, err)
				}
				mu.Lock()
				for _, r := range rows {
					revs, names = append(revs, r.Rev), append(names, name)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(revs)
	for i, rev := range revs {
		if rev != int64(i+1) {
			t.Fatalf("rev %d at place %d", rev, i)
		}
	}
	(&shared{t: t, s: s}).stored(names...)
}
