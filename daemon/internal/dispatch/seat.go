package dispatch

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	maxRequests    = 16 // under way to one agent; more are refused
	requestTimeout = 30 * time.Second
)

// Seat is the place of one session in the registry.
type Seat struct {
	host fleet.HostID
	link Link
	d    *Dispatcher
	gone chan struct{} // closed when the session has ended or was replaced
	set  chan struct{} // closed by Ready

	mu       sync.Mutex
	ended    bool
	ready    bool
	missed   need                  // asked for before the session was ready
	open     bool                  // at the last look there was something that the agent had not confirmed
	looks    int64                 // so far
	commands map[fleet.JobID]*sent // of jobs at the last look
	config   version               // of the host's configuration
	requests map[string]chan<- agentwire.Reply
	counter  int64
}

type sentKind uint8

const (
	sentNothing sentKind = iota
	sentRun
	sentCancel
)

// sent is the last command for a job.
type sent struct {
	kind    sentKind
	ranOnce bool // command.run was sent in this session, or hello named the job
	at      time.Time
	by      string // who cancelled
	asked   int64  // the look that was under way, or the last one, when somebody cancelled
}

type version struct {
	known  bool
	latest int64
	acked  int64
	at     time.Time // sent
}

// Join takes a place for a session before its hello is worked on: the host counts as online from here on. An older session of the
// host is closed. fault.Conflict means that the host is refused for a while, because two agents use its identity.
func (d *Dispatcher) Join(host fleet.HostID, incarnation string, link Link) (*Seat, error) {
	s := &Seat{host: host, link: link, d: d, gone: make(chan struct{}), set: make(chan struct{})}
	d.mu.Lock()
	line := d.past[host]
	if line == nil {
		line = &lineage{}
		d.past[host] = line
	}
	clone, refused := line.came(incarnation, d.cfg.Clock(), d.cfg.Quarantine)
	old := d.seats[host]
	if refused {
		delete(d.seats, host)
	} else {
		d.seats[host] = s
	}
	d.mu.Unlock()
	if clone || refused {
		d.noteClone(host)
	}
	if clone {
		d.log.Warn("two agents use one identity: was the machine cloned? enrol one of them anew", "host_id", host)
	}
	if old != nil {
		old.over()
		if refused {
			old.link.Close(agentwire.CloseCloned, "two agents use this identity")
		} else {
			old.link.Close(agentwire.CloseReplaced, "a newer session of this agent took over")
		}
	}
	if refused {
		return nil, fault.New(fault.Conflict, "Two agents use the identity of this host. Stop one of them and enrol it anew.")
	}
	return s, nil
}

// noteTime bounds how long the store may take to note a clone: a session waits for it.
const noteTime = 10 * time.Second

func (d *Dispatcher) noteClone(host fleet.HostID) {
	ctx, cancel := context.WithTimeout(context.Background(), noteTime)
	defer cancel()
	if err := d.cfg.Control.AgentCloned(ctx, host); err != nil {
		d.log.Error("that two agents use one identity could not be noted", "host_id", host, "err", err)
	}
}

// Ready is called once welcome is queued: from now on the session gets what its host needs. config is the host's as of welcome,
// held are the jobs that hello named, pending says that there is something to send for them.
func (s *Seat) Ready(config agentwire.ConfigUpdate, held []agentwire.HeldJob, pending bool) {
	s.mu.Lock()
	s.ready = true
	for _, j := range held {
		if !j.State.Ended() {
			s.commandLocked(j.JobID).ranOnce = true
		}
	}
	n := s.missed
	s.mu.Unlock()
	close(s.set)
	s.configure(config, s.d.cfg.Clock())
	if pending {
		n |= needJobs
	}
	if n != 0 {
		s.d.todo.add(s.host, n)
	}
}

// Holds notes that the agent holds a job that nobody sent it: a scheduled one.
func (s *Seat) Holds(id fleet.JobID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commandLocked(id).ranOnce = true
}

// Leave gives the place up. The host is offline then, unless a newer session has it.
func (s *Seat) Leave() {
	s.d.mu.Lock()
	if s.d.seats[s.host] == s {
		delete(s.d.seats, s.host)
	}
	s.d.mu.Unlock()
	s.over()
}

func (s *Seat) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		close(s.gone)
	}
}

// Replied takes the answer to a request; one that nobody waits for any more is dropped.
func (s *Seat) Replied(id string, r agentwire.Reply) {
	s.mu.Lock()
	ch := s.requests[id]
	delete(s.requests, id)
	s.mu.Unlock()
	if ch != nil {
		ch <- r // has room for the one answer
	}
}

// Configured takes plan.ack.
func (s *Seat) Configured(v int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.acked = v
}

// wants tells whether the session can be looked after now; if it is not ready yet, the need is kept until it is.
func (s *Seat) wants(n need) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready {
		s.missed |= n
	}
	return s.ready && !s.ended
}

