package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// model is what a console keeps: the newest row of each object.
type model struct {
	mu    sync.Mutex
	rows  map[string]int64
	rev   int64
	lists int
	wrong error
	lost  int
}

func (m *model) handler() apiclient.WatchHandler {
	return apiclient.WatchHandler{
		List: func(rows []api.Row, asOf int64) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.lists++
			m.rows, m.rev = map[string]int64{}, asOf
			for _, r := range rows {
				m.rows[r.ID] = r.Rev
			}
		},
		Changes: func(rows []api.Row) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, r := range rows {
				if r.Rev != m.rev+1 {
					m.wrong = fmt.Errorf("rev %d after %d", r.Rev, m.rev)
				}
				m.rev = r.Rev
				if r.Deleted {
					delete(m.rows, r.ID)
				} else {
					m.rows[r.ID] = r.Rev
				}
			}
		},
		Lost: func(error, time.Duration) { m.mu.Lock(); m.lost++; m.mu.Unlock() },
	}
}

func (m *model) is(rev int64, want map[string]int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rev == rev && maps.Equal(m.rows, want)
}

// G15: list and changes are the truth, on random histories over connections that break.
func TestWatchIsTheTruth(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newServer(t)
			s.Chaos.Seed(seed)
			s.Chaos.Cut, s.Chaos.Refuse, s.Chaos.Repeat, s.Chaos.Skip = 0.1, 0.1, 0.3, 0.05
			c := newClient(t, s)
			m := &model{}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- c.Watch(ctx, apiclient.WatchOptions{}, m.handler()) }()
			rnd := rand.New(rand.NewPCG(seed, 2))
			truth := map[string]int64{}
			var rev int64
			for range 400 {
				id := fmt.Sprint("h", rnd.IntN(20))
				deleted := rnd.IntN(4) == 0
				rev = s.Change(api.Row{Kind: "host", ID: id, Deleted: deleted, Host: &fleet.Host{}})
				if truth[id] = rev; deleted {
					delete(truth, id)
				}
				if rnd.IntN(100) == 0 {
					s.SetEpoch(fmt.Sprint("epoch", rev))
				}
			}
			sharedtest.Eventually(t, 20*time.Second, "the model is the truth", func() bool { return m.is(rev, truth) })
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if m.wrong != nil {
				t.Fatal(m.wrong)
			}
		})
	}
}

func TestWatchResumesWithoutAList(t *testing.T) {
	s := newServer(t)
	s.Change(api.Row{Kind: "host", ID: "a", Host: &fleet.Host{}})
	p := newProxy(t, s)
	c := newClient(t, s, func(cfg *apiclient.Config) { cfg.Address = p.address() })
	m := &model{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- c.Watch(ctx, apiclient.WatchOptions{}, m.handler()) }()
	sharedtest.Eventually(t, 10*time.Second, "list", func() bool { return m.is(1, map[string]int64{"a": 1}) })
	p.cut()
	s.Change(api.Row{Kind: "host", ID: "b", Host: &fleet.Host{}})
	sharedtest.Eventually(t, 10*time.Second, "change", func() bool { return m.is(2, map[string]int64{"a": 1, "b": 2}) })
	cancel()
	<-done
	if m.lists != 1 || m.lost == 0 {
		t.Fatalf("listed %d times, lost %d times", m.lists, m.lost)
	}
}
