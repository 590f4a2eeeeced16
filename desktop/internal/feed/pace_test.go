package feed_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// script is a daemon whose streams are a test's own, for the fake time of synctest; everything else of it is not asked for.
type script struct {
	feed.Daemon
	watch  func(ctx context.Context, h apiclient.WatchHandler) error
	follow func(ctx context.Context, opt apiclient.FollowOptions, h apiclient.FollowHandler) error
}

func (s script) Watch(ctx context.Context, _ apiclient.WatchOptions, h apiclient.WatchHandler) error {
	if s.watch == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.watch(ctx, h)
}

func (s script) Follow(ctx context.Context, _ fleet.JobID, opt apiclient.FollowOptions, h apiclient.FollowHandler) error {
	if s.follow == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.follow(ctx, opt, h)
}

func (s script) Identity(context.Context) (api.Identity, error) {
	return api.Identity{User: "mira", Role: fleet.RoleAdmin}, nil
}

// slowUI is a UI goroutine that takes its time for each function.
type slowUI struct {
	mu       sync.Mutex
	takes    time.Duration
	running  sync.WaitGroup
	inFlight int
	most     int
	began    []time.Time // when functions were posted
	ended    []time.Time // when they had run
}

func (u *slowUI) post(fn func()) {
	u.mu.Lock()
	u.inFlight++
	u.most = max(u.most, u.inFlight)
	u.began = append(u.began, time.Now())
	takes := u.takes
	u.mu.Unlock()
	u.running.Go(func() {
		time.Sleep(takes) // fake time: the UI is busy
		fn()
		u.mu.Lock()
		u.inFlight--
		u.ended = append(u.ended, time.Now())
		u.mu.Unlock()
	})
}

