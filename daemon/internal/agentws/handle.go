package agentws

import (
	"context"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// handle takes one frame. An error ends the session.
func (s *session) handle(e agentwire.Envelope) error {
	switch e.Type {
	case agentwire.TypeLogStream:
		return with(e, func(m agentwire.LogStream) error { return s.lines(e.JobID, m) })
	case agentwire.TypeJobProgress:
		return with(e, func(p fleet.Progress) error {
			if s.owns(e.JobID) {
				s.h.cfg.Logs.SetProgress(e.JobID, p)
			}
			return nil
		})
	case agentwire.TypeHeartbeat:
		return with(e, s.heartbeat)
	case agentwire.TypeReply:
		return with(e, func(m agentwire.Reply) error { s.seat.Replied(e.ID, m); return nil })
	case agentwire.TypePlanAck:
		return with(e, func(m agentwire.PlanAck) error { s.seat.Configured(m.Version); return nil })
	case agentwire.TypeInventory:
		return with(e, func(m agentwire.Inventory) error {
			return s.store("inventory", "", func(ctx context.Context) error { return s.h.cfg.Control.AgentFacts(ctx, s.host, m.Facts) })
		})
	case agentwire.TypeHello, agentwire.TypeHelloJobs:
		return fault.New(fault.Protocol, "A session has one hello. Update the agent.")
	}
	return s.handleJob(e)
}

// handleJob takes the messages about a job that change the store. Control checks that the job belongs to the host.
func (s *session) handleJob(e agentwire.Envelope) error {
	c, id := s.h.cfg.Control, e.JobID
	switch e.Type {
	case agentwire.TypeJobScheduled:
		return with(e, func(m agentwire.JobScheduled) error {
			return s.store("job.scheduled", id, func(ctx context.Context) error { return s.scheduled(ctx, id, m) })
		})
	case agentwire.TypeCommandAck:
		return with(e, func(m agentwire.CommandAck) error {
			return s.store("command.ack", id, func(ctx context.Context) error { return c.JobAccepted(ctx, s.host, id, m.State) })
		})
	case agentwire.TypeCommandReject:
		return with(e, func(m agentwire.CommandReject) error {
			return s.store("command.reject", id, func(ctx context.Context) error { return c.JobRejected(ctx, s.host, id, m) })
		})
	case agentwire.TypeJobStarted:
		return with(e, func(m agentwire.JobStarted) error {
			return s.store("job.started", id, func(ctx context.Context) error { return c.JobStarted(ctx, s.host, id, m) })
		})
	case agentwire.TypeJobFinished:
		return with(e, func(m agentwire.JobFinished) error {
			return s.store("job.finished", id, func(ctx context.Context) error { return s.finished(ctx, id, m) })
		})
	case agentwire.TypeSnapshotsReport:
		return with(e, func(m agentwire.SnapshotsReport) error {
			return s.store("snapshots.report", id, func(ctx context.Context) error { return c.SnapshotsReported(ctx, s.host, id, m) })
		})
	}
	return nil // of a newer agent, and nothing that must be understood
}

// heartbeat takes a sign of life. An agent that knows a former epoch of the store is asked to come anew.
func (s *session) heartbeat(m agentwire.Heartbeat) error {
	if s.epoch != s.h.cfg.Control.Epoch() {
		s.Send(agentwire.TypeReset, "", "", nil) // one that has no room is sent at the next heartbeat
	}
	return s.h.cfg.Control.Heartbeat(s.ctx, s.host, m)
}

func with[T any](e agentwire.Envelope, f func(T) error) error {
	v, err := agentwire.Payload[T](e)
	if err != nil {
		return err
	}
	return f(v)
}

// store has f called in the session's lane. When the store cannot do it now, the session ends: the agent sends it again in the
// next one. What the store will never take is logged and dropped.
func (s *session) store(what string, job fleet.JobID, f func(context.Context) error) error {
	ok := s.lane.add(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, storeTimeout)
		defer cancel()
		err := f(ctx)
		switch fault.CodeOf(err) {
		case "":
		case fault.UnknownJob, fault.Protocol, fault.InvalidInput, fault.JobEnded, fault.Conflict, fault.UnknownRepository, fault.UnknownHost:
			s.log.Warn("agent's message not taken", "host_id", s.host, "type", what, "job_id", job, "err", err)
		default:
			if s.isOver() {
				return
			}
			s.log.Error("agent's message not stored, it comes again", "host_id", s.host, "type", what, "job_id", job, "err", err)
			s.Close(agentwire.CloseBusy, "the daemon could not store a message; come back")
		}
	})
	if !ok {
		return fault.New(fault.Unavailable, "The daemon's store is far behind. Come back later.")
	}
	return nil
}

// scheduled takes up a job that the agent began by itself. Once it is answered, the rest of it may come.
func (s *session) scheduled(ctx context.Context, id fleet.JobID, m agentwire.JobScheduled) error {
	if m.Job.JobID != id {
		return fault.New(fault.Protocol, "The agent's message is about job %.80q and names another one. Update the agent.", id)
	}
	w, err := s.h.cfg.Control.JobScheduled(ctx, s.host, m.Job)
	if err != nil {
		return err
	}
	if w.Desired != agentwire.DesireForget {
		s.knows(id)
	}
	if !m.Job.State.Ended() {
		s.seat.Holds(id)
	}
	if !s.Send(agentwire.TypeJobAdopted, "", id, agentwire.JobAdopted{WelcomeJob: w}) {
		return fault.New(fault.Unavailable, "There is no room for the answer. Connect again.")
	}
	return nil
}

// finished takes a job's end, once all its lines are there.
func (s *session) finished(ctx context.Context, id fleet.JobID, m agentwire.JobFinished) error {
	err := s.h.cfg.Control.JobFinished(ctx, s.host, id, m)
	if fault.CodeOf(err) == fault.Conflict {
		return s.askAgain(ctx, id)
	}
	if err != nil {
		return err
	}
	s.out.ack(id, m.Log.LastSeq, true, s.forget(id))
	return nil
}