// due says what has to be looked after again.
func (s *Seat) due(now time.Time, resend time.Duration) (n need) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ready || s.ended {
		return 0
	}
	if s.open {
		n |= needJobs
	}
	if s.config.known && s.config.acked != s.config.latest && now.Sub(s.config.at) >= resend {
		n |= needConfig
	}
	return n
}

// lookBegins gives the number of a look. Until it says otherwise there is something to do; an error leaves it so.
func (s *Seat) lookBegins() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	s.open = true
	return s.looks
}

func (s *Seat) lookEnds(open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = open
}

// keep forgets commands of jobs that need none any more by what this look found. It may not have seen a cancel that came meanwhile.
func (s *Seat) keep(look int64, jobs []fleet.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.commands {
		if c.asked != look && !slices.ContainsFunc(jobs, func(j fleet.Job) bool { return j.ID == id }) {
			delete(s.commands, id)
		}
	}
}

func (s *Seat) commandLocked(id fleet.JobID) *sent {
	c := s.commands[id]
	if c == nil {
		c = &sent{}
		if s.commands == nil {
			s.commands = map[fleet.JobID]*sent{}
		}
		s.commands[id] = c
	}
	return c
}

// turn tells whether a command is to be sent now, and notes that it is.
func (s *Seat) turn(id fleet.JobID, kind sentKind, now time.Time, resend time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.commandLocked(id)
	if c.kind == kind && now.Sub(c.at) < resend {
		return false
	}
	c.kind, c.at = kind, now
	return true
}

// ran notes that the agent was sent the job. A cancel that was sent just before meant nothing to the agent: it is due again.
func (s *Seat) ran(id fleet.JobID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.commandLocked(id)
	c.ranOnce = true
	if c.kind == sentCancel {
		c.kind = sentNothing
	}
}

// unsent takes turn back.
func (s *Seat) unsent(id fleet.JobID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commandLocked(id).kind = sentNothing
}

func (s *Seat) neverSent(id fleet.JobID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.commands[id]
	return c == nil || !c.ranOnce
}

func (s *Seat) cancelledBy(id fleet.JobID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commandLocked(id).by
}

// cancel sends command.cancel at once when the session is ready, whatever the agent knows of the job; the next look does the rest.
func (s *Seat) cancel(id fleet.JobID, by string, now time.Time) {
	s.mu.Lock()
	c := s.commandLocked(id)
	c.by, c.asked = by, s.looks
	send := s.ready && !s.ended
	if send {
		c.kind, c.at = sentCancel, now
	}
	s.mu.Unlock()
	if send && !s.link.Send(agentwire.TypeCommandCancel, "", id, agentwire.CommandCancel{By: by}) {
		s.unsent(id)
	}
}

// configure sends the host's configuration, unless the agent has confirmed this version.
func (s *Seat) configure(c agentwire.ConfigUpdate, now time.Time) {
	s.mu.Lock()
	if s.config.known && s.config.acked == c.Version {
		s.config.latest = c.Version
		s.mu.Unlock()
		return
	}
	if !s.config.known {
		s.config.acked = -1 // no version; which one the agent has is not known yet
	}
	s.config.known, s.config.latest, s.config.at = true, c.Version, now
	s.mu.Unlock()
	s.link.Send(agentwire.TypeConfigUpdate, "", "", c) // if it cannot be queued, the ticker comes again
}

func (s *Seat) request(ctx context.Context, r agentwire.Request) (agentwire.Reply, error) {
	limit := requestTimeout
	if r.TimeoutMS > 0 {
		limit = time.Duration(r.TimeoutMS) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select { // the host is shown as online while its hello is still worked on
	case <-s.set:
	case <-s.gone:
		return agentwire.Reply{}, offline()
	case <-ctx.Done():
		return agentwire.Reply{}, offline()
	}
	ch := make(chan agentwire.Reply, 1)
	id, err := s.ask(ch)
	if err != nil {
		return agentwire.Reply{}, err
	}
	defer s.forget(id)
	if !s.link.Send(agentwire.TypeRequest, id, "", r) {
		return agentwire.Reply{}, offline()
	}
	select {
	case reply := <-ch:
		return reply, nil
	case <-s.gone:
		return agentwire.Reply{}, fault.New(fault.HostOffline, "The connection to the host was lost before it answered. Try again when it is back.")
	case <-ctx.Done():
		return agentwire.Reply{}, fault.Wrap(fault.Timeout, ctx.Err(), "The host did not answer in time. Look whether its agent is well (`backstay-agent doctor`) and try again.")
	}
}

func (s *Seat) ask(ch chan<- agentwire.Reply) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.ready || s.ended:
		return "", offline()
	case len(s.requests) >= maxRequests:
		return "", fault.New(fault.RateLimited, "The host is busy with other requests. Try again in a moment.")
	}
	if s.requests == nil {
		s.requests = map[string]chan<- agentwire.Reply{}
	}
	s.counter++
	id := "r" + strconv.FormatInt(s.counter, 10)
	s.requests[id] = ch
	return id, nil
}

func (s *Seat) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
}
