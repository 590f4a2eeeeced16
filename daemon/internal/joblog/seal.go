package joblog

import (
	"context"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
)

// Durable gives the position up to which the log of a job is on disk.
func (s *Store) Durable(ctx context.Context, job fleet.JobID) (fleet.LogPosition, error) {
	pos, _, err := s.Position(ctx, job)
	return pos, err
}

// Position gives the position up to which the log of a job is on disk, and whether it is sealed there.
func (s *Store) Position(ctx context.Context, job fleet.JobID) (pos fleet.LogPosition, sealed bool, err error) {
	e, err := s.acquire(job)
	if err != nil {
		return fleet.LogPosition{}, false, err
	}
	defer s.release(e)
	if err := s.ready(ctx, e); err != nil {
		return fleet.LogPosition{}, false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.durable, e.sealedOnDisk, nil
}

// Seal waits until every line of a job is on disk and tells whether the log ends exactly at want. If so it is sealed, on disk as
// well, takes no more lines, and is soon rewritten into longer chunks. Sealing again gives the same answer. When the disk does
// not take the lines, Seal says why and changes nothing.
func (s *Store) Seal(ctx context.Context, job fleet.JobID, want fleet.LogPosition) (bool, error) {
	e, err := s.acquire(job)
	if err != nil {
		return false, err
	}
	defer s.release(e)
	if err := s.ready(ctx, e); err != nil {
		return false, err
	}
	if err := s.settled(ctx, e); err != nil {
		return false, fmt.Errorf("seal log of job %s: %w", job, err)
	}
	e.mu.Lock()
	if e.durable != want || e.durable.LastSeq != e.next-1 {
		e.mu.Unlock()
		return false, nil
	}
	if e.sealedOnDisk {
		e.mu.Unlock()
		return true, nil
	}
	e.sealed = true // no line slips in while the seal is written
	if e.month == "" {
		e.month = s.cfg.Clock().UTC().Format(monthForm)
	}
	month := e.month
	e.mu.Unlock()
	err = s.writeSeal(ctx, month, job, want)
	e.mu.Lock()
	if err == nil {
		e.sealedOnDisk = true
	}
	e.sealed = e.sealedOnDisk
	e.mu.Unlock()
	if err != nil {
		return false, fmt.Errorf("seal log of job %s: %w", job, sqlite.Fault(err))
	}
	s.compactSoon(month)
	return true, nil
}

// settled waits until the lines that a job has now are on disk, or a write of them failed.
func (s *Store) settled(ctx context.Context, e *entry) error {
	e.mu.Lock()
	last := e.next - 1
	for e.durable.LastSeq < last {
		changed, gone := e.flushLocked(), false
		e.mu.Unlock()
		knock(s.hurry)
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.written:
			gone = true // on disk now, or not in this life
		}
		e.mu.Lock()
		if gone && e.durable.LastSeq < last {
			e.mu.Unlock()
			return errClosed
		}
		if e.failed != nil && e.durable.LastSeq < last {
			err := e.failed
			e.mu.Unlock()
			return err
		}
	}
	e.mu.Unlock()
	return nil
}

func (s *Store) writeSeal(ctx context.Context, month string, job fleet.JobID, end fleet.LogPosition) error {
	f, err := s.file(ctx, month, true)
	if err != nil {
		return err
	}
	defer s.giveBack(f)
	return f.seal(ctx, job, end)
}

// How sealed logs are rewritten.
const (
	sealedLevel  = zstd.SpeedDefault
	compactLines = 8 * sealedLines // in one transaction
	compactRetry = 30 * time.Second
)

// compactSoon tells the maintainer that a month may hold sealed logs to rewrite.
func (s *Store) compactSoon(month string) {
	s.mu.Lock()
	s.sealedIn[month] = struct{}{}
	s.mu.Unlock()
	knock(s.compact)
}

// maintain is the maintainer's goroutine: it rewrites sealed logs and forgets idle jobs.
func (s *Store) maintain() {
	tick := time.NewTicker(max(s.cfg.IdleAfter/4, 10*time.Millisecond))
	defer tick.Stop()
	var retry <-chan time.Time
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.forgetIdle(s.cfg.Clock())
			continue
		case <-s.compact:
		case <-retry:
			retry = nil
		}
		if !s.compactMonths() {
			retry = time.After(compactRetry)
		}
	}
}

// compactMonths rewrites the sealed logs of every month that was named. It gives false when some could not be and are to be tried
// again.
func (s *Store) compactMonths() bool {
	ok := true
	for {
		s.mu.Lock()
		month, found := "", false
		for month = range s.sealedIn {
			found = true
			delete(s.sealedIn, month)
			break
		}
		s.mu.Unlock()
		if !found || s.stopping() {
			break
		}
		if err := s.compactMonth(month); err != nil && !s.stopping() {
			s.cfg.Log.Warn("sealed logs are not compacted yet", "month", month, "err", err)
			defer s.nameAgain(month)
			ok = false
		}
	}
	return ok
}

func (s *Store) nameAgain(month string) {
	s.mu.Lock()
	s.sealedIn[month] = struct{}{}
	s.mu.Unlock()
}

func (s *Store) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
