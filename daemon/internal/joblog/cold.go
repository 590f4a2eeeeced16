package joblog

import (
	"context"
	"math"
	"slices"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// Readers behind the ring read the store in blocks that begin and end at the same lines for all of them, so that many readers who
// catch up together read, unpack and encode each block once.
const (
	blockLines = sealedLines
	maxBlocks  = 64 // of one job; Config.RingPerJob bounds their bytes
)

// block is the frames of lines from the store: all but first is set before done is closed.
type block struct {
	first  int64
	done   chan struct{}
	frames []Batch
	cut    bool // more lines belong to it, but they are too long
	cost   int64
	err    error
}

func (b *block) find(seq int64) Batch {
	for _, part := range b.frames {
		if part.First <= seq && seq < part.First+part.Count {
			return part
		}
	}
	return Batch{}
}

// fromStore gives the batch that holds line seq, which is on disk.
func (e *entry) fromStore(seq int64) (Batch, error) {
	first := seq - (seq-1)%blockLines
	for {
		e.mu.Lock()
		b, mine := e.blockLocked(first)
		e.mu.Unlock()
		if mine {
			e.store.fill(e, b)
		}
		<-b.done // the reader that fills it is bounded by readTimeout
		found := b.find(seq)
		switch {
		case found.Count > 0 || b.err != nil:
			return found, b.err
		case b.cut:
			return e.store.readBatch(e, seq)
		case mine:
			return Batch{}, nil // the store holds less than it says: nothing to give
		}
		e.dropBlock(b) // it was read while the log was shorter
	}
}

// readBatch reads lines from seq on for one reader: lines so long that a block cannot hold them.
func (s *Store) readBatch(e *entry, seq int64) (Batch, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	s.count.blocks.Add(1)
	lines, err := s.read(ctx, e, seq-1, blockLines, agentwire.MaxBatch)
	if err != nil || len(lines) == 0 {
		return Batch{}, err
	}
	frames, _ := makeFrames(e.job, seq, lines)
	return frames[0], nil
}

// blockLocked gives the block that begins at first; mine when the caller has to fill it.
func (e *entry) blockLocked(first int64) (b *block, mine bool) {
	if i := slices.IndexFunc(e.blocks, func(b *block) bool { return b.first == first }); i >= 0 {
		return e.blocks[i], false
	}
	if len(e.blocks) == maxBlocks {
		e.evictLocked()
	}
	b = &block{first: first, done: make(chan struct{})}
	e.blocks = append(e.blocks, b)
	return b, true
}

// evictLocked forgets the block to which no reader comes any more, or else the one to which the next reader comes last. Whoever
// reads it keeps it for as long. (The one used longest ago would be the wrong one: it is the next for those behind.)
func (e *entry) evictLocked() {
	victim, most := 0, int64(-1)
	for i, b := range e.blocks {
		next := int64(math.MaxInt64)
		for _, t := range e.tails {
			if way := b.first + blockLines - t.at; way > 0 {
				next = min(next, way)
			}
		}
		if next > most {
			victim, most = i, next
		}
	}
	e.removeBlockLocked(victim)
}

func (e *entry) removeBlockLocked(i int) {
	cost := e.blocks[i].cost
	e.blocks = slices.Delete(e.blocks, i, i+1)
	e.cold -= cost
	e.store.ring.Add(-cost)
}

// fill reads a block and accounts for it, unless it had to make room meanwhile.
func (s *Store) fill(e *entry, b *block) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	e.mu.Lock()
	last := min(b.first+blockLines, e.next) - 1
	e.mu.Unlock()
	lines, err := s.read(ctx, e, b.first-1, blockLines, readBytes)
	frames, cost := makeFrames(e.job, b.first, lines)
	s.count.blocks.Add(1)
	e.mu.Lock()
	b.frames, b.err, b.cut = frames, err, b.first+int64(len(lines)) <= last
	if slices.Contains(e.blocks, b) {
		b.cost = cost
		e.cold += cost
		s.ring.Add(cost)
	}
	for e.cold > s.cfg.RingPerJob/2 {
		e.evictLocked()
	}
	e.mu.Unlock()
	close(b.done)
	if err != nil {
		e.dropBlock(b)
	}
}

// makeFrames makes the frames of lines, with what they take in memory.
func makeFrames(job fleet.JobID, first int64, lines []fleet.LogLine) (frames []Batch, cost int64) {
	for len(lines) > 0 {
		var part []fleet.LogLine
		part, lines = split(lines, maxBatchLines, agentwire.MaxBatch)
		b := Batch{First: first, Count: int64(len(part)), Frame: encodeFrame(job, first, part)}
		frames = append(frames, b)
		cost += int64(cap(b.Frame))
		first += b.Count
	}
	return frames, cost
}

// dropBlock forgets a block.
func (e *entry) dropBlock(b *block) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := slices.Index(e.blocks, b); i >= 0 {
		e.removeBlockLocked(i)
	}
}

// dropBlocksLocked forgets all blocks and tells what they took in memory.
func (e *entry) dropBlocksLocked() (freed int64) {
	freed, e.cold, e.blocks = e.cold, 0, nil
	return freed
}
