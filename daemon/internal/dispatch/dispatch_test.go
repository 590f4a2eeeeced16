package dispatch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// books is a small Control: jobs by host, and what was asked of it.
type books struct {
	mu         sync.Mutex
	jobs       map[fleet.HostID][]fleet.Job
	config     agentwire.ConfigUpdate
	broken     bool
	rejected   []fleet.JobID
	cloned     []fleet.HostID
	dispatched func(fleet.JobID) // called when a job was marked as sent
	read       func()            // called when the jobs of a host were read, before they are given
}

func (b *books) PendingJobs(_ context.Context, host fleet.HostID) ([]fleet.Job, error) {
	b.mu.Lock()
	broken, jobs, read := b.broken, append([]fleet.Job(nil), b.jobs[host]...), b.read
	b.mu.Unlock()
	if broken {
		return nil, errors.New("the disk is on fire")
	}
	if read != nil {
		read()
	}
	return jobs, nil
}

func (b *books) JobDispatched(_ context.Context, id fleet.JobID) error {
	err := b.dispatch(id)
	if err == nil && b.dispatched != nil {
		b.dispatched(id)
	}
	return err
}

func (b *books) dispatch(id fleet.JobID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for h := range b.jobs {
		for i := range b.jobs[h] {
			if j := &b.jobs[h][i]; j.ID == id {
				if j.CancelRequested {
					return fault.New(fault.Conflict, "to be cancelled")
				}
				j.State = fleet.StateDispatched
				return nil
			}
		}
	}
	return fault.New(fault.UnknownJob, "no such job")
}

func (b *books) AgentCloned(_ context.Context, host fleet.HostID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cloned = append(b.cloned, host)
	return nil
}

func (b *books) JobRejected(_ context.Context, host fleet.HostID, id fleet.JobID, _ agentwire.CommandReject) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rejected = append(b.rejected, id)
	b.jobs[host] = nil
	return nil
}

func (b *books) HostConfig(context.Context, fleet.HostID) (agentwire.ConfigUpdate, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.config, nil
}

func (b *books) set(host fleet.HostID, jobs ...fleet.Job) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.jobs == nil {
		b.jobs = map[fleet.HostID][]fleet.Job{}
	}
	b.jobs[host] = jobs
}

// wire is a Link that remembers.
type wire struct {
	mu    sync.Mutex
	sent  []agentwire.Type
	ids   []string
	by    []string // who cancelled, of each command.cancel
	full  bool
	code  int
	heard time.Time
}

func (w *wire) Send(t agentwire.Type, id string, _ fleet.JobID, payload any) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full {
		return false
	}
	w.sent, w.ids = append(w.sent, t), append(w.ids, id)
	if c, ok := payload.(agentwire.CommandCancel); ok {
		w.by = append(w.by, c.By)
	}
	return true
}

func (w *wire) Close(code int, _ string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.code == 0 {
		w.code = code
	}
}

func (w *wire) Heard() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.heard
}

func (w *wire) count(t agentwire.Type) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sent {
		if s == t {
			n++
		}
	}
	return n
}

func (w *wire) closedWith() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.code
}

// run tests with a dispatcher at work, in a bubble of fake time.
func run(t *testing.T, b *books, test func(t *testing.T, d *dispatch.Dispatcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := dispatch.New(dispatch.Config{Control: b})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { d.Run(ctx) })
		test(t, d)
		cancel()
		wg.Wait()
	})
}

func join(t *testing.T, d *dispatch.Dispatcher, host fleet.HostID, incarnation string) (*dispatch.Seat, *wire) {
	t.Helper()
	w := &wire{heard: time.Now()}
	s, err := d.Join(host, incarnation, w)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

func queued(id fleet.JobID, host fleet.HostID) fleet.Job {
	return fleet.Job{ID: id, HostID: host, State: fleet.StateQueued, CreatedAt: time.Now()}
}

func TestOfferedJobsGoOutAndComeAgain(t *testing.T) {
	b := &books{}
	run(t, b, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		b.set("h1", queued("j1", "h1"))
		d.Offer(queued("j1", "h1"))
		synctest.Wait()
		if n := w.count(agentwire.TypeCommandRun); n != 0 {
			t.Fatalf("%d commands before welcome", n)
		}
		s.Ready(agentwire.ConfigUpdate{}, nil, false)
		synctest.Wait()
		if n := w.count(agentwire.TypeCommandRun); n != 1 {
			t.Fatalf("%d commands: what was offered before welcome must go out after it", n)
		}
		for range 5 { // more doorbells do not send it again
			d.Offer(queued("j1", "h1"))
		}
		synctest.Wait()
		if n := w.count(agentwire.TypeCommandRun); n != 1 {
			t.Fatalf("%d commands at once", n)
		}
		time.Sleep(10 * time.Second)
		if n := w.count(agentwire.TypeCommandRun); n < 3 || n > 4 {
			t.Fatalf("%d commands in 10 s", n)
		}
		b.set("h1")
		time.Sleep(4 * time.Second)
		n := w.count(agentwire.TypeCommandRun)
		time.Sleep(20 * time.Second)
		if w.count(agentwire.TypeCommandRun) != n {
			t.Fatal("sent after it was confirmed")
		}
	})
}

