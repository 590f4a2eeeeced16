package joblog

import (
	"context"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// maxBatchLines bounds the lines of one frame: with agentwire.MaxBatch of text, all of it to be escaped, and what JSON puts around
// each line, a frame stays below agentwire.MaxFrame.
const maxBatchLines = 2048

// Append takes lines of a job, the first with number first; the store keeps lines, so the caller must not change them any more.
// What is known already is trimmed; lines that do not follow on are not taken. expect is the number that the next Append should
// begin with: smaller than first when there was a gap. durable (may be nil) is called with the last line's number once it is on
// disk, in the order of the numbers, from the store's goroutine: it must not block.
//
// Append waits for nothing but, the first time a job is used, a look-up in its month's file. It gives fault.StorageFull or
// fault.Unavailable, and takes nothing, when more than Config.MaxPending waits for the disk; fault.JobEnded for a line behind the
// end of a sealed log.
func (s *Store) Append(job fleet.JobID, first int64, lines []fleet.LogLine, durable func(seq int64)) (expect int64, err error) {
	e, err := s.acquire(job)
	if err != nil {
		return 0, err
	}
	defer s.release(e)
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	if err := s.ready(ctx, e); err != nil {
		return 0, err
	}
	if err := checkLines(first, lines); err != nil {
		return 0, err
	}
	expect, changed, conflict, err := s.take(e, first, lines, durable)
	if conflict > 0 {
		s.count.conflicts.Add(1)
		s.cfg.Log.Error("agent sent another text for a known line", "job_id", job, "seq", conflict)
	}
	if changed {
		s.markDirty(e)
	}
	return expect, err
}

func checkLines(first int64, lines []fleet.LogLine) error {
	if first < 1 {
		return fault.New(fault.InvalidInput, "Lines of a log count from 1, not %d. Update the agent.", first)
	}
	for i := range lines {
		if len(lines[i].Text) > fleet.MaxLineText {
			return fault.New(fault.InvalidInput, "A log line of %d bytes is longer than %d. Update the agent.", len(lines[i].Text), fleet.MaxLineText)
		}
	}
	return nil
}

// take does Append under the entry's lock. conflict is the number of a known line that came with another text, or 0.
func (s *Store) take(e *entry, first int64, lines []fleet.LogLine, durable func(int64)) (expect int64, changed bool, conflict int64, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(lines) == 0 || first > e.next {
		return e.next, false, 0, nil
	}
	last := first + int64(len(lines)) - 1
	if known := e.next - first; known > 0 {
		known = min(known, int64(len(lines)))
		conflict = e.differsLocked(first, lines[:known])
		lines = lines[known:]
	}
	if len(lines) == 0 {
		e.waitLocked(last, durable)
		return e.next, true, conflict, nil
	}
	if e.sealed {
		return e.next, false, conflict, fault.New(fault.JobEnded, "The log of this job is sealed and takes no more lines. Update the agent.")
	}
	batches, cost := makeBatches(e.job, e.next, lines)
	if err := s.reserve(cost); err != nil {
		return e.next, false, conflict, err
	}
	if e.month == "" {
		e.month = s.cfg.Clock().UTC().Format(monthForm)
	}
	e.ring = append(e.ring, batches...)
	e.next += int64(len(lines))
	s.count.pendingLines.Add(int64(len(lines)))
	e.waitLocked(last, durable)
	e.ringLocked()
	return e.next, true, conflict, nil
}

// reserve accounts for lines that have to wait for the disk, or refuses them.
func (s *Store) reserve(cost int64) error {
	if s.pending.Add(cost) <= s.cfg.MaxPending {
		return nil
	}
	s.pending.Add(-cost)
	s.count.refused.Add(1)
	if s.count.full.Load() {
		return fault.New(fault.StorageFull, "The disk of the daemon's data folder is full. Free space there; the daemon goes on by itself.")
	}
	return fault.New(fault.Unavailable, "The daemon's disk is slower than its agents. The agent keeps the lines and sends them later.")
}

// makeBatches cuts lines into batches whose frames fit the wire.
func makeBatches(job fleet.JobID, first int64, lines []fleet.LogLine) (batches []*batch, cost int64) {
	for len(lines) > 0 {
		part, rest := split(lines, maxBatchLines, agentwire.MaxBatch)
		b := newBatch(job, first, part)
		batches = append(batches, b)
		cost += b.cost()
		first += int64(len(part))
		lines = rest
	}
	return batches, cost
}

// differsLocked compares lines that came again with those in memory and gives the number of the first that differs, or 0. Lines
// that left memory are taken for the same: what is stored first stays.
func (e *entry) differsLocked(first int64, lines []fleet.LogLine) int64 {
	for i := 0; i < len(lines); i++ {
		b := e.findLocked(first + int64(i))
		if b == nil {
			continue
		}
		for j := first + int64(i) - b.first; i < len(lines) && j < b.count; i, j = i+1, j+1 {
			if b.lines == nil {
				continue
			}
			old, again := &b.lines[j], &lines[i]
			if old.Text != again.Text || old.Stream != again.Stream || old.Cont != again.Cont {
				return first + int64(i)
			}
		}
		i--
	}
	return 0
}

// SetProgress keeps the newest progress of a job and rings its readers.
func (s *Store) SetProgress(job fleet.JobID, p fleet.Progress) {
	e, err := s.acquire(job)
	if err != nil {
		return // an invalid id has no readers, a closed store no use for progress
	}
	defer s.release(e)
	e.mu.Lock()
	e.progress, e.past = &p, e.past.add(p)
	e.ringLocked()
	e.mu.Unlock()
}

// Notify rings the readers of a job: its row changed.
func (s *Store) Notify(job fleet.JobID) {
	e := s.peek(job)
	if e == nil {
		return // no reader, nobody to ring for
	}
	defer s.release(e)
	e.mu.Lock()
	e.version++
	e.ringLocked()
	e.mu.Unlock()
}
