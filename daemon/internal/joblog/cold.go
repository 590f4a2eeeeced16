package joblog

import (
	"context"
	"slices"

	"github.com/backstay/backstay/shared/agentwire"
)

// Readers behind the ring read the store in blocks that begin and end at the same lines for all of them, so that many readers who
// catch up together read, unpack and encode each block once.
const (
	blockLines = sealedLines
	maxBlocks  = 16 // of one job, in memory: readers this far apart share, and those behind gain on the first, who does the work
)

// block is lines from the store: all but first is set before done is closed.
type block struct {
	first   int64
	done    chan struct{}
	batches []*batch
	cut     bool // more lines belong to it, but they are too long
	cost    int64
	err     error
}

func (b *block) find(seq int64) *batch {
	for _, part := range b.batches {
		if part.first <= seq && seq <= part.last() {
			return part
		}
	}
	return nil
}

// fromStore gives the batch that holds line seq, which is on disk.
func (e *entry) fromStore(seq int64) (*batch, error) {
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
		case found != nil || b.err != nil:
			return found, b.err
		case b.cut:
			return e.store.readBatch(e, seq)
		case mine:
			return nil, nil // the store holds less than it says: nothing to give
		}
		e.dropBlock(b) // it was read while the log was shorter
	}
}

// readBatch reads lines from seq on for one reader: lines so long that a block cannot hold them.
func (s *Store) readBatch(e *entry, seq int64) (*batch, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	s.count.blocks.Add(1)
	lines, err := s.read(ctx, e, seq-1, blockLines, agentwire.MaxBatch)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	batches, _ := makeBatches(e.job, seq, lines)
	return batches[0], nil
}

// blockLocked gives the block that begins at first; mine when the caller has to fill it. The block used longest ago makes room:
// whoever reads it keeps it for as long.
func (e *entry) blockLocked(first int64) (b *block, mine bool) {
	i := slices.IndexFunc(e.blocks, func(b *block) bool { return b.first == first })
	if i >= 0 {
		b = e.blocks[i]
		e.blocks = slices.Delete(e.blocks, i, i+1)
	} else {
		b, mine = &block{first: first, done: make(chan struct{})}, true
		if len(e.blocks) == maxBlocks {
			e.store.ring.Add(-e.blocks[0].cost)
			e.blocks = slices.Delete(e.blocks, 0, 1)
		}
	}
	e.blocks = append(e.blocks, b)
	return b, mine
}

// fill reads a block and accounts for it, unless it had to make room meanwhile.
func (s *Store) fill(e *entry, b *block) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	e.mu.Lock()
	last := min(b.first+blockLines, e.next) - 1
	e.mu.Unlock()
	lines, err := s.read(ctx, e, b.first-1, blockLines, readBytes)
	batches, cost := makeBatches(e.job, b.first, lines)
	s.count.blocks.Add(1)
	e.mu.Lock()
	b.batches, b.err, b.cut = batches, err, b.first+int64(len(lines)) <= last
	if slices.Contains(e.blocks, b) {
		b.cost = cost
		s.ring.Add(cost)
	}
	e.mu.Unlock()
	close(b.done)
	if err != nil {
		e.dropBlock(b)
	}
}

// dropBlock forgets a block.
func (e *entry) dropBlock(b *block) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := slices.Index(e.blocks, b); i >= 0 {
		e.store.ring.Add(-b.cost)
		e.blocks = slices.Delete(e.blocks, i, i+1)
	}
}

// dropBlocksLocked forgets all blocks and tells what they took in memory.
func (e *entry) dropBlocksLocked() (freed int64) {
	for _, b := range e.blocks {
		freed += b.cost
	}
	e.blocks = nil
	return freed
}