// paced complains about batches that came too fast or two at a time.
func (u *slowUI) paced(t *testing.T, interval time.Duration) {
	t.Helper()
	u.running.Wait()
	if u.most > 1 {
		t.Errorf("%d batches were in flight at once", u.most)
	}
	for i := 1; i < len(u.began); i++ {
		if gap := u.began[i].Sub(u.ended[i-1]); gap < interval {
			t.Fatalf("batch %d came %v after the one before", i, gap)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func row(i int) api.Row {
	id := fleet.HostID(fmt.Sprintf("h%07d", i))
	return api.Row{Kind: "host", ID: string(id), Host: &fleet.Host{ID: id, Name: string(id)}}
}

// pass lets time pass and waits until everybody has had a turn.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// However fast the fleet changes, at most ten batches a second are posted, one at a time, and nothing is missing.
func TestBatchesArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const changes = 10_000
		d := script{watch: func(ctx context.Context, h apiclient.WatchHandler) error {
			h.List(nil, 0)
			for i := range changes {
				h.Changes([]api.Row{row(i), row(i % 7)})
				h.Tick(api.WatchTick{Progress: map[fleet.JobID]fleet.Progress{"j": {BytesDone: int64(i)}}})
				if err := pause(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		u, m := &slowUI{}, model.New()
		s := feed.Start(feed.Config{Daemon: d, Post: u.post, Apply: func(b model.Batch) { m.Apply(b) }})
		pass(11 * time.Second)
		s.Close()
		u.paced(t, feed.DefaultInterval)
		if n := len(u.began); n > 103 || n < 90 || len(m.Hosts()) != changes {
			t.Errorf("%d batches for 10 s, %d hosts", n, len(m.Hosts()))
		}
	})
}

// While the UI is stuck, rows that changed again and again take the place of the ones before, and when too many objects wait the
// watch is not read on. When the UI is back nothing is missing.
func TestAStuckUIHoldsTheWatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const changes = 60_000
		var given atomic.Int64
		d := script{watch: func(ctx context.Context, h apiclient.WatchHandler) error {
			h.List(nil, 0)
			for i := 0; i < changes && ctx.Err() == nil; i += 100 {
				var rows []api.Row
				for k := range 100 {
					rows = append(rows, row(i+k), row(1))
				}
				h.Changes(rows)
				given.Store(int64(i) + 100)
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		u, m := &slowUI{takes: time.Hour}, model.New()
		most, applied := 0, 0
		s := feed.Start(feed.Config{Daemon: d, Post: u.post, Apply: func(b model.Batch) {
			most = max(most, len(b.Rows))
			applied++
			m.Apply(b)
		}})
		pass(90 * time.Minute) // one batch is applied by now, the next one hangs
		if n := given.Load(); n > 45_000 {
			t.Errorf("%d changes were taken while the UI was stuck", n)
		}
		u.mu.Lock()
		u.takes = 0
		u.mu.Unlock()
		pass(2 * time.Hour)
		s.Close()
		u.running.Wait()
		if len(m.Hosts()) != changes || most > 20_200 {
			t.Errorf("%d hosts of %d, at most %d rows in a batch, %d batches", len(m.Hosts()), changes, most, applied)
		}
	})
}

func textLine(i int64) fleet.LogLine {
	return fleet.LogLine{Time: time.Unix(i, 0).UTC(), Stream: fleet.StreamOut, Text: fmt.Sprintf("line %d", i)}
}

// A log of a million lines passes a slow UI in bounded pieces.
func TestAStuckUIHoldsTheLogUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 200_000
		var given atomic.Int64
		d := script{follow: func(ctx context.Context, _ apiclient.FollowOptions, h apiclient.FollowHandler) error {
			h.Snapshot(api.StreamSnapshot{Job: fleet.Job{ID: "j"}, FromSeq: 1, AsOfSeq: all})
			for at := int64(0); at < all && ctx.Err() == nil; at += 250 {
				var lines []fleet.LogLine
				for i := range int64(250) {
					lines = append(lines, textLine(at+i+1))
				}
				h.Lines(at+1, lines)
				given.Store(at + 250)
			}
			h.EOF(api.EOF{LastSeq: all})
			return nil
		}}
		u := &slowUI{takes: time.Minute}
		s := feed.Start(feed.Config{Daemon: d, Post: u.post, Apply: func(model.Batch) {}})
		var next int64 = 1
		most, eof := 0, false
		f := s.Follow(feed.FollowConfig{Job: "j", Apply: func(b model.JobBatch) {
			if len(b.Lines) > 0 && b.First != next {
				t.Errorf("line %d came where %d was next", b.First, next)
			}
			next += int64(len(b.Lines))
			most, eof = max(most, len(b.Lines)), eof || b.EOF
		}})
		pass(30 * time.Second)
		if n := given.Load(); n > 45_000 {
			t.Errorf("%d lines were taken while the UI was stuck", n)
		}
		pass(time.Hour)
		if next != all+1 || !eof || most > 20_250 {
			t.Errorf("%d lines, eof %v, at most %d at once", next-1, eof, most)
		}
		f.Close()
		s.Close()
		u.running.Wait()
	})
}

// An answer comes unless the page, or the session, is gone; Close waits for what is under way.
func TestCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUI()
		s := feed.Start(feed.Config{Daemon: script{}, Post: u.post, Apply: func(model.Batch) {}})
		var asked, ended atomic.Int64
		slow := func(ctx context.Context) (int, error) {
			asked.Add(1)
			defer ended.Add(1)
			return 7, pause(ctx, time.Second)
		}
		got := map[string]int{}
		call := func(name string, ctx context.Context) {
			feed.Call(ctx, s.Calls, slow, func(v int, err error) { got[name] += v })
		}
		page, leave := context.WithCancel(t.Context())
		call("wanted", t.Context())
		call("left", page)
		feed.Do(t.Context(), s.Calls, func(context.Context) error { return fault.New(fault.Conflict, "no") }, func(err error) {
			if fault.CodeOf(err) != fault.Conflict {
				t.Error(err)
			}
			got["done"]++
		})
		feed.Do(t.Context(), s.Calls, func(context.Context) error { return nil }, nil)
		synctest.Wait()
		leave()
		pass(2 * time.Second)
		u.step()
		call("left before", page)
		call("closed", t.Context())
		synctest.Wait()
		s.Close()
		if asked.Load() != ended.Load() || asked.Load() != 3 {
			t.Errorf("%d asked, %d ended", asked.Load(), ended.Load())
		}
		call("after close", t.Context())
		pass(2 * time.Second)
		u.step()
		if len(got) != 2 || got["wanted"] != 7 || got["done"] != 1 {
			t.Error(got)
		}
	})
}

