package logstore

import (
	"math/bits"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
)

// Found is what a search found in one block of lines.
type Found struct {
	block int64
	bits  [blockLines / 64]uint64
	lines [levels]int32
}

func (f *Found) add(i int, l logline.Level) {
	f.bits[i/64] |= 1 << (i % 64)
	f.lines[l]++
}

func (f *Found) empty() bool { return f.lines == [levels]int32{} }

// Hits are the lines in which a query was found, a bit for each. It belongs to the goroutine of its Store.
type Hits struct {
	store  *Store
	query  *Query
	blocks map[int64]*Found
}

// NewHits begins with no hits of q.
func NewHits(s *Store, q *Query) *Hits {
	return &Hits{store: s, query: q, blocks: map[int64]*Found{}}
}

// Query is what was searched.
func (h *Hits) Query() *Query { return h.query }

// Add takes what a Snapshot found. Lines that are not held any more are passed over, and so are hits that are known.
func (h *Hits) Add(found []Found) {
	s := h.store
	for i := range found {
		f := &found[i]
		if f.empty() || f.block < s.base || f.block >= s.base+int64(len(s.blocks)) {
			continue
		}
		have, ok := h.blocks[f.block]
		if !ok {
			have = &Found{block: f.block}
			h.blocks[f.block] = have
		}
		b := s.blocks[f.block-s.base]
		for w := range f.bits {
			for left := f.bits[w] &^ have.bits[w]; left != 0; left &= left - 1 {
				if i := w*64 + bits.TrailingZeros64(left); i >= b.lo && i < b.hi {
					have.add(i, b.refs[i].level())
				}
			}
		}
	}
}

// Search looks through lines from … end-1, which were not searched before; for the few that arrive while one looks on.
func (h *Hits) Search(from, end ID) {
	s := h.store
	for from = max(from, s.lo); from < min(end, s.end); {
		next := min(ID((from.block()+1)<<10), end, s.end)
		f := Found{block: from.block()}
		b := s.blocks[f.block-s.base]
		for i := from.index(); i < from.index()+int(next-from); i++ {
			r := &b.refs[i]
			if h.query.In(s.chunks[r.chunk()].text(r)) {
				f.add(i, r.level())
			}
		}
		h.Add([]Found{f})
		from = next
	}
}

// Trim forgets hits in lines that the store dropped.
func (h *Hits) Trim() {
	s := h.store
	for no, f := range h.blocks {
		if no < s.base || no >= s.base+int64(len(s.blocks)) {
			delete(h.blocks, no)
			continue
		}
		b := s.blocks[no-s.base]
		f.clear(b, 0, b.lo)
		f.clear(b, b.hi, blockLines)
	}
}

// clear takes out the hits among lines from … end-1 of b.
func (f *Found) clear(b *block, from, end int) {
	for i := from; i < end; i++ {
		if f.bits[i/64] == 0 {
			i |= 63
		} else if f.bits[i/64]>>(i%64)&1 != 0 {
			f.bits[i/64] &^= 1 << (i % 64)
			f.lines[b.refs[i].level()]--
		}
	}
}

// Has tells whether line id is a hit.
func (h *Hits) Has(id ID) bool {
	f, ok := h.blocks[id.block()]
	return ok && f.bits[id.index()/64]>>(id.index()%64)&1 != 0
}

// Count is the number of hits in lines that show.
func (h *Hits) Count() (n int64) {
	for _, f := range h.blocks {
		n += f.shown(h.store.least)
	}
	return n
}

func (f *Found) shown(least logline.Level) (n int64) {
	for l := int(least); l < levels; l++ {
		n += int64(f.lines[l])
	}
	return n
}

// Rank tells how many hits that show are in lines before id.
func (h *Hits) Rank(id ID) (n int64) {
	for no, f := range h.blocks {
		if no < id.block() {
			n += f.shown(h.store.least)
		}
	}
	for i := ID(id.block() << 10); i < id; i++ {
		if h.Has(i) && h.store.Shows(i) {
			n++
		}
	}
	return n
}

// Next gives the first hit after id that shows.
func (h *Hits) Next(id ID) (ID, bool) {
	s := h.store
	for id = max(id+1, s.lo); id < s.end; {
		f, ok := h.blocks[id.block()]
		if !ok || f.shown(s.least) == 0 {
			id = ID((id.block() + 1) << 10)
			continue
		}
		word := f.bits[id.index()/64] >> (id.index() % 64)
		if word == 0 {
			id = id | 63 + 1
			continue
		}
		if id += ID(bits.TrailingZeros64(word)); s.Shows(id) {
			return id, true
		}
		id++
	}
	return 0, false
}

// Prev gives the last hit before id that shows.
func (h *Hits) Prev(id ID) (ID, bool) {
	s := h.store
	for id = min(id-1, s.end-1); id >= s.lo; {
		f, ok := h.blocks[id.block()]
		if !ok || f.shown(s.least) == 0 {
			id = ID(id.block()<<10) - 1
			continue
		}
		word := f.bits[id.index()/64] << (63 - id.index()%64)
		if word == 0 {
			id = id&^63 - 1
			continue
		}
		if id -= ID(bits.LeadingZeros64(word)); s.Shows(id) {
			return id, true
		}
		id--
	}
	return 0, false
}
