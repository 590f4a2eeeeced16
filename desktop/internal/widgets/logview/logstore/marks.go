package logstore

import "github.com/backstay/backstay/desktop/internal/vm/logline"

// Mark says what is at one place of the scroll bar.
type Mark uint8

// The bits of a Mark.
const (
	MarkWarn  Mark = 1
	MarkError Mark = 2
	MarkHit   Mark = 4
)

// exactRows is how many rows a place of the scroll bar may stand for until the lines in it are looked at by the group.
const exactRows = 4 * groupLines

// Marks sets the marks of a scroll bar that is len(into) places long. hits may be nil.
func (s *Store) Marks(into []Mark, hits *Hits) {
	clear(into)
	rows := s.Rows()
	if rows == 0 || len(into) == 0 {
		return
	}
	m := marker{into: into, rows: rows, exact: rows/int64(len(into)) < exactRows}
	for i, b := range s.blocks {
		shown := b.shownRows(s.least)
		if shown == 0 {
			continue
		}
		var f *Found
		if hits != nil {
			f = hits.blocks[s.base+int64(i)]
		}
		if b.lines[logline.Warn]+b.lines[logline.Error] > 0 || f != nil {
			m.block(s, b, f, shown)
		}
		m.row += shown
	}
}

type marker struct {
	into  []Mark
	rows  int64
	row   int64 // above the block
	exact bool
}

func (m *marker) set(row int64, what Mark) {
	m.into[min(row*int64(len(m.into))/m.rows, int64(len(m.into))-1)] |= what
}

func (m *marker) block(s *Store, b *block, f *Found, shown int64) {
	if !m.exact {
		for g := range blockLines / groupLines {
			what := markOf(b.groups[logline.Warn]>>g&1 != 0 && s.least <= logline.Warn, b.groups[logline.Error]>>g&1 != 0, f != nil && f.bits[g] != 0)
			if what != 0 {
				m.set(m.row+shown*int64(g)/(blockLines/groupLines), what)
			}
		}
		return
	}
	row := m.row
	for i := b.lo; i < b.hi; i++ {
		r := &b.refs[i]
		if r.level() < s.least {
			continue
		}
		if what := markOf(r.level() == logline.Warn, r.level() == logline.Error, f != nil && f.bits[i/64]>>(i%64)&1 != 0); what != 0 {
			m.set(row, what)
		}
		row += r.rows(s.wrap)
	}
}

func markOf(warn, err, hit bool) (m Mark) {
	if warn {
		m |= MarkWarn
	}
	if err {
		m |= MarkError
	}
	if hit {
		m |= MarkHit
	}
	return m
}
