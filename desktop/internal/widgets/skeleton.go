package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// SkeletonBlock stands where something will be. It does not move.
func SkeletonBlock(width, height float32) fyne.CanvasObject {
	b := &bone{rect: canvas.NewRectangle(theme.Color(theme.Raised)), size: fyne.NewSize(width, height)}
	b.rect.CornerRadius = min(height/2, 8)
	b.objects = []fyne.CanvasObject{b.rect}
	b.layout = b.rect.Resize
	b.min = func() fyne.Size { return b.size }
	b.paint = func() { b.rect.FillColor = theme.Color(theme.Raised) }
	b.be(b)
	return b
}

type bone struct {
	part
	rect *canvas.Rectangle
	size fyne.Size
}

// SkeletonLines stands where lines of text will be.
func SkeletonLines(n int) *fyne.Container {
	var lines []fyne.CanvasObject
	for i := range n {
		width := float32(220 - 40*(i%3))
		lines = append(lines, At(SkeletonBlock(width, 10), Start))
	}
	return VFlex(12, lines...)
}

// SkeletonTable stands where a table will be: its titles, and lines without content.
func SkeletonTable(columns []Column, lines int) fyne.CanvasObject {
	s := &skeletonTable{table: NewTable(TableConfig{Columns: columns})}
	s.objects = []fyne.CanvasObject{s.table.head}
	for range lines {
		l := &skeletonLine{cells: newSkeletonRow(columns), under: canvas.NewRectangle(theme.Color(theme.Border))}
		s.lines = append(s.lines, l)
		s.objects = append(append(s.objects, l.under), l.cells...)
	}
	s.layout = s.lay
	s.min = func() fyne.Size { return fyne.NewSize(160, theme.HeaderH+float32(lines)*theme.RowHeight()) }
	s.paint = func() {
		for _, l := range s.lines {
			l.under.FillColor = theme.Color(theme.Border)
		}
	}
	s.be(s)
	return s
}

// skeletonTable borrows a table's titles and columns.
type skeletonTable struct {
	part
	table *Table
	lines []*skeletonLine
}

type skeletonLine struct {
	cells []fyne.CanvasObject
	under *canvas.Rectangle
}

func (s *skeletonTable) lay(size fyne.Size) {
	s.table.head.Resize(fyne.NewSize(size.Width, theme.HeaderH))
	widths, height := s.table.widths(size.Width), theme.RowHeight()
	for i, l := range s.lines {
		top := theme.HeaderH + float32(i)*height
		layCells(s.table.cfg, l.cells, widths, top, height)
		l.under.Move(fyne.NewPos(s.table.cfg.Inset, top+height-theme.Hairline))
		l.under.Resize(fyne.NewSize(size.Width-2*s.table.cfg.Inset, theme.Hairline))
	}
}

func newSkeletonRow(columns []Column) []fyne.CanvasObject {
	cells := make([]fyne.CanvasObject, len(columns))
	for i, c := range columns {
		switch {
		case i == 0:
			cells[i] = VFlex(7, At(SkeletonBlock(min(c.Width*0.7, 150), 10), Start), At(SkeletonBlock(min(c.Width*0.45, 96), 8), Start))
		case c.Right:
			cells[i] = SkeletonBlock(min(c.Width*0.6, 50), 10)
		default:
			cells[i] = HFlex(0, SkeletonBlock(min(c.Width*0.65, 120), 10))
		}
	}
	return cells
}
