package session_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

// store is a daemon that keeps lines by the rules: what does not follow on is asked for again, an overlap is trimmed, what is
// acknowledged stays, what is not may be forgotten with the connection.
type store struct {
	mu   sync.Mutex
	rnd  *rand.Rand
	jobs map[fleet.JobID]*stored
	bad  []string
	sess int
	peer *peer // of the newest session; older ones are over
}

type stored struct {
	lines   []fleet.LogLine // received in order
	durable int
	end     *agentwire.JobFinished
	gone    bool // a line is in the middle of being asked for
}

func (s *store) job(id fleet.JobID) *stored {
	j := s.jobs[id]
	if j == nil {
		j = &stored{}
		s.jobs[id] = j
	}
	return j
}

// serve is one session.
func (s *store) serve(p *peer) {
	s.mu.Lock()
	s.sess++
	s.peer = p
	w := agentwire.Welcome{Session: strconv.Itoa(s.sess), HeartbeatMS: 100, CreditBytes: 64 << 10}
	for _, h := range p.hello.Jobs {
		j := s.job(h.JobID)
		if s.rnd.IntN(2) == 0 { // a crash: what was not on disk is gone
			j.lines = j.lines[:j.durable]
		}
		j.gone = false
		d := agentwire.WelcomeJob{JobID: h.JobID, DurableSeq: int64(j.durable), Desired: agentwire.DesireRun}
		if j.end != nil {
			d.Desired = agentwire.DesireForget
		}
		w.Jobs = append(w.Jobs, d)
	}
	s.mu.Unlock()
	if !s.say(p, agentwire.TypeWelcome, "", w) {
		return
	}
	for {
		select {
		case e := <-p.frames:
			if !s.take(p, e) {
				return
			}
		case <-p.gone:
			return // what still lies in the channel was never read
		}
	}
}

func (s *store) say(p *peer, t agentwire.Type, job fleet.JobID, payload any) bool {
	frame, err := agentwire.Encode(t, "", job, payload)
	return err == nil && p.conn.Write(context.Background(), frame) == nil
}

func (s *store) take(p *peer, e agentwire.Envelope) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peer != p {
		return false
	}
	switch e.Type {
	case agentwire.TypeLogStream:
		m, err := agentwire.Payload[agentwire.LogStream](e)
		if err != nil {
			s.bad = append(s.bad, err.Error())
			return false
		}
		return s.lines(p, e.JobID, m)
	case agentwire.TypeJobFinished:
		m, err := agentwire.Payload[agentwire.JobFinished](e)
		j := s.job(e.JobID)
		switch {
		case err != nil:
			s.bad = append(s.bad, err.Error())
			return false
		case int64(len(j.lines)) < m.Log.LastSeq:
			return s.say(p, agentwire.TypeNack, e.JobID, agentwire.Nack{Expect: int64(len(j.lines)) + 1})
		}
		j.durable, j.end = len(j.lines), &m
		if s.rnd.IntN(4) == 0 { // the acknowledgement is lost with the connection
			p.conn.CloseNow()
			return false
		}
		return s.say(p, agentwire.TypeAck, e.JobID, agentwire.Ack{Seq: m.Log.LastSeq, Finished: true})
	}
	return true
}

func (s *store) lines(p *peer, id fleet.JobID, m agentwire.LogStream) bool {
	j := s.job(id)
	var bytes int64
	for _, l := range m.Lines {
		bytes += int64(len(l.Text))
	}
	next := int64(len(j.lines)) + 1
	drop := s.rnd.IntN(50) == 0 && !j.gone // no room for it now
	ok := true
	switch {
	case m.FirstSeq > next || drop:
		if !j.gone || drop {
			ok = s.say(p, agentwire.TypeNack, id, agentwire.Nack{Expect: next})
		}
		j.gone = true
	default:
		j.gone = false
		for i, l := range m.Lines {
			if m.FirstSeq+int64(i) == int64(len(j.lines))+1 {
				j.lines = append(j.lines, l)
			}
		}
		if s.rnd.IntN(3) == 0 {
			j.durable = len(j.lines)
			ok = s.say(p, agentwire.TypeAck, id, agentwire.Ack{Seq: int64(j.durable)})
		}
	}
	return ok && s.say(p, agentwire.TypeCredit, "", agentwire.Credit{Bytes: bytes})
}

// whole tells whether a job is there from its first line to its last, and its end.
func (s *store) whole(id fleet.JobID, last int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.job(id)
	var pos fleet.LogPosition
	for i, l := range j.lines {
		if want := line(int64(i + 1)); l != want {
			return fmt.Errorf("job %s: line %d is %+v", id, i+1, l)
		}
		pos = pos.Add(l)
	}
	if pos.LastSeq != last || j.end == nil || j.end.Log != pos {
		return fmt.Errorf("job %s: %+v of %d lines, end %+v", id, pos, last, j.end)
	}
	return nil
}

// TestEveryLineOnceInOrderAcrossCuts: connections are reset, closed, left half open or slowed after a random number of bytes, and the
// daemon loses what it had not on disk. BACKSTAY_FAULT_ROUNDS asks for more rounds.
func TestEveryLineOnceInOrderAcrossCuts(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("BACKSTAY_FAULT_ROUNDS")); err == nil {
		rounds = n
	}
	for round := range rounds {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("round %d seed %d", round, seed), func(t *testing.T) { cuts(t, seed) })
	}
}

func cuts(t *testing.T, seed uint64) {
	d := newDaemon(t)
	u, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	between := newProxy(t, u.Host, seed)
	a := newAgent(t, d, func(c *session.Config) {
		c.Server = "https://" + between.l.Addr().String()
		// Long enough that a busy machine answers in time: the proxy cuts, not the clock. Connections that are half open end by it.
		c.KeepAlive = wsconn.KeepAlive{Interval: 30 * time.Millisecond, Timeout: 3 * time.Second}
	})
	s := &store{rnd: rand.New(rand.NewPCG(seed, 2)), jobs: map[fleet.JobID]*stored{}}
	var sessions sync.WaitGroup
	stop := make(chan struct{})
	sessions.Go(func() {
		for {
			select {
			case p := <-d.peers:
				sessions.Go(func() { s.serve(p) })
			case <-stop:
				return
			}
		}
	})
	defer sessions.Wait()
	defer close(stop)

	const jobs, lines = 3, 8000
	rnd := rand.New(rand.NewPCG(seed, 3))
	var all []*fakeJob
	for i := range jobs {
		all = append(all, a.jobs.add(fleet.JobID(fmt.Sprint("j", i)), rnd.Int64N(1000)))
	}
	a.start(t)
	defer func() { a.stop(); between.settle() }()
	for running := true; running; {
		running = false
		for _, j := range all {
			j.mu.Lock()
			have, over := int64(len(j.lines)), j.finished != nil
			j.mu.Unlock()
			if over {
				continue
			}
			running = true
			if have >= lines {
				j.end(fleet.StateSucceeded)
				continue
			}
			j.print(1 + rnd.Int64N(200))
			j.setProgress(have + 1)
		}
		time.Sleep(time.Duration(rnd.Int64N(int64(20 * time.Millisecond)))) // time for the proxy to strike, not for anything to happen
	}
	between.settle()
	for _, j := range all {
		await(t, "acknowledged "+string(j.held.JobID), j.isAcked)
		if err := s.whole(j.held.JobID, j.held.LastSeq); err != nil {
			t.Error(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bad) > 0 || s.sess < 2 {
		t.Errorf("%d sessions; what the agent sent amiss: %v", s.sess, s.bad)
	}
	t.Logf("%d sessions", s.sess)
}