func TestAStoreThatFailsIsAskedAgain(t *testing.T) {
	b := &books{broken: true}
	b.set("h1", queued("j1", "h1"))
	run(t, b, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		s.Ready(agentwire.ConfigUpdate{}, nil, true)
		synctest.Wait()
		b.mu.Lock()
		b.broken = false
		b.mu.Unlock()
		time.Sleep(4 * time.Second)
		if w.count(agentwire.TypeCommandRun) == 0 {
			t.Fatal("never sent")
		}
	})
}

func TestAFullOutboxIsTriedAgain(t *testing.T) {
	b := &books{}
	b.set("h1", queued("j1", "h1"))
	run(t, b, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		w.full = true
		s.Ready(agentwire.ConfigUpdate{Version: 7}, nil, true)
		synctest.Wait()
		w.mu.Lock()
		w.full = false
		w.mu.Unlock()
		time.Sleep(5 * time.Second)
		if w.count(agentwire.TypeCommandRun) == 0 || w.count(agentwire.TypeConfigUpdate) == 0 {
			t.Fatalf("%v", w.sent)
		}
	})
}

func TestOneSessionAHost(t *testing.T) {
	run(t, &books{}, func(t *testing.T, d *dispatch.Dispatcher) {
		old, w1 := join(t, d, "h1", "one")
		_, w2 := join(t, d, "h1", "one")
		if w1.closedWith() != agentwire.CloseReplaced || w2.closedWith() != 0 {
			t.Fatalf("%d %d", w1.closedWith(), w2.closedWith())
		}
		old.Leave()
		if !d.Online("h1") || d.Sessions() != 1 {
			t.Fatal("the older one took the place of the newer away")
		}
		d.Disconnect("h1")
		if d.Online("h1") || w2.closedWith() != agentwire.CloseRevoked {
			t.Fatal("still there")
		}
		d.Disconnect("h1")
		if d.Online("nobody") {
			t.Fatal("a host that never came is online")
		}
	})
}

func TestSilentSessionsAreClosed(t *testing.T) {
	run(t, &books{}, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		s.Ready(agentwire.ConfigUpdate{}, nil, false)
		time.Sleep(45 * time.Second)
		if w.closedWith() != 0 {
			t.Fatal("too early")
		}
		time.Sleep(10 * time.Second)
		if w.closedWith() != agentwire.CloseSilent {
			t.Fatal("not closed")
		}
	})
}

func TestRequestsAreBounded(t *testing.T) {
	run(t, &books{}, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		if _, err := d.Request(t.Context(), "h1", agentwire.Request{}); fault.CodeOf(err) != fault.HostOffline {
			t.Fatalf("before welcome: %v", err)
		}
		s.Ready(agentwire.ConfigUpdate{}, nil, false)
		var wg sync.WaitGroup
		answers := make([]error, 20)
		for i := range answers {
			wg.Go(func() { _, answers[i] = d.Request(t.Context(), "h1", agentwire.Request{}) })
		}
		synctest.Wait()
		if n := w.count(agentwire.TypeRequest); n != 16 {
			t.Fatalf("%d under way", n)
		}
		s.Leave()
		wg.Wait()
		codes := map[fault.Code]int{}
		for _, err := range answers {
			codes[fault.CodeOf(err)]++
		}
		if codes[fault.RateLimited] != 4 || codes[fault.HostOffline] != 16 {
			t.Fatalf("%v", codes)
		}
	})
}

func TestTwoAgentsOfOneIdentity(t *testing.T) {
	run(t, &books{}, func(t *testing.T, d *dispatch.Dispatcher) {
		for _, inc := range []string{"a", "a", "b", "b", "c", "d", "e", "f"} { // restarts
			join(t, d, "h1", inc)
		}
		_, w := join(t, d, "h2", "e")
		for range 3 { // seven returns: a connection that was held up could be behind the first two
			join(t, d, "h1", "e")
			join(t, d, "h1", "f")
			time.Sleep(10 * time.Second)
		}
		join(t, d, "h1", "e")
		if _, err := d.Join("h1", "f", &wire{}); fault.CodeOf(err) != fault.Conflict {
			t.Fatalf("%v", err)
		}
		if d.Online("h1") || !d.Online("h2") || w.closedWith() != 0 {
			t.Fatal("the wrong host was refused")
		}
		time.Sleep(61 * time.Second)
		join(t, d, "h1", "f") // after the quarantine it is tried again
	})
}

// TestEveryHostIsLookedAfter: many doorbells from many goroutines, and no host is forgotten.
func TestEveryHostIsLookedAfter(t *testing.T) {
	b := &books{}
	run(t, b, func(t *testing.T, d *dispatch.Dispatcher) {
		const hosts = 200
		wires := make([]*wire, hosts)
		var wg sync.WaitGroup
		for i := range hosts {
			host := fleet.HostID("h" + string(rune('A'+i/20)) + string(rune('a'+i%20)))
			s, w := join(t, d, host, "one")
			wires[i] = w
			s.Ready(agentwire.ConfigUpdate{}, nil, false)
			j := queued(fleet.JobID("j"+string(host)), host)
			b.set(host, j)
			wg.Go(func() { d.Offer(j); d.Configure(host); d.Offer(j) })
		}
		wg.Wait()
		synctest.Wait()
		for i, w := range wires {
			if w.count(agentwire.TypeCommandRun) != 1 {
				t.Fatalf("host %d: %v", i, w.sent)
			}
		}
	})
}
