package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

const (
	maxRequests = 4  // at once; more are answered with rate_limited
	maxCommands = 64 // waiting; when full the read loop waits
	maxBacklog  = 4  // ended jobs whose logs are read at once; more wait for their turn
)

// connection is one WebSocket connection from hello to its end.
type connection struct {
	s        *Session
	conn     *wsconn.Conn
	used     identity.Identity // as whom
	credit   *credit
	commands chan agentwire.Envelope
	requests chan struct{} // a place for each request under way
	backlog  chan struct{} // a place for each ended job that is being sent
	wg       sync.WaitGroup
	fail     context.CancelCauseFunc // ends the connection
	named    map[fleet.JobID]bool    // jobs of hello, and whether with their specifications
	toldAll  bool                    // hello named every job, and none as acknowledged before
	adopts   bool                    // the daemon answers job.scheduled; to another one hello names such jobs, sooner or later
	answered chan struct{}           // holds one: there is something in adopted

	mu      sync.Mutex
	pumps   map[fleet.JobID]*pump
	adopted []agentwire.WelcomeJob // answers to job.scheduled that nobody looked at yet
}

func newConnection(s *Session, conn *wsconn.Conn, used identity.Identity) *connection {
	return &connection{s: s, conn: conn, used: used, credit: newCredit(), commands: make(chan agentwire.Envelope, maxCommands),
		requests: make(chan struct{}, maxRequests), backlog: make(chan struct{}, maxBacklog), answered: make(chan struct{}, 1), pumps: map[fleet.JobID]*pump{}}
}

// serve says hello and works until the connection or parent ends; every goroutine is gone when it returns.
func (c *connection) serve(parent context.Context, facts agentwire.Facts) (welcomed bool, err error) {
	ctx, fail := context.WithCancelCause(parent)
	c.fail = fail
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		c.close(parent, context.Cause(ctx))
	})
	defer func() {
		fail(err)
		<-closed
		c.wg.Wait()
	}()
	welcome, jobs, err := c.hello(ctx, facts)
	if err != nil {
		return false, err
	}
	if err := identity.Settle(c.s.cfg.IdentityDir, c.used); err != nil {
		c.s.cfg.Log.WarnContext(ctx, "the former identity stays for now", "err", err)
	}
	if err := c.epoch(ctx, welcome.Epoch); err != nil {
		return true, err
	}
	c.s.cfg.Connected(c.s.cfg.Server, nil)
	c.s.cfg.Log.InfoContext(ctx, "connected to the daemon", "session", welcome.Session)
	c.credit.add(welcome.CreditBytes)
	c.adopts = slices.Contains(welcome.Capabilities, agentwire.CapabilitySchedules)
	c.wg.Go(func() { c.heartbeat(ctx, welcome.HeartbeatMS) })
	c.wg.Go(func() { c.inventory(ctx, facts) })
	c.wg.Go(func() { c.work(ctx, welcome.Jobs) })
	c.wg.Go(func() { c.startPumps(ctx, jobs) })
	return true, c.read(ctx)
}

// close ends the connection so that every Read and Write returns. A daemon that is still there is told why.
func (c *connection) close(parent context.Context, cause error) {
	code, reason := wsconn.CloseNormal, ""
	switch fault.CodeOf(cause) {
	case fault.Unavailable, fault.Timeout:
		if parent.Err() == nil {
			c.conn.CloseNow()
			return
		}
	case fault.Protocol, fault.VersionMismatch:
		code, reason = wsconn.CloseProtocol, "the agent did not understand the daemon"
	}
	if parent.Err() != nil {
		code, reason = wsconn.CloseGoingAway, "the agent stops"
	}
	if err := c.conn.Close(code, reason); err != nil {
		c.s.cfg.Log.Debug("connection not closed cleanly", "err", err)
	}
}

func (c *connection) send(ctx context.Context, t agentwire.Type, id string, job fleet.JobID, payload any) error {
	frame, err := agentwire.Encode(t, id, job, payload)
	if err != nil {
		return err
	}
	if len(frame) > agentwire.MaxFrame {
		return fault.New(fault.FrameTooLarge, "A %s message of %d bytes is larger than the daemon takes.", t, len(frame))
	}
	return c.write(ctx, frame)
}

// write sends a frame. The end of ctx does not break into it, for that would cut the goodbye off too: close ends it.
func (c *connection) write(ctx context.Context, frame []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.conn.Write(context.WithoutCancel(ctx), frame)
}

