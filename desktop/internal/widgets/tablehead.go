package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// tableHead is the line of titles.
type tableHead struct {
	part
	table  *Table
	titles []*tableTitle
	under  *canvas.Rectangle
}

func newTableHead(t *Table) *tableHead {
	h := &tableHead{table: t, under: canvas.NewRectangle(theme.Color(theme.Border))}
	h.objects = []fyne.CanvasObject{h.under}
	for _, c := range t.cfg.Columns {
		title := newTableTitle(t, c)
		h.titles = append(h.titles, title)
		h.objects = append(h.objects, title)
	}
	h.layout = h.lay
	h.min = func() fyne.Size { return fyne.NewSize(0, theme.HeaderH) }
	h.paint = func() { h.under.FillColor = theme.Color(theme.Border) }
	h.be(h)
	return h
}

func (h *tableHead) lay(size fyne.Size) {
	h.under.Move(fyne.NewPos(0, size.Height-theme.Hairline))
	h.under.Resize(fyne.NewSize(size.Width, theme.Hairline))
	widths := h.table.widths(size.Width)
	x := h.table.cfg.Inset
	for i, w := range widths {
		title := h.titles[i]
		title.Hidden = w <= 0
		at, long := cellPlace(title.column, x, w, title.want(), i == len(widths)-1)
		if !title.column.Right {
			long = min(long, title.want())
		}
		title.Move(fyne.NewPos(at, 0))
		title.Resize(fyne.NewSize(long, size.Height))
		x += w
	}
}

func (h *tableHead) mark() {
	for _, t := range h.titles {
		t.mark()
	}
	h.lay(h.Size())
	h.Refresh()
}

// tableTitle is a column's title; a click sorts where the column can be sorted by.
type tableTitle struct {
	part
	table   *Table
	column  Column
	label   *Label
	arrow   *Icon
	hovered bool
}

const arrowSize = 12

func newTableTitle(t *Table, c Column) *tableTitle {
	h := &tableTitle{table: t, column: c, label: NewLabel(c.Title, Caption), arrow: NewIcon(icons.ArrowUp, theme.Text2, arrowSize)}
	h.arrow.Hide()
	h.objects = []fyne.CanvasObject{h.label, h.arrow}
	h.layout = func(s fyne.Size) {
		width := s.Width
		if h.arrow.Visible() {
			width -= arrowSize + 4
			h.arrow.Move(fyne.NewPos(width+4, (s.Height-arrowSize)/2))
			h.arrow.Resize(fyne.NewSquareSize(arrowSize))
		}
		h.label.Resize(fyne.NewSize(width, s.Height))
	}
	h.min = func() fyne.Size { return fyne.NewSize(0, theme.HeaderH) }
	h.be(h)
	return h
}

func (h *tableTitle) want() float32 {
	width := h.label.NaturalSize().Width + 1
	if h.arrow.Visible() {
		width += arrowSize + 4
	}
	return width
}

func (h *tableTitle) mark() {
	sorted := h.table.sortBy == h.column.ID && h.column.ID != ""
	icon := icons.ArrowUp
	if h.table.sortDesc {
		icon = icons.ArrowDown
	}
	h.arrow.Set(icon, theme.Text2)
	h.arrow.Hidden = !sorted
	switch {
	case sorted || h.hovered && h.column.Sortable:
		h.label.SetColor(theme.Text2)
	default:
		h.label.SetColor(theme.Text3)
	}
}

// Tapped implements fyne.Tappable.
func (h *tableTitle) Tapped(*fyne.PointEvent) {
	t := h.table
	if !h.column.Sortable || t.cfg.OnSort == nil {
		return
	}
	t.cfg.OnSort(h.column.ID, t.sortBy == h.column.ID && !t.sortDesc)
}

// MouseIn implements desktop.Hoverable.
func (h *tableTitle) MouseIn(*desktop.MouseEvent) {
	h.hovered = true
	h.mark()
}

// MouseMoved implements desktop.Hoverable.
func (h *tableTitle) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (h *tableTitle) MouseOut() {
	h.hovered = false
	h.mark()
}

// Cursor implements desktop.Cursorable.
func (h *tableTitle) Cursor() desktop.Cursor {
	if h.column.Sortable {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}
