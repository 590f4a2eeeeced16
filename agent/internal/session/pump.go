package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// progressEvery is the least time between two progress messages of a job.
const progressEvery = time.Second

// snapshotsPerPart bounds one snapshots.report so that the frame stays small.
const snapshotsPerPart = 200

// pump sends one job's log, progress and end. Only its own goroutine sends; the read loop tells it of nacks and of the last ack.
type pump struct {
	id   fleet.JobID
	wake chan struct{} // holds one: something below changed

	mu       sync.Mutex
	next     int64 // last line that was sent
	rewound  bool
	finished bool // the daemon has all of the job
}

// rewind goes back: the daemon has lines up to after only.
func (p *pump) rewind(after int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	if after < p.next {
		p.next, p.rewound = max(after, 0), true
	}
	p.mu.Unlock()
	p.ring()
}

// end stops the pump: nothing more is to be sent.
func (p *pump) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.finished = true
	p.mu.Unlock()
	p.ring()
}

func (p *pump) ring() {
	select {
	case p.wake <- struct{}{}:
	default: // rung already
	}
}

// position gives the last line that was sent, and whether that went back since the last call.
func (p *pump) position() (next int64, rewound, finished bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next, rewound, finished = p.next, p.rewound, p.finished
	p.rewound = false
	return next, rewound, finished
}

// advance notes lines as sent, unless a nack came meanwhile.
func (p *pump) advance(from, to int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == from && !p.rewound {
		p.next = to
	}
}

func (c *connection) pumpOf(id fleet.JobID) *pump {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pumps[id]
}

// startPumps keeps a pump for every job that the daemon does not have whole.
func (c *connection) startPumps(ctx context.Context, welcome map[fleet.JobID]agentwire.WelcomeJob) {
	for {
		changed := c.s.cfg.Jobs.Changed()
		for _, j := range c.s.cfg.Jobs.Held() {
			w, known := welcome[j.JobID]
			if known && w.Desired == agentwire.DesireForget || !known && j.Acked {
				continue
			}
			c.startPump(ctx, j.JobID, w.DurableSeq)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (c *connection) startPump(ctx context.Context, id fleet.JobID, durable int64) {
	c.mu.Lock()
	_, running := c.pumps[id]
	p := &pump{id: id, next: durable, wake: make(chan struct{}, 1)}
	if !running {
		c.pumps[id] = p // kept after its end: a job has one pump a session
	}
	c.mu.Unlock()
	if running {
		return
	}
	c.wg.Go(func() {
		if err := c.pump(ctx, p); err != nil && ctx.Err() == nil {
			c.s.cfg.Log.WarnContext(ctx, "sending a job stopped", "job_id", id, "err", err)
			c.fail(err)
		}
	})
}

// pump sends until the daemon has all, or ctx ends.
func (c *connection) pump(ctx context.Context, p *pump) (err error) {
	job, err := c.s.cfg.Jobs.Open(p.id)
	if err != nil {
		return fmt.Errorf("open job %s: %w", p.id, err)
	}
	defer func() { err = errors.Join(err, job.Close()) }()
	events := &events{c: c, id: p.id, job: job}
	var lastFrame time.Time
	for {
		bell := job.Bell()
		next, rewound, finished := p.position()
		if finished {
			return nil
		}
		if rewound {
			events.endSent = false
		}
		wait, err := events.before(ctx)
		if err != nil {
			return err
		}
		lines, err := job.ReadFrom(next, agentwire.MaxBatch)
		if err != nil {
			return fmt.Errorf("read the log of job %s: %w", p.id, err)
		}
		if len(lines) > 0 {
			if err := c.sendLines(ctx, p, next, lines); err != nil {
				return err
			}
			lastFrame = c.s.space(ctx, lastFrame)
			continue
		}
		done, err := events.after(ctx, next)
		if err != nil {
			return err
		}
		if done {
			wait = 0
		}
		if err := p.sleep(ctx, bell, wait); err != nil {
			return err
		}
	}
}

// space keeps log frames a little apart under load, so that each carries several lines, and costs nothing otherwise.
func (s *Session) space(ctx context.Context, last time.Time) time.Time {
	now := time.Now()
	rest := s.cfg.MinSpacing - now.Sub(last)
	if last.IsZero() || rest <= 0 {
		return now
	}
	select {
	case <-time.After(rest):
	case <-ctx.Done():
	}
	return time.Now()
}

func (c *connection) sendLines(ctx context.Context, p *pump, next int64, lines []fleet.LogLine) error {
	var bytes int64
	for _, l := range lines {
		bytes += int64(len(l.Text))
	}
	if err := c.credit.take(ctx, bytes); err != nil {
		return err
	}
	frame := agentwire.AppendLogStream(make([]byte, 0, int(bytes)*5/4+len(lines)*64+128), p.id, next+1, lines)
	if err := c.conn.Write(ctx, frame); err != nil {
		return err
	}
	p.advance(next, next+int64(len(lines)))
	return nil
}

// sleep waits for news of the job, for wait when it is positive, or for ctx.
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

// events sends what is not a line: start, progress, end.
type events struct {
	c           *connection
	id          fleet.JobID
	job         Job
	startedSent bool
	endSent     bool
	sentAt      time.Time // last progress
	lastSent    time.Time // its own time of day
}

// before sends start and progress; wait is when to look again for a progress that came too soon, 0 for never.
func (e *events) before(ctx context.Context) (wait time.Duration, err error) {
	started, ok := e.job.Started()
	if ok && !e.startedSent {
		if err := e.c.send(ctx, agentwire.TypeJobStarted, "", e.id, started); err != nil {
			return 0, err
		}
		e.startedSent = true
	}
	if e.endSent {
		return 0, nil
	}
	p, ok := e.job.Progress()
	if !ok || p.At.Equal(e.lastSent) {
		return 0, nil
	}
	if since := time.Since(e.sentAt); since < progressEvery {
		return progressEvery - since, nil
	}
	e.sentAt, e.lastSent = time.Now(), p.At
	return 0, e.c.send(ctx, agentwire.TypeJobProgress, "", e.id, p)
}

// after sends the job's end once its last line was sent, and tells whether the end is sent.
func (e *events) after(ctx context.Context, sent int64) (bool, error) {
	finished, ok := e.job.Finished()
	if !ok || sent < finished.Log.LastSeq {
		return false, nil
	}
	if e.endSent {
		return true, nil
	}
	if err := e.snapshots(ctx); err != nil {
		return false, err
	}
	if err := e.c.send(ctx, agentwire.TypeJobFinished, "", e.id, finished); err != nil {
		return false, err
	}
	e.endSent = true
	return true, nil
}

func (e *events) snapshots(ctx context.Context) error {
	list, ok, err := e.job.Snapshots()
	if err != nil || !ok {
		return err
	}
	var repository fleet.RepositoryID
	for _, h := range e.c.s.cfg.Jobs.Held() {
		if h.JobID == e.id && h.Spec != nil {
			repository = h.Spec.Repository.ID
		}
	}
	parts := max(1, (len(list)+snapshotsPerPart-1)/snapshotsPerPart)
	for part := 1; part <= parts; part++ {
		n := min(snapshotsPerPart, len(list))
		err := e.c.send(ctx, agentwire.TypeSnapshotsReport, "", e.id,
			agentwire.SnapshotsReport{RepositoryID: repository, Part: part, Parts: parts, Snapshots: list[:n]})
		if err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}
