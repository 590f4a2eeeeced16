package logview

import (
	"sort"
	"unicode/utf8"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

// longLine is from where on lines with wide characters keep an index of their cells, in columns.
const longLine = 1024

// milestones bounds how many such lines are indexed at once; a screen has fewer.
const milestones = 128

// cellsBetween gives the cells of a strip that is not ASCII: those that are in it at all, so that a word may begin before it. In a
// log that wraps, a wide character belongs to the row that it begins in. The result is used again by the next call.
func (v *View) cellsBetween(s *strip) []logstore.Cell {
	cells := v.seek(s.id, s.line, s.from)
	list := v.cells[:0]
	for c, ok := cells.Next(); ok && c.Col < s.to; c, ok = cells.Next() {
		begun := c.Col >= s.from || c.Cols > 2 || v.store.Wrap() == 0
		if c.Col+c.Cols > s.from && begun {
			list = append(list, c)
		}
	}
	v.cells = list
	return list
}

// seek begins with a cell of a line at or before a column.
func (v *View) seek(id logstore.ID, l *logstore.Line, col int) logstore.Cells {
	if l.Cols < longLine || col < longLine/2 {
		return logstore.CellsOf(l.Text)
	}
	index, ok := v.index[id]
	if !ok {
		if len(v.index) >= milestones {
			clear(v.index)
		}
		index = milestonesOf(l.Text)
		v.index[id] = index
	}
	i := sort.Search(len(index), func(i int) bool { return index[i].Col > col })
	if i == 0 {
		return logstore.CellsOf(l.Text)
	}
	return logstore.CellsFrom(l.Text, index[i-1].Off, index[i-1].Col)
}

// milestonesOf gives a cell about every 256 columns.
func milestonesOf(text []byte) (index []logstore.Cell) {
	cells, next := logstore.CellsOf(text), 0
	for c, ok := cells.Next(); ok; c, ok = cells.Next() {
		if c.Col >= next {
			index = append(index, c)
			next = c.Col + 256
		}
	}
	return index
}

// offsetAt gives the offset in a line's text where a caret at a column would be; half a character counts as before it.
func (v *View) offsetAt(id logstore.ID, l *logstore.Line, col float64) int {
	if col <= 0 {
		return 0
	}
	if col >= float64(l.Cols) {
		return len(l.Text)
	}
	if l.ASCII {
		return int(col + 0.5)
	}
	cells := v.seek(id, l, int(col))
	for c, ok := cells.Next(); ok; c, ok = cells.Next() {
		if float64(c.Col)+float64(c.Cols)/2 > col {
			return c.Off
		}
	}
	return len(l.Text)
}

// columnsOf gives the columns of the strip that bytes from … end-1 of the line take; none when they are elsewhere.
func (s *strip) columnsOf(from, end int) (int, int, bool) {
	a, b := from, end
	if !s.line.ASCII {
		a, b = s.columnOf(from), s.columnOf(end)
	}
	a, b = max(a, s.from), min(b, s.to)
	return a, b, a < b
}

// columnOf gives the column of the cell that an offset is in; the strip's ends for what is outside.
func (s *strip) columnOf(off int) int {
	i := sort.Search(len(s.cells), func(i int) bool { return s.cells[i].Off+s.cells[i].Size > off })
	switch {
	case i == len(s.cells):
		return s.to
	case off < s.cells[i].Off:
		return s.from
	}
	return s.cells[i].Col
}

// bytes gives the bounds in the text of what the strip shows.
func (s *strip) bytes() (from, end int) {
	switch {
	case s.line.ASCII:
		return s.from, s.to
	case len(s.cells) == 0:
		return 0, 0
	}
	last := s.cells[len(s.cells)-1]
	return s.cells[0].Off, last.Off + last.Size
}

// ground paints the columns of bytes from … end-1 in a colour.
func (v *View) ground(s *strip, from, end int, c rgb) {
	if a, b, ok := s.columnsOf(from, end); ok {
		cell := v.atlas.cellW
		x0, x1 := s.x+(a-s.from)*cell, s.x+(b-s.from)*cell
		fill(v.img, max(x0, v.geo.textX), s.y, min(x1, v.geo.barX), s.y+v.atlas.rowH, c)
	}
}

// paintHits marks where the query is found, and keeps where.
func (v *View) paintHits(s *strip) {
	v.found = v.found[:0]
	q := v.search.query()
	if q.Empty() {
		return
	}
	from, end := s.bytes()
	reach := utf8.UTFMax * len(q.Text()) // a hit may begin before the strip, in other bytes
	from, end = max(from-reach, 0), min(end+reach, len(s.line.Text))
	for from > 0 && !utf8.RuneStart(s.line.Text[from]) {
		from--
	}
	ground, text := v.colours.hit, v.colours.text[logline.Info]
	if v.search.at(s.id) {
		ground, text = v.colours.hitNow, v.colours.onHitNow
	}
	for a, b := q.Find(s.line.Text[:end], from); a >= 0; a, b = q.Find(s.line.Text[:end], b) {
		v.ground(s, a, b, ground)
		v.found = append(v.found, hit{a, b, text})
	}
}

// hit is a hit in the row that is being painted, and the colour of its text.
type hit struct {
	from, end int
	text      rgb
}

// over gives the colour of text at offset off: another one on hits.
func (v *View) over(c rgb, off int) rgb {
	for i := range v.found {
		if h := &v.found[i]; off >= h.from && off < h.end {
			return h.text
		}
	}
	return c
}
