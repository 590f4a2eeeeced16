package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// pump sends one job's log, progress and end. Only its own goroutine sends; the read loop tells it of nacks and of the last ack.
type pump struct {
	id   fleet.JobID
	wake chan struct{} // holds one: something below changed

	mu       sync.Mutex
	next     int64 // last line that was sent
	rewound  bool  // the daemon asked again
	ended    bool  // the job's end was sent
	finished bool  // the daemon has all of the job
	ackedSeq int64 // with finished

	// Of its goroutine.
	startedSent  bool
	progressSent time.Time // zero: none yet
	progressAt   time.Time // its own time of day
	frame        []byte    // reused
}

// rewind goes back: the daemon has lines up to after only. The end, if it was sent, has to be sent again.
func (p *pump) rewind(after int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	if after <= p.next {
		p.next, p.rewound = max(after, 0), true
	}
	p.mu.Unlock()
	p.ring()
}

// end stops the pump: the daemon has all. It is false when the job's end was not even sent.
func (p *pump) end(seq int64) bool {
	p.mu.Lock()
	ended := p.ended
	if ended {
		p.finished, p.ackedSeq = true, seq
	}
	p.mu.Unlock()
	p.ring()
	return ended
}

// sendsEnd notes that the job's end is sent now.
func (p *pump) sendsEnd() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}

func (p *pump) ring() {
	select {
	case p.wake <- struct{}{}:
	default: // rung already
	}
}

// position gives the last line that was sent, and takes note of every nack so far.
func (p *pump) position() (next int64, finished bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rewound = false
	return p.next, p.finished
}

// advance notes lines as sent and gives true, unless a nack came meanwhile.
func (p *pump) advance(from, to int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next != from {
		return false
	}
	p.next = to
	return true
}

// await waits, after the job's end was sent, until the daemon has it (finished) or asks for something again.
func (p *pump) await(ctx context.Context) (finished bool, err error) {
	for {
		p.mu.Lock()
		finished, rewound := p.finished, p.rewound
		p.mu.Unlock()
		if finished || rewound {
			return finished, nil
		}
		select {
		case <-p.wake:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// sleep waits for bell, for wait when it is positive, for a word from the read loop, or for ctx.
func (p *pump) sleep(ctx context.Context, bell <-chan struct{}, wait time.Duration) error {
	var timer <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-bell:
	case <-p.wake:
	case <-timer:
	}
	return nil
}

func (c *connection) pumpOf(id fleet.JobID) *pump {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pumps[id]
}

// startPumps keeps a pump for every job that the daemon does not have whole. Of one that this host began by itself the daemon is
// told first.
func (c *connection) startPumps(ctx context.Context, welcome map[fleet.JobID]told) {
	asked := map[fleet.JobID]bool{} // by job.scheduled
	for {
		changed := c.s.cfg.Jobs.Changed()
		c.takeAdopted(ctx, welcome)
		held := c.s.cfg.Jobs.Held()
		for _, j := range held {
			w, known := welcome[j.JobID]
			_, inHello := c.named[j.JobID]
			switch {
			case known && w.Desired == agentwire.DesireForget:
				c.forget(ctx, j, w)
			case c.adopts && !known && !inHello && !j.Acked && j.JobID.Scheduled():
				if !asked[j.JobID] {
					asked[j.JobID] = true
					c.nameScheduled(ctx, j)
				}
			case known || !j.Acked:
				c.startPump(ctx, j, w.DurableSeq)
			}
		}
		c.dropPumps(held)
		select {
		case <-changed:
		case <-c.answered:
		case <-ctx.Done():
			return
		}
	}
}

// forget notes that the daemon wants nothing more of a job that is over: its acknowledgement was lost with a former connection. A
// daemon that knew neither the job nor its specification answers so as well, from line 0, and does not mean that it has it.
func (c *connection) forget(ctx context.Context, j agentwire.HeldJob, w told) {
	if !j.Acked && j.State.Ended() && (w.withSpec || w.DurableSeq > 0 && w.DurableSeq >= j.LastSeq) {
		c.noteAcked(ctx, j.JobID, w.DurableSeq, true)
	}
}

func (c *connection) startPump(ctx context.Context, j agentwire.HeldJob, durable int64) {
	p := &pump{id: j.JobID, next: durable, wake: make(chan struct{}, 1)}
	c.mu.Lock()
	_, running := c.pumps[j.JobID]
	if !running {
		c.pumps[j.JobID] = p // kept after its end: a job has one pump a session
	}
	c.mu.Unlock()
	if running {
		return
	}
	c.wg.Go(func() {
		if err := c.pump(ctx, p, j.State.Ended()); err != nil {
			c.fail(err)
		}
	})
}

// dropPumps forgets the pumps of jobs that this host has forgotten.
func (c *connection) dropPumps(held []agentwire.HeldJob) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pumps) <= len(held) {
		return
	}
	there := make(map[fleet.JobID]bool, len(held))
	for _, j := range held {
		there[j.JobID] = true
	}
	for id := range c.pumps {
		if !there[id] {
			delete(c.pumps, id)
		}
	}
}

// pump sends until the daemon has all, or ctx ends. Its error is the connection's; a job that cannot be read is tried again later.
func (c *connection) pump(ctx context.Context, p *pump, ended bool) error {
	for {
		err := c.streamInTurn(ctx, p, ended)
		var broken *jobError
		switch {
		case err == nil:
			ended = true
			finished, err := p.await(ctx)
			if err != nil {
				return err
			}
			if finished {
				return c.pumpEnded(ctx, p)
			}
		case !errors.As(err, &broken) || ctx.Err() != nil:
			return err
		case fault.CodeOf(err) == fault.UnknownJob:
			return nil // forgotten meanwhile
		default:
			c.s.cfg.Log.ErrorContext(ctx, "a job cannot be sent", "job_id", p.id, "err", err, "retry_in", c.s.cfg.Retry)
			if err := p.sleep(ctx, nil, c.s.cfg.Retry); err != nil {
				return err
			}
		}
	}
}

func (c *connection) pumpEnded(ctx context.Context, p *pump) error {
	p.mu.Lock()
	seq := p.ackedSeq
	p.mu.Unlock()
	c.noteAcked(ctx, p.id, seq, true)
	return nil
}

// streamInTurn bounds how many jobs of the past are read at a time. Those that run are few: they do not wait.
func (c *connection) streamInTurn(ctx context.Context, p *pump, ended bool) error {
	if !ended {
		return c.stream(ctx, p)
	}
	select {
	case c.backlog <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.backlog }()
	return c.stream(ctx, p)
}
