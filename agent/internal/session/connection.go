package session

import (
	"context"
	"errors"
	"fmt"
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
	maxCommands = 64 // waiting; when full the read loop waits, and the daemon sends again
)

// welcomeTimeout is how long the daemon may take to answer hello: it may have to look up every job that the host holds.
const welcomeTimeout = 60 * time.Second

// connection is one WebSocket connection from hello to its end.
type connection struct {
	s        *Session
	conn     *wsconn.Conn
	credit   *credit
	commands chan agentwire.Envelope
	requests chan struct{} // a place for each request under way
	wg       sync.WaitGroup
	fail     context.CancelCauseFunc

	mu    sync.Mutex
	pumps map[fleet.JobID]*pump
}

func newConnection(s *Session, conn *wsconn.Conn) *connection {
	return &connection{s: s, conn: conn, credit: newCredit(), commands: make(chan agentwire.Envelope, maxCommands),
		requests: make(chan struct{}, maxRequests), pumps: map[fleet.JobID]*pump{}}
}

// serve says hello and works until the connection or ctx ends; every goroutine is gone when it returns.
func (c *connection) serve(parent context.Context) (welcomed bool, err error) {
	ctx, fail := context.WithCancelCause(parent)
	c.fail = fail
	defer func() {
		fail(err)
		code, reason := wsconn.CloseGoingAway, "agent stops"
		if parent.Err() == nil {
			code, reason = wsconn.CloseNormal, ""
		}
		c.conn.Close(code, reason)
		c.wg.Wait()
	}()
	welcome, err := c.hello(ctx)
	if err != nil {
		return false, err
	}
	if err := identity.Settle(c.s.cfg.IdentityDir); err != nil {
		return false, err
	}
	c.s.cfg.Connected(c.s.cfg.Server, nil)
	c.credit.add(welcome.CreditBytes)
	desired := make(map[fleet.JobID]agentwire.WelcomeJob, len(welcome.Jobs))
	for _, j := range welcome.Jobs {
		desired[j.JobID] = j
		if j.Desired == agentwire.DesireCancel {
			if err := c.cancel(ctx, j.JobID, ""); err != nil {
				return true, err
			}
		}
	}
	c.wg.Go(func() { c.heartbeat(ctx, time.Duration(welcome.HeartbeatMS)*time.Millisecond) })
	c.wg.Go(func() { c.work(ctx) })
	c.wg.Go(func() { c.startPumps(ctx, desired) })
	err = c.read(ctx)
	if cause := context.Cause(ctx); cause != nil && parent.Err() == nil {
		err = cause
	}
	return true, err
}

func (c *connection) hello(ctx context.Context) (agentwire.Welcome, error) {
	s := c.s
	err := c.send(ctx, agentwire.TypeHello, "", "", agentwire.Hello{AgentID: s.cfg.AgentID, Incarnation: s.incarnation,
		Facts: s.cfg.Facts(ctx), Clock: s.cfg.Clock().UTC(), Jobs: fit(s.cfg.Jobs.Held())})
	if err != nil {
		return agentwire.Welcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, welcomeTimeout)
	defer cancel()
	frame, err := c.conn.Read(ctx)
	if err != nil {
		return agentwire.Welcome{}, err
	}
	e, err := agentwire.Decode(frame)
	if err != nil {
		return agentwire.Welcome{}, err
	}
	if e.Type != agentwire.TypeWelcome {
		return agentwire.Welcome{}, fault.New(fault.Protocol, "The daemon answered hello with %s. Update the older side.", e.Type)
	}
	return agentwire.Payload[agentwire.Welcome](e)
}

func (c *connection) send(ctx context.Context, t agentwire.Type, id string, job fleet.JobID, payload any) error {
	frame, err := agentwire.Encode(t, id, job, payload)
	if err != nil {
		return err
	}
	return c.conn.Write(ctx, frame)
}

