package session

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	maxRequestTime = time.Minute
	maxStartWithin = 10 * 365 * 24 * time.Hour
)

// work carries out commands one after the other, the wishes of welcome first.
func (c *connection) work(ctx context.Context, welcome []agentwire.WelcomeJob) {
	for _, j := range welcome {
		if j.Desired == agentwire.DesireCancel && ctx.Err() == nil {
			c.cancel(ctx, j.JobID, "")
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-c.commands:
			if err := c.command(ctx, e); err != nil {
				c.fail(err)
				return
			}
		}
	}
}

// command carries out one command. An error ends the connection: what this host could not do is no error of it.
func (c *connection) command(ctx context.Context, e agentwire.Envelope) error {
	switch e.Type {
	case agentwire.TypeCommandRun:
		return c.run(ctx, e)
	case agentwire.TypeCommandCancel:
		return withPayload(e, func(m agentwire.CommandCancel) error { c.cancel(ctx, e.JobID, m.By); return nil })
	default:
		return withPayload(e, func(u agentwire.ConfigUpdate) error {
			if err := c.s.cfg.Plans.Store(u); err != nil {
				c.s.cfg.Log.ErrorContext(ctx, "the host's plans could not be stored, the daemon sends them again", "err", err)
				return nil
			}
			return c.send(ctx, agentwire.TypePlanAck, "", "", agentwire.PlanAck{Version: u.Version})
		})
	}
}

// cancel makes a job's end desired. One that is over, or that this host never had, needs nothing: its own messages tell. The daemon
// asks again for one whose wish could not be kept.
func (c *connection) cancel(ctx context.Context, id fleet.JobID, by string) {
	err := c.s.cfg.Jobs.Cancel(ctx, id, by)
	switch fault.CodeOf(err) {
	case "", fault.JobEnded, fault.UnknownJob:
		return
	}
	c.s.cfg.Log.ErrorContext(ctx, "a job could not be cancelled, the daemon asks again", "job_id", id, "err", err)
}

// run starts a job and says whether it is in the journal. What cannot be understood whole is not done at all.
func (c *connection) run(ctx context.Context, e agentwire.Envelope) error {
	m, err := agentwire.StrictPayload[agentwire.CommandRun](e)
	switch {
	case err != nil:
	case m.Spec.JobID != e.JobID:
		err = fault.New(fault.Protocol, "The daemon sent a job under another job's id. Update the older side.")
	case m.StartWithinMS < 0:
		err = fault.New(fault.Protocol, "The daemon sent a job whose time to start is over. Start the job again.")
	default:
		err = m.Spec.Validate()
	}
	if err != nil {
		return c.reject(ctx, e, fleet.ReasonInvalidJob, err)
	}
	c.s.lookAtFacts()
	state, err := c.s.cfg.Jobs.Run(ctx, m.Spec, milliseconds(m.StartWithinMS, 0, maxStartWithin))
	if ctx.Err() != nil {
		return context.Cause(ctx) // if it is in the journal, the next hello says so
	}
	if err != nil {
		return c.reject(ctx, e, reasonOf(err), err)
	}
	return c.send(ctx, agentwire.TypeCommandAck, e.ID, e.JobID, agentwire.CommandAck{State: state})
}

func reasonOf(err error) fleet.Reason {
	switch fault.CodeOf(err) {
	case fault.PolicyDenied:
		return fleet.ReasonPolicyDenied
	case fault.StorageFull:
		return fleet.ReasonDiskFull
	case fault.InvalidInput, fault.InvalidPath, fault.InvalidRepositoryURL, fault.UnknownSnapshot:
		return fleet.ReasonInvalidJob
	}
	return fleet.ReasonRejected
}

func (c *connection) reject(ctx context.Context, e agentwire.Envelope, reason fleet.Reason, err error) error {
	message, ok := fault.Message(err)
	if !ok {
		message = "The agent could not take the job. Its own log says why."
	}
	c.s.cfg.Log.WarnContext(ctx, "job rejected", "job_id", e.JobID, "reason", reason, "err", err)
	return c.send(ctx, agentwire.TypeCommandReject, e.ID, e.JobID, agentwire.CommandReject{Reason: reason, Message: message})
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
		limit := maxRequestTime
		if r.TimeoutMS > 0 {
			limit = milliseconds(r.TimeoutMS, 0, maxRequestTime)
		}
		rctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		reply := c.s.cfg.Requests.Handle(rctx, r)
		err := c.send(ctx, agentwire.TypeReply, id, "", reply)
		if fault.CodeOf(err) == fault.FrameTooLarge {
			err = c.send(ctx, agentwire.TypeReply, id, "", agentwire.Reply{Code: fault.TooLarge, Message: "The answer is larger than one message may be. Ask for less."})
		}
		if err != nil {
			c.fail(err)
		}
	})
	return nil
}
