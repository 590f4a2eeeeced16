package dispatch

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// lookTimeout bounds what one look at a host may take of the store.
const lookTimeout = 30 * time.Second

// work looks after one host after the other.
func (d *Dispatcher) work(ctx context.Context) {
	for {
		host, n, more, ok := d.todo.take()
		if !ok {
			select {
			case <-d.todo.bell:
				continue
			case <-ctx.Done():
				return
			}
		}
		if more {
			d.todo.ring()
		}
		d.look(ctx, host, n)
		d.todo.done(host)
		if ctx.Err() != nil {
			return
		}
	}
}

func (d *Dispatcher) look(ctx context.Context, host fleet.HostID, n need) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	s := d.seat(host)
	if s == nil || !s.wants(n) {
		return
	}
	if n&needJobs != 0 {
		if err := d.sendJobs(ctx, s); err != nil && ctx.Err() == nil {
			d.log.Error("jobs not sent, tried again soon", "host_id", host, "err", err)
		}
	}
	if n&needConfig != 0 {
		if err := d.sendConfig(ctx, s); err != nil && ctx.Err() == nil {
			d.log.Error("configuration not sent, tried again soon", "host_id", host, "err", err)
		}
	}
}

// sendJobs sends what the host's agent has not confirmed: jobs to run, and jobs to cancel.
func (d *Dispatcher) sendJobs(ctx context.Context, s *Seat) error {
	look := s.lookBegins()
	jobs, err := d.cfg.Control.PendingJobs(ctx, s.host)
	if err != nil {
		return err
	}
	s.keep(look, jobs)
	for _, j := range jobs {
		if j.CancelRequested {
			err = d.sendCancel(ctx, s, j)
		} else {
			err = d.sendRun(ctx, s, j)
		}
		if err != nil {
			return err
		}
	}
	s.lookEnds(len(jobs) > 0)
	return nil
}

func (d *Dispatcher) sendRun(ctx context.Context, s *Seat, j fleet.Job) error {
	now := d.cfg.Clock()
	if !s.turn(j.ID, sentRun, now, d.cfg.Resend) {
		return nil // sent a moment ago; the answer may be on its way
	}
	switch err := d.cfg.Control.JobDispatched(ctx, j.ID); fault.CodeOf(err) {
	case "":
	case fault.JobEnded, fault.Conflict, fault.UnknownJob:
		return nil // it ended, or is to be cancelled, since it was read
	default:
		s.unsent(j.ID)
		return err
	}
	within := max(d.cfg.StartWithin-now.Sub(j.CreatedAt), time.Second)
	if !s.link.Send(agentwire.TypeCommandRun, "", j.ID, agentwire.CommandRun{Spec: j.Spec, StartWithinMS: within.Milliseconds()}) {
		s.unsent(j.ID)
		return nil
	}
	s.ran(j.ID)
	return nil
}

// sendCancel sends the wish for a job's end. A job that was never sent, to an agent that did not name it in hello either, is
// nowhere: it ends here.
func (d *Dispatcher) sendCancel(ctx context.Context, s *Seat, j fleet.Job) error {
	if j.State == fleet.StateDispatched && s.neverSent(j.ID) {
		err := d.cfg.Control.JobRejected(ctx, s.host, j.ID, agentwire.CommandReject{Reason: fleet.ReasonCancelled, Message: "Cancelled before the host got the job."})
		if fault.CodeOf(err) == fault.UnknownJob {
			return nil
		}
		return err
	}
	if s.turn(j.ID, sentCancel, d.cfg.Clock(), d.cfg.Resend) && !s.link.Send(agentwire.TypeCommandCancel, "", j.ID, agentwire.CommandCancel{By: s.cancelledBy(j.ID)}) {
		s.unsent(j.ID)
	}
	return nil
}

func (d *Dispatcher) sendConfig(ctx context.Context, s *Seat) error {
	c, err := d.cfg.Control.HostConfig(ctx, s.host)
	if err != nil {
		return err
	}
	s.configure(c, d.cfg.Clock())
	return nil
}