// read handles frames until the connection ends. It waits for nobody but a full queue of commands.
func (c *connection) read(ctx context.Context) error {
	for {
		frame, err := c.conn.Read(context.Background()) // the end of ctx closes the connection, with a goodbye
		if ctx.Err() != nil {
			return ending(context.Cause(ctx), err)
		}
		if err != nil {
			return err
		}
		e, err := agentwire.Decode(frame)
		if err != nil {
			return err
		}
		if err := c.handle(ctx, e); err != nil {
			return err
		}
	}
}

// ending is why a connection ended that cause has ended: where that is only that somebody could not write, what the reader found, if
// it is the daemon's goodbye, says more.
func ending(cause, read error) error {
	if code := fault.CodeOf(cause); (code == fault.Unavailable || code == fault.Timeout) && wsconn.CloseStatus(read) != -1 {
		return read
	}
	return cause
}

func (c *connection) handle(ctx context.Context, e agentwire.Envelope) error {
	switch e.Type {
	case agentwire.TypeAck:
		return withPayload(e, func(a agentwire.Ack) error { c.acked(ctx, e.JobID, a); return nil })
	case agentwire.TypeNack:
		return withPayload(e, func(n agentwire.Nack) error { c.pumpOf(e.JobID).rewind(n.Expect - 1); return nil })
	case agentwire.TypeCredit:
		return withPayload(e, func(g agentwire.Credit) error { c.credit.add(g.Bytes); return nil })
	case agentwire.TypeCommandRun, agentwire.TypeCommandCancel, agentwire.TypeConfigUpdate:
		select {
		case c.commands <- e:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	case agentwire.TypeJobAdopted:
		return withPayload(e, func(a agentwire.JobAdopted) error { return c.jobAdopted(e.JobID, a) })
	case agentwire.TypeRequest:
		return withPayload(e, func(r agentwire.Request) error { return c.request(ctx, e.ID, r) })
	case agentwire.TypeReset:
		return fault.New(fault.Unavailable, "The daemon asks for a new session.")
	}
	return nil // a newer daemon's message that need not be understood
}

func withPayload[T any](e agentwire.Envelope, f func(T) error) error {
	v, err := agentwire.Payload[T](e)
	if err != nil {
		return err
	}
	return f(v)
}

// acked notes how much of a job the daemon has. Its end is written to the disk by the job's pump, off the read loop, and only when
// it was sent: nobody can have what was not.
func (c *connection) acked(ctx context.Context, id fleet.JobID, a agentwire.Ack) {
	if p := c.pumpOf(id); a.Finished && p != nil && p.end(a.Seq) {
		return
	}
	c.noteAcked(ctx, id, a.Seq, false)
}

// noteAcked keeps an acknowledgement. One that cannot be kept now comes again in a later session.
func (c *connection) noteAcked(ctx context.Context, id fleet.JobID, seq int64, finished bool) {
	if err := c.s.cfg.Jobs.Acked(ctx, id, seq, finished); err != nil {
		c.s.cfg.Log.WarnContext(ctx, "an acknowledgement could not be noted", "job_id", id, "err", err)
	}
}

const (
	defaultHeartbeat = 15 * time.Second
	minHeartbeat     = 100 * time.Millisecond
	maxHeartbeat     = 5 * time.Minute
)

// heartbeat tells the daemon regularly that the host lives.
func (c *connection) heartbeat(ctx context.Context, ms int64) {
	every := milliseconds(ms, minHeartbeat, maxHeartbeat)
	if ms <= 0 {
		every = defaultHeartbeat
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			err := c.send(ctx, agentwire.TypeHeartbeat, "", "", agentwire.Heartbeat{Clock: c.s.cfg.Clock().UTC(), Jobs: c.open()})
			if err != nil {
				c.fail(err)
				return
			}
		}
	}
}

// milliseconds is ms as a duration from least to most.
func milliseconds(ms int64, least, most time.Duration) time.Duration {
	return min(max(time.Duration(min(max(ms, 0), most.Milliseconds()))*time.Millisecond, least), most)
}

func (c *connection) open() []fleet.JobID {
	var ids []fleet.JobID
	for _, j := range c.s.cfg.Jobs.Held() {
		if !j.State.Ended() {
			ids = append(ids, j.JobID)
		}
	}
	return ids
}
