package session

import (
	"context"
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	progressEvery = time.Second            // the least time between two progress messages of a job
	starvedLook   = 250 * time.Millisecond // how often a job without credit is looked at for what needs none
	maxKept       = 2 * agentwire.MaxBatch // bytes of a frame's buffer that are kept for the next one
)

// jobError is an error of a job's own files, which does not concern the connection.
type jobError struct{ err error }

func (e *jobError) Error() string { return e.err.Error() }
func (e *jobError) Unwrap() error { return e.err }

// stream sends a job from where the pump stands until its end was sent, or until the daemon has all.
func (c *connection) stream(ctx context.Context, p *pump) error {
	job, err := c.s.cfg.Jobs.Open(p.id)
	if err != nil {
		return &jobError{fmt.Errorf("open job %s: %w", p.id, err)}
	}
	defer func() {
		p.frame = nil
		if err := job.Close(); err != nil {
			c.s.cfg.Log.WarnContext(ctx, "closing a job's log", "job_id", p.id, "err", err)
		}
	}()
	var last time.Time // a frame was sent
	for {
		bell := job.Bell()
		next, finished := p.position()
		if finished {
			return nil
		}
		wait, err := c.events(ctx, p, job)
		if err != nil {
			return err
		}
		end, ended := job.Finished() // before reading: no line comes behind it
		open, grown := c.credit.any()
		if open {
			lines, err := job.ReadFrom(next, agentwire.MaxBatch)
			if err != nil {
				return &jobError{fmt.Errorf("read the log of job %s: %w", p.id, err)}
			}
			if len(lines) > 0 {
				sent, err := c.sendLines(ctx, p, next, lines)
				if err != nil {
					return err
				}
				last = c.s.space(ctx, last, len(lines))
				if ended || sent < len(lines) || !room(lines) {
					continue
				}
				// The log ended there when it was read; whatever came since has rung.
			}
		}
		switch {
		case ended && (open || next >= end.Log.LastSeq):
			return c.finish(ctx, p, job, next, end)
		case !open: // lines wait in the spool, and only what needs no credit is looked at
			bell = grown
			if wait == 0 || wait > starvedLook {
				wait = starvedLook
			}
		}
		if err := p.sleep(ctx, bell, wait); err != nil {
			return err
		}
	}
}

// space keeps log frames a little apart under load, so that each carries several lines, and costs nothing otherwise. As long as lines
// come one by one, half the space does.
func (s *Session) space(ctx context.Context, last time.Time, lines int) time.Time {
	now := time.Now()
	rest := s.cfg.MinSpacing - now.Sub(last)
	if lines == 1 {
		rest -= s.cfg.MinSpacing / 2
	}
	if last.IsZero() || rest <= 0 {
		return now
	}
	select {
	case <-time.After(rest):
	case <-ctx.Done():
	}
	return time.Now()
}

// room tells whether a batch would have held any further line: then there was none.
func room(lines []fleet.LogLine) bool {
	left := agentwire.MaxBatch - fleet.MaxLineText
	for _, l := range lines {
		left -= len(l.Text) + 1
	}
	return left > 0
}

// sendLines sends as many of the lines after next as one frame holds, none when the credit is gone or a nack came since they were
// read, and tells how many.
func (c *connection) sendLines(ctx context.Context, p *pump, next int64, lines []fleet.LogLine) (sent int, err error) {
	lines, bytes := oneFrame(lines)
	if !c.credit.take(bytes) {
		return 0, nil
	}
	if !p.advance(next, next+int64(len(lines))) { // before writing: see Decisions
		c.credit.add(bytes)
		return 0, nil
	}
	frame := agentwire.AppendLogStream(p.frame[:0], p.id, next+1, lines)
	if p.frame = frame; cap(frame) > maxKept {
		p.frame = nil
	}
	return len(lines), c.write(ctx, frame)
}

// events sends start and progress; wait is when to look again for a progress that came too soon, 0 for never.
func (c *connection) events(ctx context.Context, p *pump, job Job) (wait time.Duration, err error) {
	if started, ok := job.Started(); ok && !p.startedSent {
		if err := c.send(ctx, agentwire.TypeJobStarted, "", p.id, started); err != nil {
			return 0, err
		}
		p.startedSent = true
	}
	progress, ok := job.Progress()
	if !ok || !p.progressSent.IsZero() && progress.At.Equal(p.progressAt) {
		return 0, nil
	}
	if since := time.Since(p.progressSent); since < progressEvery {
		return progressEvery - since, nil
	}
	p.progressSent, p.progressAt = time.Now(), progress.At
	return 0, c.sendProgress(ctx, p.id, progress)
}

// finish sends the job's end, behind its last line.
func (c *connection) finish(ctx context.Context, p *pump, job Job, next int64, end agentwire.JobFinished) error {
	if next < end.Log.LastSeq {
		// The rest is gone with a damaged disk. Said so, the daemon ends the job with a log that is not whole; else it would wait.
		c.s.cfg.Log.ErrorContext(ctx, "a job's log is cut short", "job_id", p.id, "seq", next, "last_seq", end.Log.LastSeq)
		end.Log.LastSeq = next
	}
	if err := c.sendSnapshots(ctx, p.id, job); err != nil {
		return err
	}
	p.sendsEnd() // before writing, as with lines
	return c.sendFinished(ctx, p.id, end)
}
