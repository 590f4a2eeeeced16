package watch_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/watch"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

func row(rev int64) api.Row { return api.Row{Kind: "job", ID: "j", Rev: rev} }

func revs(rows []api.Row) []int64 {
	var out []int64
	for _, r := range rows {
		out = append(out, r.Rev)
	}
	return out
}

func mustSubscribe(t *testing.T, f *watch.Feed, rev int64) *watch.Cursor {
	t.Helper()
	c, err := f.Subscribe(rev)
	if err != nil {
		t.Fatalf("subscribe after %d: %v", rev, err)
	}
	return c
}

func want(t *testing.T, c *watch.Cursor, wanted ...int64) {
	t.Helper()
	rows, err := c.Next(1000)
	if err != nil {
		t.Fatalf("next: %v", err)
	}
	got := revs(rows)
	if len(got) != len(wanted) {
		t.Fatalf("got revs %v, want %v", got, wanted)
	}
	for i := range got {
		if got[i] != wanted[i] {
			t.Fatalf("got revs %v, want %v", got, wanted)
		}
	}
}

func TestCommitsPublishedInTheWrongOrder(t *testing.T) {
	f := watch.New(watch.Config{Rev: 4})
	c := mustSubscribe(t, f, 4)
	bell := c.Bell()
	f.Publish(row(7), row(8))
	f.Publish(row(6))
	want(t, c)
	select {
	case <-bell:
		t.Fatal("the bell rang for changes that must wait for rev 5")
	default:
	}
	f.Publish(row(5))
	select {
	case <-bell:
	default:
		t.Fatal("the bell did not ring")
	}
	want(t, c, 5, 6, 7, 8)
	f.Publish(row(6)) // doubled
	want(t, c)
	f.Publish(row(9))
	want(t, c, 9)
}

func TestConcurrentPublishersAndReaders(t *testing.T) {
	const changes = 4000
	f := watch.New(watch.Config{GapLimit: time.Minute})
	rnd := rand.New(rand.NewPCG(1, 2)) // neighbours overtake each other, as commits do
	var writers, readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			c, err := f.Subscribe(0)
			if err != nil {
				t.Error(err)
				return
			}
			next := int64(1)
			for next <= changes {
				bell := c.Bell()
				rows, err := c.Next(100)
				if err != nil {
					t.Error(err)
					return
				}
				for _, r := range rows {
					if r.Rev != next {
						t.Errorf("rev %d came, want %d", r.Rev, next)
						return
					}
					next++
				}
				if len(rows) == 0 {
					<-bell
				}
			}
		})
	}
	for from := int64(0); from < changes; from += 50 {
		window := rnd.Perm(50)
		for w := range 4 {
			writers.Go(func() {
				for i := w; i < len(window); i += 4 {
					f.Publish(row(from + int64(window[i]) + 1))
				}
			})
		}
		writers.Wait()
	}
	readers.Wait()
}

func TestTooOld(t *testing.T) {
	f := watch.New(watch.Config{Rev: 100, Capacity: 10})
	if _, err := f.Subscribe(99); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("a rev from before the start: %v", err)
	}
	slow := mustSubscribe(t, f, 100)
	for rev := int64(101); rev <= 110; rev++ {
		f.Publish(row(rev))
	}
	want(t, mustSubscribe(t, f, 100), 101, 102, 103, 104, 105, 106, 107, 108, 109, 110)
	f.Publish(row(111))
	if _, err := slow.Next(5); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("a reader behind the ring: %v", err)
	}
	if _, err := f.Subscribe(100); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("a rev behind the ring: %v", err)
	}
	want(t, mustSubscribe(t, f, 109), 110, 111)
}

func TestResumeFromAnotherTime(t *testing.T) {
	f := watch.New(watch.Config{Rev: 10})
	if _, err := f.Resume(11); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("a rev of the future: %v", err)
	}
	f.Publish(row(11))
	if _, err := f.Resume(9); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("a rev of the past: %v", err)
	}
	c, err := f.Resume(10)
	if err != nil {
		t.Fatal(err)
	}
	want(t, c, 11)
}

func TestListAheadOfTheFeed(t *testing.T) {
	f := watch.New(watch.Config{Rev: 10})
	c := mustSubscribe(t, f, 12) // the list saw two commits that are not published yet
	f.Publish(row(12))
	f.Publish(row(11))
	want(t, c)
	f.Publish(row(13))
	want(t, c, 13)
}

func TestAGapThatNeverCloses(t *testing.T) {
	now := time.Unix(0, 0)
	f := watch.New(watch.Config{Clock: func() time.Time { return now }, GapLimit: 2 * time.Second})
	c := mustSubscribe(t, f, 0)
	f.Publish(row(1), row(3))
	want(t, c, 1)
	now = now.Add(1900 * time.Millisecond)
	f.Publish()
	want(t, c)
	bell := c.Bell()
	now = now.Add(200 * time.Millisecond)
	f.Publish()
	select {
	case <-bell:
	default:
		t.Fatal("readers must be woken to learn of the reset")
	}
	if _, err := c.Next(10); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("a reader in front of a lost change: %v", err)
	}
	c = mustSubscribe(t, f, 3)
	f.Publish(row(2)) // too late, and no harm
	f.Publish(row(4))
	want(t, c, 4)
}

func TestTooManyWaitBehindAGap(t *testing.T) {
	f := watch.New(watch.Config{})
	c := mustSubscribe(t, f, 0)
	for rev := int64(2); rev < 1010; rev++ {
		f.Publish(row(rev))
	}
	if _, err := c.Next(10); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("memory behind a gap must be bounded: %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	f := watch.New(watch.Config{Bytes: 100 << 10})
	path := string(make([]byte, 10<<10))
	for rev := int64(1); rev <= 100; rev++ {
		f.Publish(api.Row{Kind: "plan", ID: "p", Rev: rev, Plan: &fleet.Plan{Backup: fleet.BackupSpec{Paths: []string{path}}}})
	}
	c := mustSubscribe(t, f, 95)
	want(t, c, 96, 97, 98, 99, 100)
	if _, err := f.Subscribe(80); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("old rows must go when the ring takes too much memory: %v", err)
	}
	// One row above the whole limit is not kept, and readers are told.
	f.Publish(api.Row{Kind: "plan", ID: "p", Rev: 101, Plan: &fleet.Plan{Backup: fleet.BackupSpec{Paths: make([]string, 10_000)}}})
	if _, err := c.Next(1); !errors.Is(err, watch.ErrTooOld) {
		t.Fatalf("a row that does not fit: %v", err)
	}
}
