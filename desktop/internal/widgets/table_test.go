package widgets_test

import (
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
)

// countedRow shows an id and counts.
type countedRow struct {
	id    *widgets.Label
	more  *widgets.Label
	binds *int
}

func (r *countedRow) Cells() []fyne.CanvasObject { return []fyne.CanvasObject{r.id, r.more} }

func (r *countedRow) Bind(id string) {
	*r.binds++
	r.id.Set(id)
	r.more.Set("more of " + id)
}

type tableScene struct {
	table       *widgets.Table
	canvas      fyne.Canvas
	rows, binds int
	opened      []string
	sorted      []string
}

func newTableScene(t testing.TB, height float32) *tableScene {
	s := &tableScene{}
	use(t, theme.Light)
	s.table = widgets.NewTable(widgets.TableConfig{
		Columns: []widgets.Column{{ID: "id", Title: "Name", Width: 200, Grow: 1, Sortable: true}, {ID: "more", Title: "More", Width: 150, Right: true, MinTable: 400}},
		NewRow: func() widgets.Row {
			s.rows++
			return &countedRow{id: widgets.NewLabel("", widgets.Body), more: widgets.NewLabel("", widgets.Cell), binds: &s.binds}
		},
		OnOpen: func(id string) { s.opened = append(s.opened, id) },
		OnSort: func(column string, desc bool) { s.sorted = append(s.sorted, fmt.Sprint(column, " ", desc)) },
	})
	c := empty(t, fyne.NewSize(600, height))
	c.SetContent(s.table)
	c.Resize(fyne.NewSize(600, height))
	s.canvas = c
	return s
}

func TestTableHasWidgetsForVisibleLinesOnly(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs(ids(2000))
	if got := s.table.VisibleIDs(); len(got) < 10 || len(got) > 11 || got[0] != "db-0000.prod-eu" {
		t.Errorf("visible: %v", got)
	}
	for y := float32(0); y < 2000*50; y += 333 {
		s.table.SetOffset(y)
	}
	if s.rows > 13 {
		t.Errorf("%d rows were made for at most 11 visible lines", s.rows)
	}
	s.table.SetOffset(1e9)
	if got := s.table.VisibleIDs(); got[len(got)-1] != "db-1999.prod-eu" {
		t.Errorf("the end shows %v", got)
	}
}

func TestTableBindsALineOncePerID(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs(ids(100))
	before := s.binds
	s.table.SetIDs(ids(100))
	s.table.SetOffset(10)
	if s.binds-before > 1 {
		t.Errorf("%d binds for lines that were there already", s.binds-before)
	}
	before = s.binds
	s.table.SetOffset(60)
	if n := s.binds - before; n < 1 || n > 2 {
		t.Errorf("one line came into view, %d were bound", n)
	}
	before = s.binds
	s.table.RefreshVisible()
	if n := s.binds - before; n < 10 || n > 12 {
		t.Errorf("RefreshVisible bound %d", n)
	}
}

func TestTableSelectionFollowsTheID(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs([]string{"a", "b", "c"})
	s.table.Select("c")
	s.table.SetIDs([]string{"c", "a", "d"})
	if s.table.Selected() != "c" {
		t.Errorf("after another order %q is selected", s.table.Selected())
	}
	s.table.SetIDs([]string{"a", "d"})
	if s.table.Selected() != "" {
		t.Errorf("what is gone is still selected: %q", s.table.Selected())
	}
	s.table.Select("nobody")
	if s.table.Selected() != "" {
		t.Error("an id that is not shown can be selected")
	}
}

func TestTableKeyboard(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs(ids(200))
	s.canvas.Focus(s.table)
	at := func(want string) {
		t.Helper()
		if s.table.Selected() != want {
			t.Errorf("selected %s, want %s", s.table.Selected(), want)
		}
		if !slices.Contains(s.table.VisibleIDs(), want) {
			t.Errorf("%s is selected and not to be seen", want)
		}
	}
	at("db-0000.prod-eu")
	key(t, s.canvas, fyne.KeyDown, fyne.KeyDown)
	at("db-0002.prod-eu")
	key(t, s.canvas, fyne.KeyUp)
	at("db-0001.prod-eu")
	key(t, s.canvas, fyne.KeyPageDown, fyne.KeyPageDown)
	at("db-0019.prod-eu")
	key(t, s.canvas, fyne.KeyEnd)
	at("db-0199.prod-eu")
	key(t, s.canvas, fyne.KeyDown)
	at("db-0199.prod-eu")
	key(t, s.canvas, fyne.KeyReturn)
	key(t, s.canvas, fyne.KeyHome)
	at("db-0000.prod-eu")
	if !slices.Equal(s.opened, []string{"db-0199.prod-eu"}) {
		t.Errorf("Enter opened %v", s.opened)
	}
	escaped := 0
	s.canvas.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyEscape {
			escaped++
		}
	})
	key(t, s.canvas, fyne.KeyEscape)
	if escaped != 1 {
		t.Error("Esc in a table does not reach the window")
	}
}

