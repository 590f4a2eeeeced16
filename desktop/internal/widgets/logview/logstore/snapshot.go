package logstore

import (
	"context"
	"slices"
)

// SliceLines is how many lines a search looks through before it reports.
const SliceLines = 50_000

// Snapshot is the lines that a Store held at one moment. It may be searched by another goroutine while the Store changes.
type Snapshot struct {
	parts  []part
	chunks []*[chunkSize]byte
}

type part struct {
	no     int64
	lo, hi int
	block  *block
}

// Snapshot gives the lines as they are now, those at and after from first, then those before.
func (s *Store) Snapshot(from ID) *Snapshot {
	snap := &Snapshot{parts: make([]part, 0, len(s.blocks)), chunks: make([]*[chunkSize]byte, len(s.chunks))}
	for i, b := range s.blocks {
		snap.parts = append(snap.parts, part{no: s.base + int64(i), lo: b.lo, hi: b.hi, block: b})
	}
	for i := range s.chunks {
		snap.chunks[i] = s.chunks[i].data
	}
	if first := int(from.block() - s.base); first > 0 && first < len(snap.parts) {
		snap.parts = slices.Concat(snap.parts[first:], snap.parts[:first])
	}
	return snap
}

// Search looks through the next 50,000 lines or so and gives the blocks with hits; more is false at the end. It stops early when
// ctx is done.
func (n *Snapshot) Search(ctx context.Context, q *Query) (found []Found, more bool) {
	lines := 0
	for len(n.parts) > 0 && lines < SliceLines {
		if ctx.Err() != nil {
			return nil, false
		}
		p := n.parts[0]
		n.parts = n.parts[1:]
		lines += p.hi - p.lo
		f := Found{block: p.no}
		for i := p.lo; i < p.hi; i++ {
			r := &p.block.refs[i]
			at := r.offset() + stampSize
			if q.In(n.chunks[r.chunk()][at : at+r.length()]) {
				f.add(i, r.level())
			}
		}
		if !f.empty() {
			found = append(found, f)
		}
	}
	return found, len(n.parts) > 0
}
