package agentws_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/agentws"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// sender is a small agent with one job of n lines on its "disk". It keeps to the protocol and to its credit.
type sender struct {
	job    fleet.JobID
	n      int64
	batch  int64
	state  fleet.JobState
	silent time.Duration // after how long without a word a connection counts as dead
}

func (s *sender) held() agentwire.HeldJob {
	return agentwire.HeldJob{JobID: s.job, State: s.state, LastSeq: s.n}
}

// deliver works on one session until the end is acknowledged, or the connection breaks.
func (s *sender) deliver(l *line) (done bool, err error) {
	next, credit, ended := int64(0), l.welcome.CreditBytes, false
	for _, j := range l.welcome.Jobs {
		if j.JobID == s.job {
			next = j.DurableSeq
			if j.Desired == agentwire.DesireForget {
				return true, nil
			}
		}
	}
	quiet := time.NewTimer(s.silent)
	defer quiet.Stop()
	for {
		for next < s.n && credit > 0 {
			last := min(s.n, next+1+rand.Int64N(s.batch))
			lines, bytes := s.lines(next+1, last)
			frame := agentwire.AppendLogStream(nil, s.job, next+1, lines)
			if err := l.conn.Write(context.Background(), frame); err != nil {
				return false, err
			}
			credit -= bytes
			next = last
		}
		if next == s.n && !ended {
			_, at := texts(s.n, s.n)
			if err := l.try(agentwire.TypeJobFinished, "", s.job, succeeded(at)); err != nil {
				return false, err
			}
			ended = true
		}
		select {
		case e, ok := <-l.in:
			if !ok {
				return false, l.err
			}
			quiet.Reset(s.silent)
			switch e.Type {
			case agentwire.TypeCredit:
				credit += payload[agentwire.Credit](l.t, e).Bytes
			case agentwire.TypeNack:
				next, ended = payload[agentwire.Nack](l.t, e).Expect-1, false
			case agentwire.TypeAck:
				if payload[agentwire.Ack](l.t, e).Finished {
					return true, nil
				}
			}
		case <-quiet.C:
			return false, errors.New("the daemon went silent")
		}
	}
}

func (s *sender) lines(from, to int64) (lines []fleet.LogLine, bytes int64) {
	for n := from; n <= to; n++ {
		l := text(n)
		lines = append(lines, l)
		bytes += int64(len(l.Text))
	}
	return lines, bytes
}

// insist connects again and again until the job is with the daemon.
func (s *sender) insist(w *world, addr string, m member) (sessions int, err error) {
	for sessions < 2000 {
		sessions++
		c, err := w.dialTo(addr, m)
		if err != nil {
			continue
		}
		l, err := begin(w.t, c, m, "one", s.held())
		if err != nil {
			continue
		}
		done, err := s.deliver(l)
		l.close()
		if done {
			return sessions, nil
		}
		if code := fault.CodeOf(err); code == fault.Protocol || code == fault.FrameTooLarge {
			return sessions, err
		}
	}
	return sessions, errors.New("never got it all through")
}

// sent makes a job that is in the hands of the agent.
func (w *world) sent(m member) fleet.JobID {
	w.t.Helper()
	j := w.backup(m.host)
	l := w.connect(m, "one")
	l.await(agentwire.TypeCommandRun)
	l.send(agentwire.TypeCommandAck, "", j.ID, agentwire.CommandAck{State: fleet.StateRunning})
	sharedtest.Eventually(w.t, 10*time.Second, "running", func() bool { return w.job(j.ID).State == fleet.StateRunning })
	l.close()
	return j.ID
}

// TestResumeAfterEveryKindOfCut: resets, half-open connections and endings after random bytes; the log is 1 to n in the end.
func TestResumeAfterEveryKindOfCut(t *testing.T) {
	w := newWorld(t, settings{agentws: agentws.Config{Window: 20_000}, dispatch: dispatch.Config{Silence: 2 * time.Second, Resend: 200 * time.Millisecond}})
	m := w.enrol("alpha")
	s := &sender{job: w.sent(m), n: 20_000, batch: 40, state: fleet.StateSucceeded, silent: 150 * time.Millisecond}
	cut := newCutter(t, w.addr, 120_000)
	sessions, err := s.insist(w, cut.addr(), m)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sessions", sessions)
	if sessions < 10 {
		t.Errorf("only %d sessions: the cutter did not cut", sessions)
	}
	w.wantLog(s.job, s.n)
	_, at := texts(s.n, s.n)
	if j := w.job(s.job); j.State != fleet.StateSucceeded || !j.LogSealed || j.Log != at {
		t.Fatalf("%+v", j)
	}
}