func TestTableClickOpensAndTakesTheKeyboard(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs(ids(20))
	tapAt(s.canvas, 100, 36+50*2+25)
	if !slices.Equal(s.opened, []string{"db-0002.prod-eu"}) {
		t.Fatalf("opened %v", s.opened)
	}
	key(t, s.canvas, fyne.KeyDown)
	if s.table.Selected() != "db-0003.prod-eu" {
		t.Errorf("after a click the arrows select %q", s.table.Selected())
	}
}

func TestTableSortsByItsTitles(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs(ids(20))
	tapAt(s.canvas, 25, 18)
	s.table.SetSort("id", false)
	tapAt(s.canvas, 25, 18)
	s.table.SetSort("id", true)
	tapAt(s.canvas, 25, 18)
	tapAt(s.canvas, 560, 18) // not sortable
	if want := []string{"id false", "id true", "id false"}; !slices.Equal(s.sorted, want) {
		t.Errorf("sorted %q, want %q", s.sorted, want)
	}
}

func TestTableHidesColumnsThatDoNotFit(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs([]string{"a"})
	row := firstRow(t, s)
	if !row.more.Visible() || row.more.Size().Width < 20 {
		t.Error("a column is hidden in a wide table")
	}
	if right := absolute(row.more).X + row.more.Size().Width; right < 583 || right > 584.5 {
		t.Errorf("figures end at %v, not at the padding of the right edge", right)
	}
	s.canvas.(interface{ Resize(fyne.Size) }).Resize(fyne.NewSize(380, 400))
	if row.more.Visible() {
		t.Error("a column with MinTable 400 is shown in 380")
	}
}

func TestTableCutsTextBeforeFigures(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs([]string{"a"})
	row := firstRow(t, s)
	s.canvas.(interface{ Resize(fyne.Size) }).Resize(fyne.NewSize(405, 400))
	wide := row.more.Size().Width
	if drawn(row.more) != "more of a" || wide < row.more.NaturalSize().Width {
		t.Errorf("figures are cut: %q", drawn(row.more))
	}
}

// firstRow finds the row of the first line through what is drawn.
func firstRow(t *testing.T, s *tableScene) *countedRow {
	t.Helper()
	var found []*widgets.Label
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widgets.Label:
			found = append(found, o)
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				walk(c)
			}
		case *fyne.Container:
			for _, c := range o.Objects {
				walk(c)
			}
		}
	}
	walk(s.table)
	for i, l := range found {
		if l.Text() == "a" {
			return &countedRow{id: l, more: found[i+1]}
		}
	}
	t.Fatal("no line is drawn")
	return nil
}

func TestTableRowsFollowTheDensity(t *testing.T) {
	s := newTableScene(t, 36+10*50)
	s.table.SetIDs(ids(100))
	comfortable := len(s.table.VisibleIDs())
	fyne.CurrentApp().Settings().SetTheme(theme.New(theme.Light, theme.Compact))
	if compact := len(s.table.VisibleIDs()); compact <= comfortable {
		t.Errorf("%d lines are visible in compact density, %d before", compact, comfortable)
	}
	tapAt(s.canvas, 100, 36+40*2+20)
	if !slices.Equal(s.opened, []string{"db-0002.prod-eu"}) {
		t.Errorf("the third line of a compact table opens %v", s.opened)
	}
}

// BenchmarkTableScroll is what one frame of scrolling 2,000 hosts costs the widgets themselves, without painting.
func BenchmarkTableScroll(b *testing.B) {
	use(b, theme.Light)
	table := widgets.NewTable(widgets.TableConfig{Columns: hostColumns(), NewRow: newHostRow})
	c := empty(b, fyne.NewSize(1200, 800))
	c.SetContent(table)
	c.Resize(fyne.NewSize(1200, 800))
	table.SetIDs(ids(2000))
	b.ReportAllocs()
	y, step := float32(0), float32(60) // more than a line a frame
	for b.Loop() {
		y += step
		if y > 2000*50-800 {
			y = 0
		}
		table.SetOffset(y)
	}
}

// BenchmarkTableRefreshVisible is one tick of a live table in which nothing changed.
func BenchmarkTableRefreshVisible(b *testing.B) {
	use(b, theme.Light)
	table := widgets.NewTable(widgets.TableConfig{Columns: hostColumns(), NewRow: newHostRow})
	c := empty(b, fyne.NewSize(1200, 800))
	c.SetContent(table)
	c.Resize(fyne.NewSize(1200, 800))
	table.SetIDs(ids(2000))
	b.ReportAllocs()
	for b.Loop() {
		table.RefreshVisible()
	}
}
