package logstore

import (
	"sort"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
)

// Line is a held line. Text is valid until the line is dropped and must not be written to.
type Line struct {
	Seq    int64
	MS     int64 // Unix milliseconds
	Level  logline.Level
	Good   bool
	ASCII  bool // every byte of Text is a column
	Source logline.Source
	Cols   int
	Text   []byte
}

// At gives line id, which must be held.
func (s *Store) At(id ID) Line {
	r := s.ref(id)
	data := s.chunks[r.chunk()].data[r.offset():]
	ms := int64(0)
	for i := range stampSize {
		ms |= int64(data[i]) << (8 * i)
	}
	const unused = 64 - 8*stampSize
	return Line{Seq: s.origin + int64(r.seq), MS: ms << unused >> unused, Level: r.level(), Good: r.size&goodFlag != 0, ASCII: r.size&asciiFlag != 0,
		Source: s.sources[r.size>>sourceShift], Cols: int(r.cols), Text: data[stampSize : stampSize+r.length() : stampSize+r.length()]}
}

// Find gives the first line held whose number is seq or above, and false when there is none.
func (s *Store) Find(seq int64) (ID, bool) {
	n := sort.Search(s.Len(), func(i int) bool { return s.origin+int64(s.ref(s.lo+ID(i)).seq) >= seq })
	return s.lo + ID(n), n < s.Len()
}

// Wrap is the columns at which lines wrap, 0 when they do not.
func (s *Store) Wrap() int { return int(s.wrap) }

// SetWrap makes lines wrap at cols columns, or not at 0.
func (s *Store) SetWrap(cols int) {
	w := uint32(max(cols, 0))
	if w == s.wrap {
		return
	}
	s.wrap = w
	for _, b := range s.blocks {
		b.wrapAt(w)
	}
}

// Level is the least level that shows.
func (s *Store) Level() logline.Level { return s.least }

// SetLevel hides lines below this level. They keep their IDs and numbers.
func (s *Store) SetLevel(l logline.Level) { s.least = l }

// Cols is the width of the widest line held, hidden ones included.
func (s *Store) Cols() int {
	n := uint32(0)
	for _, b := range s.blocks {
		n = max(n, b.cols)
	}
	return int(n)
}

// Shown is how many lines show, and Rows how many rows they take.
func (s *Store) Shown() (n int64) {
	for _, b := range s.blocks {
		n += b.shownLines(s.least)
	}
	return n
}

// Rows is how many rows the lines that show take.
func (s *Store) Rows() (n int64) {
	for _, b := range s.blocks {
		n += b.shownRows(s.least)
	}
	return n
}

// RowsOf is how many rows line id takes, 0 when it is hidden or not held.
func (s *Store) RowsOf(id ID) int64 {
	if !s.Shows(id) {
		return 0
	}
	return s.ref(id).rows(s.wrap)
}

// Shows tells whether line id is held and not hidden.
func (s *Store) Shows(id ID) bool { return s.held(id) && s.ref(id).level() >= s.least }

// Next gives the first line after id that shows.
func (s *Store) Next(id ID) (ID, bool) {
	for id = max(id+1, s.lo); id < s.end; {
		b := s.blocks[id.block()-s.base]
		if b.shownLines(s.least) == 0 {
			id = ID((id.block() + 1) << 10)
			continue
		}
		if b.refs[id.index()].level() >= s.least {
			return id, true
		}
		id++
	}
	return 0, false
}

// Prev gives the last line before id that shows.
func (s *Store) Prev(id ID) (ID, bool) {
	for id = min(id-1, s.end-1); id >= s.lo; {
		b := s.blocks[id.block()-s.base]
		if b.shownLines(s.least) == 0 {
			id = ID(id.block()<<10) - 1
			continue
		}
		if b.refs[id.index()].level() >= s.least {
			return id, true
		}
		id--
	}
	return 0, false
}

// Near gives id if it shows, else the next line that does, else the one before; false when none shows.
func (s *Store) Near(id ID) (ID, bool) {
	if next, ok := s.Next(id - 1); ok {
		return next, true
	}
	return s.Prev(id)
}

// Pos is a row of a line.
type Pos struct {
	ID  ID
	Row int64 // among the rows of the wrapped line
}

// RowAt gives the row that n rows are above of, clamped to what is there; false when nothing shows.
func (s *Store) RowAt(n int64) (Pos, bool) {
	n = max(n, 0)
	for i, b := range s.blocks {
		rows := b.shownRows(s.least)
		if n >= rows {
			n -= rows
			continue
		}
		for j := b.lo; j < b.hi; j++ {
			r := &b.refs[j]
			if r.level() < s.least {
				continue
			}
			if k := r.rows(s.wrap); n >= k {
				n -= k
				continue
			}
			return Pos{ID: ID((s.base+int64(i))<<10) + ID(j), Row: n}, true
		}
	}
	last, ok := s.Prev(s.end)
	if !ok {
		return Pos{}, false
	}
	return Pos{ID: last, Row: s.RowsOf(last) - 1}, true
}

// RowsAbove counts the rows above p, which need not be shown.
func (s *Store) RowsAbove(p Pos) int64 {
	n := int64(0)
	for i, b := range s.blocks {
		if s.base+int64(i) < p.ID.block() {
			n += b.shownRows(s.least)
			continue
		}
		if s.base+int64(i) > p.ID.block() {
			break
		}
		for j := b.lo; j < min(b.hi, p.ID.index()); j++ {
			if b.refs[j].level() >= s.least {
				n += b.refs[j].rows(s.wrap)
			}
		}
	}
	if rows := s.RowsOf(p.ID); rows > 0 {
		n += min(max(p.Row, 0), rows-1)
	}
	return n
}

// ShownFrom is how many lines from id on show.
func (s *Store) ShownFrom(id ID) (n int64) {
	id = max(id, s.lo)
	for i, b := range s.blocks {
		no := s.base + int64(i)
		if no > id.block() {
			n += b.shownLines(s.least)
		} else if no == id.block() {
			for j := id.index(); j < b.hi; j++ {
				if b.refs[j].level() >= s.least {
					n++
				}
			}
		}
	}
	return n
}
