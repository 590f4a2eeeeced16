package joblog

import (
	"context"
	"fmt"

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