// read handles frames until the connection ends. It waits for nobody but a full queue of commands.
func (c *connection) read(ctx context.Context) error {
	for {
		frame, err := c.conn.Read(ctx)
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

func (c *connection) handle(ctx context.Context, e agentwire.Envelope) error {
	switch e.Type {
	case agentwire.TypeAck:
		return withPayload(e, func(a agentwire.Ack) error { return c.acked(ctx, e.JobID, a) })
	case agentwire.TypeNack:
		return withPayload(e, func(n agentwire.Nack) error { c.pumpOf(e.JobID).rewind(n.Expect - 1); return nil })
	case agentwire.TypeCredit:
		return withPayload(e, func(g agentwire.Credit) error { c.credit.add(g.Bytes); return nil })
	case agentwire.TypeCommandRun, agentwire.TypeCommandCancel, agentwire.TypeConfigUpdate:
		select {
		case c.commands <- e:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
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

func (c *connection) acked(ctx context.Context, id fleet.JobID, a agentwire.Ack) error {
	if err := c.s.cfg.Jobs.Acked(ctx, id, a.Seq, a.Finished); err != nil {
		return fmt.Errorf("note the acknowledgement of job %s: %w", id, err)
	}
	if a.Finished {
		c.pumpOf(id).end()
	}
	return nil
}

// heartbeat tells the daemon regularly that the host lives, and at once when its facts changed.
func (c *connection) heartbeat(ctx context.Context, every time.Duration) {
	if every <= 0 {
		every = 15 * time.Second
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-c.s.changed:
			err = c.send(ctx, agentwire.TypeInventory, "", "", agentwire.Inventory{Facts: c.s.cfg.Facts(ctx)})
		case <-t.C:
			err = c.send(ctx, agentwire.TypeHeartbeat, "", "", agentwire.Heartbeat{Clock: c.s.cfg.Clock().UTC(), Jobs: c.open()})
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
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

// work carries out commands, one after the other.
func (c *connection) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-c.commands:
			if err := c.command(ctx, e); err != nil && ctx.Err() == nil {
				c.fail(err)
				return
			}
		}
	}
}

func (c *connection) command(ctx context.Context, e agentwire.Envelope) error {
	switch e.Type {
	case agentwire.TypeCommandRun:
		return c.run(ctx, e)
	case agentwire.TypeCommandCancel:
		return withPayload(e, func(m agentwire.CommandCancel) error { return c.cancel(ctx, e.JobID, m.By) })
	default:
		return withPayload(e, func(u agentwire.ConfigUpdate) error {
			if err := c.s.cfg.Plans.Store(u); err != nil {
				return fmt.Errorf("store the host's plans: %w", err)
			}
			return c.send(ctx, agentwire.TypePlanAck, "", "", agentwire.PlanAck{Version: u.Version})
		})
	}
}

// cancel makes a job's end desired. One that is over, or that this host never had, needs nothing: its own messages tell.
func (c *connection) cancel(ctx context.Context, id fleet.JobID, by string) error {
	err := c.s.cfg.Jobs.Cancel(ctx, id, by)
	switch fault.CodeOf(err) {
	case "", fault.JobEnded, fault.UnknownJob:
		return nil
	}
	return fmt.Errorf("cancel job %s: %w", id, err)
}

// run starts a job and says whether it is in the journal. What cannot be understood whole is not done at all.
func (c *connection) run(ctx context.Context, e agentwire.Envelope) error {
	reject := func(reason fleet.Reason, err error) error {
		message, ok := fault.Message(err)
		if !ok {
			message = "The agent could not take the job. Its own log says why."
		}
		c.s.cfg.Log.WarnContext(ctx, "job rejected", "job_id", e.JobID, "err", err)
		return c.send(ctx, agentwire.TypeCommandReject, e.ID, e.JobID, agentwire.CommandReject{Reason: reason, Message: message})
	}
	m, err := agentwire.StrictPayload[agentwire.CommandRun](e)
	if err == nil && m.Spec.JobID != e.JobID {
		err = fault.New(fault.Protocol, "The daemon sent a job under another job's id.")
	}
	if err == nil {
		err = m.Spec.Validate()
	}
	if err != nil {
		return reject(fleet.ReasonInvalidJob, err)
	}
	state, err := c.s.cfg.Jobs.Run(ctx, m.Spec, time.Duration(m.StartWithinMS)*time.Millisecond)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.CodeOf(err) == fault.PolicyDenied:
		return reject(fleet.ReasonPolicyDenied, err)
	case fault.CodeOf(err) == fault.StorageFull:
		return reject(fleet.ReasonDiskFull, err)
	case err != nil:
		return reject(fleet.ReasonRejected, err)
	}
	return c.send(ctx, agentwire.TypeCommandAck, e.ID, e.JobID, agentwire.CommandAck{State: state})
}

// request answers a query in a goroutine of its own, or refuses it when too many are under way.
func (c *connection) request(ctx context.Context, id string, r agentwire.Request) error {
	select {
	case c.requests <- struct{}{}:
	default:
		return c.send(ctx, agentwire.TypeReply, id, "", agentwire.Reply{Code: fault.RateLimited, Message: "The host is busy with other requests. Try again in a moment."})
	}
	c.wg.Go(func() {
		defer func() { <-c.requests }()
		limit := time.Duration(r.TimeoutMS) * time.Millisecond
		if limit <= 0 || limit > time.Minute {
			limit = time.Minute
		}
		rctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		reply := c.s.cfg.Requests.Handle(rctx, r)
		if err := c.send(ctx, agentwire.TypeReply, id, "", reply); err != nil && !errors.Is(err, context.Canceled) {
			c.fail(err)
		}
	})
	return nil
}
