package joblog

import "sync/atomic"

// Stats is what the store did since it was opened and what it holds now, for metrics.
type Stats struct {
	Lines        int64 // lines made durable
	StoredBytes  int64 // compressed bytes of their chunks
	Chunks       int64
	Commits      int64
	Failures     int64 // commits that the disk refused
	Refused      int64 // Appends turned away because too much waits
	Conflicts    int64 // known lines that came again with another text
	Damaged      int64 // chunks that could not be read
	Blocks       int64 // reads of the store for tails behind the ring
	Compacted    int64 // sealed logs rewritten into long chunks
	PendingLines int64 // lines not on disk yet
	PendingBytes int64 // what they take in memory
	RingBytes    int64 // what the lines on disk take in memory
	Jobs         int64 // jobs in memory
	Tails        int64 // open tails
	Full         bool  // the disk is full at present
}

type counters struct {
	lines, storedBytes, chunks, commits, failures, refused, conflicts, damaged, blocks, compacted, pendingLines, tails atomic.Int64
	full                                                                                                               atomic.Bool
}

// Stats gives the present numbers.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	jobs := int64(len(s.entries))
	s.mu.Unlock()
	c := &s.count
	return Stats{
		Lines: c.lines.Load(), StoredBytes: c.storedBytes.Load(), Chunks: c.chunks.Load(), Commits: c.commits.Load(),
		Failures: c.failures.Load(), Refused: c.refused.Load(), Conflicts: c.conflicts.Load(), Damaged: c.damaged.Load(),
		Blocks: c.blocks.Load(), Compacted: c.compacted.Load(), PendingLines: c.pendingLines.Load(), PendingBytes: s.pending.Load(),
		RingBytes: s.ring.Load(), Jobs: jobs, Tails: c.tails.Load(), Full: c.full.Load(),
	}
}
