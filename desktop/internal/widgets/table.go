package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Column is one column of a table.
type Column struct {
	ID       string
	Title    string
	Width    float32 // with the gap to the next; the least width of a column that grows
	Grow     float32 // a share of the room that is left, by weight
	Right    bool    // figures stand at the right
	Sortable bool
	MinTable float32 // hidden where the table is narrower
}

// Row is the content of one visible line. The table makes as many as are visible and binds them to other ids when it is scrolled:
// everything that a row shows comes from Bind.
type Row interface {
	Cells() []fyne.CanvasObject // one for each column, always the same objects
	Bind(id string)
}

// TableConfig says what a table shows and tells.
type TableConfig struct {
	Columns   []Column
	NewRow    func() Row
	OnOpen    func(id string)                // a click, or Enter
	OnSelect  func(id string)                // optional: the arrows, or a click
	OnSort    func(column string, desc bool) // a click on a sortable title; the page sorts and calls SetIDs and SetSort
	RowHeight float32                        // 0: as high as rows are in the density of now
	Inset     float32                        // 0: the padding of cards
}

// Table shows many lines by their ids. Only visible lines have widgets; an id is what a line is, not its place.
type Table struct {
	part
	cfg      TableConfig
	ids      []string
	index    map[string]int // nil: not asked for since the ids changed
	selected string
	sortBy   string
	sortDesc bool
	focused  bool

	head   *tableHead
	body   *tableBody
	scroll *container.Scroll
}

var _ fyne.Focusable = (*Table)(nil)

// NewTable makes an empty table.
func NewTable(cfg TableConfig) *Table {
	if cfg.Inset == 0 {
		cfg.Inset = theme.CardPad
	}
	t := &Table{cfg: cfg}
	t.head = newTableHead(t)
	t.body = newTableBody(t)
	t.scroll = container.NewVScroll(t.body)
	t.scroll.OnScrolled = func(fyne.Position) { t.body.show() }
	t.objects = []fyne.CanvasObject{t.head, t.scroll}
	t.layout = t.lay
	t.min = func() fyne.Size { return fyne.NewSize(160, theme.HeaderH+t.rowHeight()) }
	t.be(t)
	return t
}

// NaturalSize is as high as all lines are.
func (t *Table) NaturalSize() fyne.Size {
	return fyne.NewSize(160, theme.HeaderH+float32(max(len(t.ids), 1))*t.rowHeight())
}

func (t *Table) rowHeight() float32 {
	if t.cfg.RowHeight > 0 {
		return t.cfg.RowHeight
	}
	return theme.RowHeight()
}

func (t *Table) lay(size fyne.Size) {
	t.head.Resize(fyne.NewSize(size.Width, theme.HeaderH))
	t.scroll.Move(fyne.NewPos(0, theme.HeaderH))
	t.scroll.Resize(size.SubtractWidthHeight(0, theme.HeaderH))
	t.body.show()
}

// SetIDs shows these lines, in this order. What is selected and scrolled to stays where it can; lines that stay in their place are
// not bound again, see RefreshVisible.
func (t *Table) SetIDs(ids []string) {
	if equal(ids, t.ids) {
		return
	}
	count := len(t.ids)
	t.ids = append(t.ids[:0:0], ids...)
	t.index = nil
	if t.selected != "" && t.place(t.selected) < 0 {
		t.selected = ""
	}
	if len(t.ids) != count {
		t.scroll.Refresh()
		t.grew()
	}
	t.body.show()
	t.body.Refresh()
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// IDs are the lines shown. They must not be changed.
func (t *Table) IDs() []string { return t.ids }

// SetSort marks the column that the lines are sorted by.
func (t *Table) SetSort(column string, desc bool) {
	if column == t.sortBy && desc == t.sortDesc {
		return
	}
	t.sortBy, t.sortDesc = column, desc
	t.head.mark()
}

// RefreshVisible binds the visible lines again: what they show is another. Setters that find nothing changed cost nothing.
func (t *Table) RefreshVisible() { t.body.rebind() }

// VisibleIDs are the ids that are to be seen now.
func (t *Table) VisibleIDs() []string {
	first, last := t.body.span()
	if last <= first {
		return nil
	}
	return t.ids[first:last]
}

// Selected is the id of the selected line, "" for none.
func (t *Table) Selected() string { return t.selected }

// Select marks a line and scrolls to it; "" marks none. An id that is not shown is ignored.
func (t *Table) Select(id string) {
	if id == t.selected {
		return
	}
	place := t.place(id)
	if id != "" && place < 0 {
		return
	}
	t.selected = id
	if place >= 0 {
		t.reveal(place)
	}
	t.body.mark()
	if t.cfg.OnSelect != nil && id != "" {
		t.cfg.OnSelect(id)
	}
}

// place is where the id stands, -1 where it does not.
func (t *Table) place(id string) int {
	if t.index == nil {
		t.index = make(map[string]int, len(t.ids))
		for i, id := range t.ids {
			t.index[id] = i
		}
	}
	if i, ok := t.index[id]; ok {
		return i
	}
	return -1
}

// Offset is how far the lines are scrolled; for a page that is left and comes back.
func (t *Table) Offset() float32 { return t.scroll.Offset.Y }

// SetOffset scrolls.
func (t *Table) SetOffset(y float32) {
	t.scroll.ScrollToOffset(fyne.NewPos(0, max(y, 0)))
	t.body.show()
}

// reveal scrolls no further than needed to see the line.
func (t *Table) reveal(place int) {
	height := t.rowHeight()
	top := float32(place) * height
	offset, view := t.scroll.Offset.Y, t.scroll.Size().Height
	switch {
	case view <= 0:
	case top < offset:
		t.SetOffset(top)
	case top+height > offset+view:
		t.SetOffset(top + height - view)
	}
}

// widths gives each column's width in a table this wide; 0 for a hidden one.
func (t *Table) widths(total float32) []float32 {
	widths := make([]float32, len(t.cfg.Columns))
	room := total - 2*t.cfg.Inset
	var weights float32
	for i, c := range t.cfg.Columns {
		if c.MinTable > 0 && total < c.MinTable {
			continue
		}
		widths[i] = c.Width
		room -= c.Width
		weights += c.Grow
	}
	if room < 0 {
		t.shrink(widths, -room)
		return widths
	}
	for i, c := range t.cfg.Columns {
		if weights > 0 && (c.MinTable <= 0 || total >= c.MinTable) {
			widths[i] += room * c.Grow / weights
		}
	}
	return widths
}

// shrink takes the room that there is too little of from the columns of text, which end in an ellipsis; figures that are cut say
// something else.
func (t *Table) shrink(widths []float32, missing float32) {
	var text float32
	for i, c := range t.cfg.Columns {
		if !c.Right {
			text += widths[i]
		}
	}
	if text <= 0 {
		return
	}
	left := max((text-missing)/text, 0.3)
	for i, c := range t.cfg.Columns {
		if !c.Right {
			widths[i] *= left
		}
	}
}

// The distance to the next column is a part of the column's width; figures at the right keep more, so that they do not run into
// what follows.
const (
	cellGap      = 12
	cellGapRight = 26
)

// cellPlace is where a cell of a wanted width stands in its column.
func cellPlace(c Column, x, width, want float32, last bool) (at, long float32) {
	switch {
	case last:
	case c.Right:
		width -= cellGapRight
	default:
		width -= cellGap
	}
	width = max(width, 0)
	if c.Right {
		long = min(want, width)
		return x + width - long, long
	}
	return x, width
}