// TestOverloadDelaysAndLosesNothing: many agents, a budget and a log memory far too small for them; all arrives.
func TestOverloadDelaysAndLosesNothing(t *testing.T) {
	w := newWorld(t, settings{
		agentws: agentws.Config{Window: 64 << 10, Budget: 100_000, HoldFor: 20 * time.Millisecond},
		joblog:  joblog.Config{MaxPending: 150_000, Gather: 50 * time.Millisecond},
	})
	const agents = 5
	var wg sync.WaitGroup
	for i := range agents {
		m := w.enrol("host-" + string(rune('a'+i)))
		s := &sender{job: w.sent(m), n: 4000, batch: 200, state: fleet.StateSucceeded, silent: 20 * time.Second}
		wg.Go(func() {
			if sessions, err := s.insist(w, w.addr, m); err != nil || sessions != 1 {
				t.Errorf("%d sessions, %v", sessions, err)
				return
			}
			w.wantLog(s.job, s.n)
		})
	}
	wg.Wait()
	if !w.said.has("found no room and are asked for again") {
		t.Error("there was room for everything: nothing was tested")
	}
}

// TestAFloodWithoutCreditIsEnded: an agent that does not keep to its credit cannot fill the memory.
func TestAFloodWithoutCreditIsEnded(t *testing.T) {
	w := newWorld(t, settings{agentws: agentws.Config{Window: 10_000}, logs: func(s *joblog.Store) control.Logs { return slowDisk{s} }})
	m := w.enrol("alpha")
	job := w.sent(m)
	l := w.connect(m, "one", agentwire.HeldJob{JobID: job, State: fleet.StateRunning})
	s := &sender{}
	for from := int64(1); ; from += 5000 {
		lines, _ := s.lines(from, from+4999)
		if err := l.conn.Write(t.Context(), agentwire.AppendLogStream(nil, job, from, lines)); err != nil {
			break
		}
		if from > 1_000_000 {
			t.Fatal("nothing stopped the flood")
		}
	}
	if code := l.ended(); code != agentwire.CloseProtocol && code != -1 {
		t.Fatalf("ended with %d", code)
	}
	if !w.said.has("does not keep to its credit") {
		t.Fatal("not said why")
	}
}

// slowDisk is a log that never gets anything on its disk.
type slowDisk struct{ *joblog.Store }

func (s slowDisk) Append(job fleet.JobID, first int64, lines []fleet.LogLine, _ func(int64)) (int64, error) {
	return s.Store.Append(job, first, lines, nil)
}

// TestManyQuickConnections: sessions come and go, and nothing stays.
func TestManyQuickConnections(t *testing.T) {
	w := newWorld(t, settings{agentws: agentws.Config{Handshakes: unlimited()}})
	const agents, rounds = 10, 30
	var wg sync.WaitGroup
	for i := range agents {
		m := w.enrol("host-" + string(rune('a'+i)))
		wg.Go(func() {
			for round := range rounds {
				c, err := w.dial(m)
				if err != nil {
					t.Error(err)
					return
				}
				if round%3 == 0 { // before hello
					c.CloseNow()
					continue
				}
				l, err := begin(t, c, m, "one")
				if err != nil {
					t.Error(err)
					return
				}
				l.close()
			}
		})
	}
	wg.Wait()
	sharedtest.Eventually(t, 20*time.Second, "all gone", func() bool { return w.dispatch.Sessions() == 0 })
	hosts, err := w.Hosts(t.Context())
	if err != nil || len(hosts) != agents {
		t.Fatalf("%d hosts, %v", len(hosts), err)
	}
	sharedtest.Eventually(t, 20*time.Second, "all offline", func() bool {
		hosts, err := w.Hosts(t.Context())
		for _, h := range hosts {
			if h.Online {
				return false
			}
		}
		return err == nil
	})
}

// TestAnotherEpochReachesAgentsThatAreConnected: the store turns out to be a copy while they are; at its next heartbeat each is asked
// to come anew.
func TestAnotherEpochReachesAgentsThatAreConnected(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	l := w.connect(m, "one")
	l.send(agentwire.TypeHeartbeat, "", "", agentwire.Heartbeat{Clock: time.Now()})
	if err := w.store.Renew(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if w.Epoch() == l.welcome.Epoch {
		t.Fatal("no new epoch")
	}
	l.send(agentwire.TypeHeartbeat, "", "", agentwire.Heartbeat{Clock: time.Now()})
	l.await(agentwire.TypeReset)
	again := w.connect(m, "one")
	if again.welcome.Epoch != w.Epoch() {
		t.Fatalf("epoch %q", again.welcome.Epoch)
	}
	again.send(agentwire.TypeHeartbeat, "", "", agentwire.Heartbeat{Clock: time.Now()})
	again.send(agentwire.TypePlanAck, "", "", agentwire.PlanAck{Version: again.welcome.ConfigVersion})
	w.backup(m.host)
	for e := range again.in {
		if e.Type == agentwire.TypeReset {
			t.Fatal("asked to come anew once more")
		}
		if e.Type == agentwire.TypeCommandRun {
			return
		}
	}
	t.Fatalf("the session ended: %v", again.err)
}
