package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/wsconn"
)

func (s *seen) handler() apiclient.FollowHandler {
	count := func(n *int) { s.mu.Lock(); *n++; s.mu.Unlock() }
	return apiclient.FollowHandler{
		Snapshot: func(api.StreamSnapshot) { count(&s.snapshots) },
		Lines:    s.check,
		Live:     func() { count(&s.live) },
		Finished: func(fleet.Job) { count(&s.finished) },
		EOF:      func(api.EOF) { count(&s.eof) },
		Lost: func(err error, _ time.Duration) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lost = append(s.lost, err)
		},
		Regained: func() { count(&s.regained) },
	}
}

// G14: a reader that loses its connection again and again sees every line once and in order.
func TestFollowIsContiguousWhateverBreaks(t *testing.T) {
	const total = 3000
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newServer(t)
			s.Chaos.Seed(seed)
			s.Chaos.Cut, s.Chaos.Refuse, s.Chaos.Repeat, s.Chaos.Skip = 0.15, 0.1, 0.3, 0.02
			s.AddJob(fleet.Job{ID: jobID, State: fleet.StateQueued})
			c := newClient(t, s)
			type result struct {
				got *seen
				err error
			}
			results := make(chan result, 3)
			for _, opt := range []apiclient.FollowOptions{{}, {}, {AfterSeq: 1000}} {
				go func() {
					got, err := follow(t.Context(), c, opt)
					results <- result{got, err}
				}()
			}
			s.StartJob(jobID, time.Now())
			for i := 1; i <= total; i += 50 {
				s.Append(jobID, lines(i, i+49)...)
				if i%500 == 1 {
					s.Progress(jobID, fleet.Progress{Phase: fleet.PhaseReading, Percent: float64(i) / total})
				}
			}
			s.Finish(jobID, succeeded())
			broken := 0
			for range 3 {
				r := <-results
				if r.err != nil {
					t.Fatal(r.err)
				}
				if r.got.last() != total || r.got.finished != 1 || r.got.eof != 1 {
					t.Errorf("last line %d, finished %d times, eof %d times", r.got.last(), r.got.finished, r.got.eof)
				}
				if r.got.regained > len(r.got.lost) || len(r.got.lost) > 0 && r.got.regained == 0 {
					t.Errorf("lost %d times, regained %d times", len(r.got.lost), r.got.regained)
				}
				broken += len(r.got.lost)
			}
			if broken == 0 {
				t.Error("nothing broke: the test proves nothing")
			}
		})
	}
}

func TestFollowFromTheMiddle(t *testing.T) {
	s := newServer(t)
	endedJob(s, 500)
	c := newClient(t, s)
	for name, tc := range map[string]struct {
		opt   apiclient.FollowOptions
		lines int
	}{
		"all":         {apiclient.FollowOptions{}, 500},
		"after 480":   {apiclient.FollowOptions{AfterSeq: 480}, 20},
		"after all":   {apiclient.FollowOptions{AfterSeq: 500}, 0},
		"tail":        {apiclient.FollowOptions{Tail: 7}, 7},
		"longer tail": {apiclient.FollowOptions{Tail: 5000}, 500},
	} {
		got, err := follow(t.Context(), c, tc.opt)
		if err != nil || len(got.lines) != tc.lines || got.eof != 1 || got.finished != 1 {
			t.Errorf("%s: %d lines, eof %d, err %v", name, len(got.lines), got.eof, err)
		}
		if tc.lines > 0 && got.last() != 500 {
			t.Errorf("%s: last line %d", name, got.last())
		}
	}
}

func TestFollowLive(t *testing.T) {
	s := newServer(t)
	s.AddJob(fleet.Job{ID: jobID, State: fleet.StateQueued})
	s.Append(jobID, lines(1, 3)...)
	c := newClient(t, s)
	live := make(chan struct{}, 10)
	done := make(chan error, 1)
	var states []fleet.JobState
	var progress []float64
	go func() {
		_, err := follow(t.Context(), c, apiclient.FollowOptions{}, func(h *apiclient.FollowHandler) {
			h.Live = func() { live <- struct{}{} }
			h.Snapshot = func(m api.StreamSnapshot) { states = append(states, m.Job.State) }
			h.Progress = func(p fleet.Progress) { progress = append(progress, p.Percent); live <- struct{}{} }
		})
		done <- err
	}()
	<-live
	s.StartJob(jobID, time.Now())
	s.Progress(jobID, fleet.Progress{Percent: 0.5})
	<-live
	s.SetState(jobID, fleet.StateUnknown)
	s.Append(jobID, lines(4, 9)...)
	s.Finish(jobID, succeeded())
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(progress) != 1 || progress[0] != 0.5 || states[0] != fleet.StateQueued {
		t.Errorf("progress %v, states %v", progress, states)
	}
}

