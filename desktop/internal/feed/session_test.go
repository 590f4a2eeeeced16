package feed_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func hostRow(i int, name string) api.Row {
	id := fleet.HostID(fmt.Sprintf("h%03d", i))
	return api.Row{Kind: "host", ID: string(id), Host: &fleet.Host{ID: id, Name: name, Online: true}}
}

// Whatever is cut, repeated or left out on the way, the model ends up as what the daemon knows.
func TestSessionKeepsUpAcrossCuts(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s, u, m := newServer(t), newUI(), model.New()
			s.Chaos = apitest.Chaos{Cut: 0.1, Refuse: 0.1, Repeat: 0.2, Skip: 0.05}
			s.Chaos.Seed(seed)
			s.Change(hostRow(0, "first"))
			start(t, newClient(t, s), u, feed.Config{Interval: 5 * time.Millisecond, Apply: func(b model.Batch) { m.Apply(b) }})
			rnd := rand.New(rand.NewPCG(seed, 2))
			want := map[fleet.HostID]string{"h000": "first"}
			for i := range 500 {
				n := rnd.IntN(40)
				r := hostRow(n, fmt.Sprintf("name-%d", i))
				if rnd.IntN(5) == 0 {
					r = api.Row{Kind: "host", ID: r.ID, Deleted: true}
					delete(want, fleet.HostID(r.ID))
				} else {
					want[r.Host.ID] = r.Host.Name
				}
				s.Change(r)
				if i%25 == 0 {
					u.step()
				}
			}
			u.until(t, "all changes", func() bool { return maps.Equal(namesOf(m), want) })
		})
	}
}

func namesOf(m *model.Fleet) map[fleet.HostID]string {
	got := map[fleet.HostID]string{}
	for _, h := range m.Hosts() {
		got[h.ID] = h.Name
	}
	return got
}

func TestSessionTellsWhoIsSignedIn(t *testing.T) {
	s, u, m := newServer(t), newUI(), model.New()
	s.Change(hostRow(1, "a"))
	start(t, newClient(t, s), u, feed.Config{Apply: func(b model.Batch) { m.Apply(b) }})
	u.until(t, "identity and list", func() bool { return m.Identity().User == "admin" && m.Listed() })
	if c := m.Connection(); c.Link != model.Live || c.AsOf.IsZero() || !m.May(fleet.RoleOperator) {
		t.Fatalf("connection %+v", c)
	}
}

// An ended session is signed out and does not ask again; a new one has to be made.
func TestSessionSignedOut(t *testing.T) {
	s, u, m := newServer(t), newUI(), model.New()
	c := newClient(t, s).WithToken("unknown")
	start(t, c, u, feed.Config{Apply: func(b model.Batch) { m.Apply(b) }})
	u.until(t, "signed out", func() bool { return m.Connection().Link == model.SignedOut })
	if got := m.Connection(); fault.CodeOf(got.Err) != fault.Unauthenticated || !got.RetryAt.IsZero() {
		t.Fatalf("%+v", got)
	}
}

// A daemon that is away leaves the last state, and says when the next try is.
func TestSessionLostAndBack(t *testing.T) {
	s, u, m := newServer(t), newUI(), model.New()
	s.Change(hostRow(1, "a"))
	away := make(chan bool, 1)
	away <- false
	s.OnRequest = func(w http.ResponseWriter, r *http.Request) bool {
		is := <-away
		away <- is
		if is {
			apitest.Problem(w, http.StatusServiceUnavailable, fault.Unavailable, "The daemon is stopping.")
		}
		return is
	}
	<-away
	away <- true
	start(t, newClient(t, s), u, feed.Config{Interval: time.Millisecond, Apply: func(b model.Batch) { m.Apply(b) }})
	u.until(t, "lost", func() bool { return m.Connection().Link == model.Lost })
	if c := m.Connection(); c.RetryAt.IsZero() || fault.CodeOf(c.Err) != fault.Unavailable {
		t.Fatalf("%+v", c)
	}
	since := m.Connection().Since
	<-away
	away <- false
	u.until(t, "live", func() bool { return m.Connection().Link == model.Live })
	if !m.Connection().Since.After(since) || len(m.Hosts()) != 1 {
		t.Fatalf("since %v, %d hosts", m.Connection().Since, len(m.Hosts()))
	}
}

// After Close nothing is handed over, not even what was posted before; and Close does not wait for the UI.
func TestNothingAfterClose(t *testing.T) {
	s, u := newServer(t), newUI()
	s.Change(hostRow(1, "a"))
	applied := 0
	session := start(t, newClient(t, s), u, feed.Config{Interval: time.Millisecond, Apply: func(model.Batch) { applied++ }})
	<-u.bell // something is posted, and not run
	session.Close()
	before := applied
	for i := range 20 {
		s.Change(hostRow(i, "b"))
	}
	feed.Call(t.Context(), session.Calls, func(ctx context.Context) (int, error) { return 1, nil }, func(int, error) { applied++ })
	u.step()
	if applied != before || before != 0 {
		t.Fatalf("%d batches were applied after Close, %d before", applied-before, before)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.queue) != 0 {
		t.Fatal("something was posted after Close")
	}
}
