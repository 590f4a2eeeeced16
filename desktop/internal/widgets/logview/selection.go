package logview

import (
	"unicode"
	"unicode/utf8"

	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

// caret is a place between two characters of a line's text.
type caret struct {
	id  logstore.ID
	off int
}

func (c caret) before(d caret) bool { return c.id < d.id || c.id == d.id && c.off < d.off }

// selection is what is selected: text from one caret to another, or whole lines with what stands before their text.
type selection struct {
	from, to caret // as they were set, in any order
	lines    bool
	on       bool

	// What a drag goes on from: the word or line that was clicked, which stays selected.
	first [2]caret
	by    unit
}

// unit is what a drag selects by.
type unit int

const (
	byChar unit = iota
	byWord
	byLine
)

// bounds gives the carets in order.
func (s *selection) bounds() (a, b caret) {
	if s.to.before(s.from) {
		return s.to, s.from
	}
	return s.from, s.to
}

// whole tells whether line id is selected with all that is before its text.
func (s *selection) whole(id logstore.ID) bool {
	a, b := s.bounds()
	return s.on && s.lines && id >= a.id && id <= b.id
}

// span gives the selected bytes of line id, whose text has size bytes; on says that the selection goes on in the next line.
func (s *selection) span(id logstore.ID, size int) (from, end int, on bool) {
	a, b := s.bounds()
	if !s.on || s.lines || id < a.id || id > b.id {
		return 0, 0, false
	}
	end = size
	if id == a.id {
		from = min(a.off, size)
	}
	if id == b.id {
		end = min(b.off, size)
	}
	return from, end, id < b.id
}

func (v *View) paintSelection(s *strip) {
	from, end, on := v.sel.span(s.id, len(s.line.Text))
	v.ground(s, from, end, v.colours.selected)
	if on && s.to == s.line.Cols { // the line's end is selected too
		x := s.x + (s.to-s.from)*v.atlas.cellW
		fill(v.img, max(x, v.geo.textX), s.y, min(x+v.atlas.cellW/2, v.geo.barX), s.y+v.atlas.rowH, v.colours.selected)
	}
}

// HasSelection tells whether anything is selected.
func (v *View) HasSelection() bool { return v.sel.on }

// SelectAll selects all lines that are held and show.
func (v *View) SelectAll() {
	if v.store.Len() == 0 {
		return
	}
	v.sel = selection{from: caret{id: v.store.First()}, to: caret{id: v.store.End() - 1}, lines: true, on: true}
	v.refresh()
}

// Deselect drops the selection.
func (v *View) Deselect() {
	if v.sel.on {
		v.sel = selection{}
		v.refresh()
	}
}

// extend moves the selection's end to c, by what the drag selects by.
func (s *selection) extend(v *View, c caret) {
	s.on = true
	switch s.by {
	case byChar:
		s.from, s.to = s.first[0], c
		s.on = s.lines || s.from != s.to
	case byWord:
		a, b := v.wordAt(c)
		s.from, s.to = s.first[0], b
		if a.before(s.first[0]) {
			s.from, s.to = s.first[1], a
		}
	case byLine:
		s.from, s.to = s.first[0], c
	}
}

// wordAt gives the ends of the word at c. A path is one word.
func (v *View) wordAt(c caret) (a, b caret) {
	text := v.store.At(c.id).Text
	at := min(c.off, len(text))
	if at == len(text) && at > 0 {
		_, n := utf8.DecodeLastRune(text)
		at -= n
	}
	kind := kindAt(text[at:])
	from, end := at, at
	for end < len(text) && kindAt(text[end:]) == kind {
		_, n := utf8.DecodeRune(text[end:])
		end += n
		if kind == aSign {
			break
		}
	}
	for from > 0 && kind != aSign {
		_, n := utf8.DecodeLastRune(text[:from])
		if kindAt(text[from-n:]) != kind {
			break
		}
		from -= n
	}
	return caret{c.id, from}, caret{c.id, end}
}

// charKind tells characters apart that a double click does not select together.
type charKind int

const (
	aSign charKind = iota
	aSpace
	aLetter // and what paths, addresses and options are made of
)

func kindAt(text []byte) charKind {
	r, _ := utf8.DecodeRune(text)
	switch {
	case r == ' ' || r == '\t' || unicode.IsSpace(r):
		return aSpace
	case r >= utf8.RuneSelf, r >= '0' && r <= '9', r|0x20 >= 'a' && r|0x20 <= 'z':
		return aLetter
	}
	for _, c := range `_-./\:~@%+#=*?&$` {
		if r == c {
			return aLetter
		}
	}
	return aSign
}
