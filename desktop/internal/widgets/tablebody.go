package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// tableBody holds the visible lines of a table, in the whole height of all of them.
type tableBody struct {
	part
	table  *Table
	lines  map[int]*tableLine // by place
	spare  []*tableLine
	widths []float32
	width  float32 // that widths is for
}

func newTableBody(t *Table) *tableBody {
	b := &tableBody{table: t, lines: map[int]*tableLine{}}
	b.layout = func(fyne.Size) { b.show() }
	b.min = func() fyne.Size { return fyne.NewSize(0, float32(len(t.ids))*t.rowHeight()) }
	b.be(b)
	return b
}

// span is the places that are to be seen.
func (b *tableBody) span() (first, last int) {
	t := b.table
	view, height := t.scroll.Size().Height, t.rowHeight()
	if view <= 0 || len(t.ids) == 0 {
		return 0, 0
	}
	first = int(t.scroll.Offset.Y / height)
	last = int((t.scroll.Offset.Y+view)/height) + 1
	first = min(max(first, 0), len(t.ids))
	return first, min(last, len(t.ids))
}

// show has a line at each visible place, bound to the id that stands there.
func (b *tableBody) show() {
	first, last := b.span()
	width, height := b.Size().Width, b.table.rowHeight()
	if width <= 0 {
		return
	}
	if width != b.width || len(b.widths) == 0 {
		b.widths, b.width = b.table.widths(width), width
	}
	changed := false
	for place, l := range b.lines {
		if place < first || place >= last {
			delete(b.lines, place)
			b.spare = append(b.spare, l)
			changed = true
		}
	}
	for place := first; place < last; place++ {
		l := b.lines[place]
		if l == nil {
			l = b.take()
			b.lines[place] = l
			changed = true
		}
		l.bind(b.table.ids[place])
		l.Move(fyne.NewPos(0, float32(place)*height))
		l.set(b.widths, fyne.NewSize(width, height))
	}
	if changed {
		b.objects = b.objects[:0:0]
		for place := first; place < last; place++ {
			b.objects = append(b.objects, b.lines[place])
		}
		canvas.Refresh(b)
	}
}

func (b *tableBody) take() *tableLine {
	if n := len(b.spare); n > 0 {
		l := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return l
	}
	return newTableLine(b.table)
}

func (b *tableBody) rebind() {
	for _, l := range b.lines {
		l.row.Bind(l.id)
	}
}

func (b *tableBody) mark() {
	for _, l := range b.lines {
		l.mark()
	}
}

// tableLine is one visible line.
type tableLine struct {
	part
	table   *Table
	row     Row
	cells   []fyne.CanvasObject
	id      string
	hovered bool
	widths  []float32
	bg      *canvas.Rectangle
	edge    *canvas.Rectangle
	under   *canvas.Rectangle
}

func newTableLine(t *Table) *tableLine {
	l := &tableLine{table: t, row: t.cfg.NewRow(), bg: canvas.NewRectangle(theme.Color(theme.Transparent)),
		edge: canvas.NewRectangle(theme.Color(theme.Accent)), under: canvas.NewRectangle(theme.Color(theme.Border))}
	l.cells = l.row.Cells()
	if len(l.cells) != len(t.cfg.Columns) {
		panic("widgets: a row has a cell for each column")
	}
	l.edge.Hide()
	l.objects = append([]fyne.CanvasObject{l.bg, l.under, l.edge}, l.cells...)
	l.layout = l.lay
	l.min = func() fyne.Size { return fyne.NewSize(0, t.rowHeight()) }
	l.paint = func() {
		l.color()
		l.edge.FillColor, l.under.FillColor = theme.Color(theme.Accent), theme.Color(theme.Border)
	}
	l.be(l)
	for _, c := range l.cells {
		watch(c, func() { l.lay(l.Size()) })
		if t, ok := c.(*Tipped); ok {
			t.hovered = l.point
		}
	}
	return l
}

func (l *tableLine) bind(id string) {
	if id == l.id {
		l.mark()
		return
	}
	l.id, l.hovered = id, false
	l.row.Bind(id)
	l.mark()
}

// set gives the line its size and the columns' widths.
func (l *tableLine) set(widths []float32, size fyne.Size) {
	same := size == l.Size() && equalWidths(widths, l.widths)
	l.widths = widths
	if size != l.Size() {
		l.Resize(size)
	} else if !same {
		l.lay(size)
	}
}

func equalWidths(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	return len(a) == 0 || &a[0] == &b[0]
}

func (l *tableLine) lay(size fyne.Size) {
	inset := l.table.cfg.Inset
	l.bg.Resize(size)
	l.edge.Resize(fyne.NewSize(2, size.Height))
	l.under.Move(fyne.NewPos(inset, size.Height-theme.Hairline))
	l.under.Resize(fyne.NewSize(size.Width-2*inset, theme.Hairline))
	layCells(l.table.cfg, l.cells, l.widths, 0, size.Height)
}

// layCells puts the cells of a line into their columns.
func layCells(cfg TableConfig, cells []fyne.CanvasObject, widths []float32, top, height float32) {
	x := cfg.Inset
	for i, w := range widths {
		cell := cells[i]
		if w <= 0 {
			cell.Hide()
			continue
		}
		cell.Show()
		want := naturalSize(cell)
		at, long := cellPlace(cfg.Columns[i], x, w, want.Width, i == len(widths)-1)
		high := min(want.Height, height)
		cell.Move(fyne.NewPos(at, top+(height-high)/2))
		cell.Resize(fyne.NewSize(long, high))
		x += w
	}
}

// mark shows whether the line is selected and pointed at.
func (l *tableLine) mark() {
	before, edge := l.bg.FillColor, l.edge.Hidden
	l.color()
	if l.bg.FillColor != before {
		l.bg.Refresh()
	}
	if l.edge.Hidden != edge {
		l.edge.Refresh()
	}
}

func (l *tableLine) color() {
	selected := l.id == l.table.selected && l.id != ""
	switch {
	case selected:
		l.bg.FillColor = theme.Color(theme.Selected)
	case l.hovered:
		l.bg.FillColor = theme.Color(theme.Hover)
	default:
		l.bg.FillColor = theme.Color(theme.Transparent)
	}
	l.edge.Hidden = !selected || !l.table.focused
}

// Tapped implements fyne.Tappable.
func (l *tableLine) Tapped(*fyne.PointEvent) {
	t := l.table
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil {
		c.Focus(t)
	}
	id := l.id
	t.Select(id)
	if t.cfg.OnOpen != nil {
		t.cfg.OnOpen(id)
	}
}

// MouseIn implements desktop.Hoverable.
func (l *tableLine) MouseIn(*desktop.MouseEvent) { l.point(true) }

func (l *tableLine) point(hovered bool) {
	l.hovered = hovered
	l.mark()
}

// MouseMoved implements desktop.Hoverable.
func (l *tableLine) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (l *tableLine) MouseOut() { l.point(false) }

// Cursor implements desktop.Cursorable.
func (l *tableLine) Cursor() desktop.Cursor {
	if l.table.cfg.OnOpen == nil {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}
