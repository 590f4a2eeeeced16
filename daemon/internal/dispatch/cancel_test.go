package dispatch_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// TestACancelThatOvertakesItsJob: the cancel is sent between the store's word and the command; the agent, which did not know
// the job yet, hears of it again at once.
func TestACancelThatOvertakesItsJob(t *testing.T) {
	b := &books{}
	run(t, b, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		s.Ready(agentwire.ConfigUpdate{}, nil, false)
		b.set("h1", queued("j1", "h1"))
		b.dispatched = func(id fleet.JobID) {
			b.dispatched = nil
			j := queued(id, "h1")
			j.State, j.CancelRequested = fleet.StateDispatched, true
			b.set("h1", j)
			d.Cancel("h1", id, "ada")
		}
		d.Offer(queued("j1", "h1"))
		synctest.Wait()
		want := []agentwire.Type{agentwire.TypeConfigUpdate, agentwire.TypeCommandCancel, agentwire.TypeCommandRun, agentwire.TypeCommandCancel}
		if !slices.Equal(w.sent, want) {
			t.Fatalf("sent %v, want %v", w.sent, want)
		}
	})
}

// TestACancelWhileJobsAreRead: the look read the store before the cancel was there. Who asked stands in every command all the same.
func TestACancelWhileJobsAreRead(t *testing.T) {
	b := &books{}
	run(t, b, func(t *testing.T, d *dispatch.Dispatcher) {
		s, w := join(t, d, "h1", "one")
		s.Ready(agentwire.ConfigUpdate{}, []agentwire.HeldJob{{JobID: "j1", State: fleet.StateRunning}}, false)
		synctest.Wait()
		j := queued("j1", "h1")
		j.State, j.CancelRequested = fleet.StateRunning, true
		var once sync.Once
		b.read = func() {
			once.Do(func() { // this look is about another job
				b.set("h1", j)
				d.Cancel("h1", "j1", "ada")
			})
		}
		d.Offer(queued("j2", "h1"))
		synctest.Wait()
		time.Sleep(10 * time.Second) // fake: it is sent again and again
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.by) < 3 || slices.ContainsFunc(w.by, func(by string) bool { return by != "ada" }) {
			t.Fatalf("cancelled by %q", w.by)
		}
	})
}

// TestACancelledJobThatIsNowhereEnds: it counts as sent, but this session never carried it and hello did not name it.
func TestACancelledJobThatIsNowhereEnds(t *testing.T) {
	b := &books{}
	j := queued("j1", "h1")
	j.State, j.CancelRequested = fleet.StateDispatched, true
	b.set("h1", j)
	run(t, b, func(t *testing.T, d *dispatch.Dispatcher) {
		s, _ := join(t, d, "h1", "one")
		s.Ready(agentwire.ConfigUpdate{}, nil, true)
		synctest.Wait()
		if len(b.rejected) != 1 {
			t.Fatalf("%v", b.rejected)
		}
		b.set("h2", j)
		s, w := join(t, d, "h2", "one")
		s.Ready(agentwire.ConfigUpdate{}, []agentwire.HeldJob{{JobID: "j1", State: fleet.StateRunning}}, true)
		synctest.Wait()
		if len(b.rejected) != 1 || w.count(agentwire.TypeCommandCancel) == 0 {
			t.Fatalf("the agent holds it: %v %v", b.rejected, w.sent)
		}
	})
}