// A connection that is open but dead is noticed, and the stream goes on where it was.
func TestFollowNoticesAHalfOpenConnection(t *testing.T) {
	s := newServer(t)
	s.AddJob(fleet.Job{ID: jobID, State: fleet.StateRunning})
	s.Append(jobID, lines(1, 10)...)
	p := newProxy(t, s)
	c := newClient(t, s, func(cfg *apiclient.Config) {
		cfg.Address = p.address()
		cfg.KeepAlive = wsconn.KeepAlive{Interval: 30 * time.Millisecond, Timeout: 50 * time.Millisecond}
	})
	got := &seen{}
	done := make(chan error, 1)
	go func() { done <- followInto(t.Context(), c, got, apiclient.FollowOptions{}) }()
	sharedtest.Eventually(t, 10*time.Second, "first lines", func() bool { return got.last() == 10 })
	p.freeze()
	s.Append(jobID, lines(11, 20)...)
	s.Finish(jobID, succeeded())
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got.last() != 20 || len(got.lost) == 0 {
		t.Fatalf("last line %d, lost %d times", got.last(), len(got.lost))
	}
}

func TestFollowEndsWhenNothingElseHelps(t *testing.T) {
	s := newServer(t)
	endedJob(s, 3)
	quick := func(cfg *apiclient.Config) {
		cfg.Reconnect = backoff.Backoff{Min: time.Millisecond, Max: time.Millisecond}
	}
	t.Run("wrong token", func(t *testing.T) {
		_, err := follow(t.Context(), newClient(t, s, func(cfg *apiclient.Config) { cfg.Token = "no" }), apiclient.FollowOptions{})
		if fault.CodeOf(err) != fault.Unauthenticated {
			t.Fatal(err)
		}
	})
	t.Run("unknown job", func(t *testing.T) {
		err := newClient(t, s).Follow(t.Context(), "nope", apiclient.FollowOptions{}, apiclient.FollowHandler{})
		if fault.CodeOf(err) != fault.UnknownJob {
			t.Fatal(err)
		}
	})
	t.Run("not trusted", func(t *testing.T) {
		_, err := follow(t.Context(), newClient(t, s, func(cfg *apiclient.Config) { cfg.TLS = nil }), apiclient.FollowOptions{})
		if fault.CodeOf(err) != fault.PinMismatch {
			t.Fatal(err)
		}
	})
	t.Run("gives up", func(t *testing.T) {
		other := newServer(t)
		c := newClient(t, other, quick)
		other.Close()
		got, err := follow(t.Context(), c, apiclient.FollowOptions{GiveUpAfter: 50 * time.Millisecond})
		if fault.CodeOf(err) != fault.Unavailable || len(got.lost) == 0 {
			t.Fatal(err, len(got.lost))
		}
	})
	t.Run("always a hole", func(t *testing.T) {
		other := newServer(t)
		other.Chaos.Seed(1)
		other.Chaos.Skip = 1
		endedJob(other, 50)
		_, err := follow(t.Context(), newClient(t, other, quick), apiclient.FollowOptions{})
		if fault.CodeOf(err) != fault.Protocol {
			t.Fatal(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		other := newServer(t)
		other.AddJob(fleet.Job{ID: jobID, State: fleet.StateRunning})
		ctx, cancel := context.WithCancel(t.Context())
		_, err := follow(ctx, newClient(t, other), apiclient.FollowOptions{}, func(h *apiclient.FollowHandler) { h.Live = cancel })
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}

func TestFollowGoesOnAfterARestoredStore(t *testing.T) {
	s := newServer(t)
	s.AddJob(fleet.Job{ID: jobID, State: fleet.StateRunning})
	s.Append(jobID, lines(1, 10)...)
	p := newProxy(t, s)
	c := newClient(t, s, func(cfg *apiclient.Config) { cfg.Address = p.address() })
	got := &seen{}
	done := make(chan error, 1)
	go func() { done <- followInto(t.Context(), c, got, apiclient.FollowOptions{}) }()
	sharedtest.Eventually(t, 10*time.Second, "first lines", func() bool { return got.last() == 10 })
	s.SetEpoch("epoch-2")
	p.cut()
	s.Append(jobID, lines(11, 12)...)
	s.Finish(jobID, succeeded())
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got.last() != 12 {
		t.Fatalf("last line %d", got.last())
	}
}

func TestFollowTakesBackADaemonThatRefuses(t *testing.T) {
	s := newServer(t)
	endedJob(s, 5)
	refused := 0
	s.OnRequest = func(w http.ResponseWriter, _ *http.Request) bool {
		if refused++; refused > 4 {
			return false
		}
		apitest.Problem(w, http.StatusServiceUnavailable, fault.Unavailable, "The daemon is starting. Try again.")
		return true
	}
	got, err := follow(t.Context(), newClient(t, s), apiclient.FollowOptions{})
	if err != nil || len(got.lost) != 4 || got.regained != 1 {
		t.Fatalf("lost %d, regained %d, err %v", len(got.lost), got.regained, err)
	}
}
