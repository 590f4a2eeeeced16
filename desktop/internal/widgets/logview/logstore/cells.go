package logstore

import (
	"sort"
	"unicode"
	"unicode/utf8"
)

// TabStop is the distance of tab stops in columns.
const TabStop = 8

// Cell is what is drawn as one: a character with the marks that belong to it.
type Cell struct {
	Off, Size int // bytes of the text
	Col, Cols int // columns from the start of the line
}

// Cells walks the cells of a line's text.
type Cells struct {
	text     []byte
	off, col int
}

// CellsOf begins at the start of text.
func CellsOf(text []byte) Cells { return Cells{text: text} }

// CellsFrom begins at a cell's start that is known.
func CellsFrom(text []byte, off, col int) Cells { return Cells{text: text, off: off, col: col} }

// Next gives the next cell, and false at the end.
func (c *Cells) Next() (Cell, bool) {
	if c.off >= len(c.text) {
		return Cell{}, false
	}
	cell := Cell{Off: c.off, Size: 1, Col: c.col, Cols: 1}
	if b := c.text[c.off]; b < utf8.RuneSelf && (c.off+1 == len(c.text) || c.text[c.off+1] < 0xcc) { // what follows is no mark
		if b == '\t' {
			cell.Cols = TabStop - c.col%TabStop
		}
	} else {
		cell.Size, cell.Cols = cluster(c.text[c.off:], c.col)
	}
	c.off += cell.Size
	c.col += cell.Cols
	return cell, true
}

const (
	joiner       = 0x200d
	emojiStyle   = 0xfe0f
	flagA, flagZ = 0x1f1e6, 0x1f1ff
	toneA, toneZ = 0x1f3fb, 0x1f3ff
)

// cluster measures the cell at the start of text, which is not empty, at column col.
func cluster(text []byte, col int) (size, cols int) {
	base, size := utf8.DecodeRune(text)
	if base == '\t' {
		return 1, TabStop - col%TabStop
	}
	cols = max(runeCols(base), 1)
	if shaped(base) {
		return word(text, size, cols)
	}
	flag := base >= flagA && base <= flagZ
	last := base
	for size < len(text) && size < 128 { // a hundred marks on one letter are no text
		r, n := utf8.DecodeRune(text[size:])
		switch {
		case last == joiner && cols == 2, r >= toneA && r <= toneZ && cols == 2:
		case flag && r >= flagA && r <= flagZ:
			flag, cols = false, 2
		case r < 0x300 || runeCols(r) > 0:
			return size, cols
		case r == emojiStyle:
			cols = 2
		}
		size += n
		last = r
	}
	return size, cols
}

// maxWord bounds a word that is one cell, in columns.
const maxWord = 32

// word measures a cell of letters that are only right when they are drawn together; its first takes size bytes and cols columns.
func word(text []byte, size, cols int) (int, int) {
	for size < len(text) && cols < maxWord && size < 4*maxWord {
		r, n := utf8.DecodeRune(text[size:])
		w := runeCols(r)
		if !shaped(r) && w > 0 {
			break
		}
		size += n
		cols += w
	}
	return size, cols
}

// shaped tells whether r belongs to a script whose letters join, move or run from right to left. Digits stand for themselves.
func shaped(r rune) bool {
	switch {
	case r < 0x590, r >= 0x660 && r <= 0x669, r >= 0x6f0 && r <= 0x6f9:
		return false
	case r <= 0xdff: // Hebrew to Sinhala
		return true
	}
	return r >= 0xf00 && r <= 0x109f || r >= 0x1780 && r <= 0x17ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfefc
}

// wide holds the blocks whose characters take two columns, in order.
var wide = [...][2]rune{{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3},
	{0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1}, {0x26aa, 0x26ab},
	{0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea}, {0x26f2, 0x26f3}, {0x26f5, 0x26f5},
	{0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e},
	{0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797}, {0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50},
	{0x2b55, 0x2b55}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
	{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1f9ff},
	{0x1fa70, 0x1faff}, {0x20000, 0x3fffd}}

// runeCols is how many columns r takes by itself: 0 for what belongs to the character before it.
func runeCols(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case r >= 0x4e00 && r <= 0x9fff || r >= 0xac00 && r <= 0xd7a3: // most of what is wide
		return 2
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	if i := sort.Search(len(wide), func(i int) bool { return wide[i][1] >= r }); i < len(wide) && r >= wide[i][0] {
		return 2
	}
	return 1
}

// measure gives the columns of text, and whether each of its bytes is a column of its own.
func measure(text []byte) (cols int, ascii bool) {
	for i, b := range text {
		if b < ' ' || b > '~' {
			if i > 0 && b >= utf8.RuneSelf {
				i-- // it may be a mark of the character before
			}
			c := CellsFrom(text, i, i)
			for {
				if _, ok := c.Next(); !ok {
					return c.col, false
				}
			}
		}
	}
	return len(text), true
}