// What a session posted, and the UI did not run before its end, is not applied: a new session begins on clean ground.
func TestAnEndedSessionSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := script{watch: func(ctx context.Context, h apiclient.WatchHandler) error {
			h.List([]api.Row{row(1)}, 1)
			<-ctx.Done()
			return ctx.Err()
		}}
		u := newUI()
		var said []string
		old := feed.Start(feed.Config{Daemon: d, Post: u.post, Apply: func(model.Batch) { said = append(said, "old") }})
		old.Follow(feed.FollowConfig{Job: "j", Apply: func(model.JobBatch) { said = append(said, "old job") }})
		synctest.Wait()
		if u.waiting() != 2 {
			t.Fatalf("%d functions were posted", u.waiting())
		}
		old.Close() // on the UI goroutine, with functions waiting on it
		if f := old.Follow(feed.FollowConfig{Job: "j", Apply: func(model.JobBatch) { said = append(said, "old job") }}); f != nil {
			f.Close()
		}
		next := feed.Start(feed.Config{Daemon: d, Post: u.post, Apply: func(model.Batch) { said = append(said, "new") }})
		synctest.Wait()
		for u.step() > 0 {
			synctest.Wait()
		}
		next.Close()
		if len(said) == 0 {
			t.Error("the new session says nothing")
		}
		for _, s := range said {
			if s != "new" {
				t.Errorf("said: %v", said)
				break
			}
		}
	})
}

// An error that may pass is tried again after a while, and at once when a person asks.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries, good atomic.Int64 // the daemon fails until try number good
		good.Store(4)
		d := script{watch: func(ctx context.Context, h apiclient.WatchHandler) error {
			switch n := tries.Add(1); {
			case n > 100:
				return fault.New(fault.PinMismatch, "another daemon")
			case n < good.Load():
				return fault.New(fault.Internal, "The daemon failed.")
			}
			h.List(nil, 0)
			<-ctx.Done()
			return ctx.Err()
		}}
		u, m := newUI(), model.New()
		s := feed.Start(feed.Config{Daemon: d, Post: u.post, Apply: func(b model.Batch) { m.Apply(b) }})
		after := func(d time.Duration, wantTries int64, want model.Link) model.Connection {
			t.Helper()
			for end := time.Now().Add(d); time.Now().Before(end); pass(50 * time.Millisecond) {
				u.step()
			}
			if c := m.Connection(); tries.Load() != wantTries || c.Link != want {
				t.Errorf("%d tries, %+v", tries.Load(), c)
			}
			return m.Connection()
		}
		began := time.Now()
		first := after(time.Second, 1, model.Lost)
		if !first.Since.Equal(began) || !first.RetryAt.After(time.Now()) {
			t.Errorf("%+v", first)
		}
		if c := after(30*time.Second, 2, model.Lost); !c.Since.Equal(first.Since) || !c.RetryAt.After(first.RetryAt) {
			t.Errorf("%+v", c)
		}
		s.Reconnect()
		after(time.Second, 3, model.Lost)
		s.Reconnect()
		after(time.Second, 4, model.Live)
		s.Reconnect() // also while it is live
		after(time.Second, 5, model.Live)
		tries.Store(200)
		s.Reconnect()
		if c := after(time.Hour, 201, model.Lost); !c.RetryAt.IsZero() || fault.CodeOf(c.Err) != fault.PinMismatch || c.AsOf.IsZero() {
			t.Errorf("%+v", c)
		}
		s.Close()
	})
}
