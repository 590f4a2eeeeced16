package widgets_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
)

// tippedRow has one cell with a tooltip.
type tippedRow struct {
	text *widgets.Label
	cell *widgets.Tipped
}

func (r *tippedRow) Cells() []fyne.CanvasObject { return []fyne.CanvasObject{r.cell} }

func (r *tippedRow) Bind(id string) {
	r.text.Set(id)
	r.cell.SetTooltip("all about " + id)
}

func TestATippedCellLeavesItsLineMarkedAndClickable(t *testing.T) {
	use(t, theme.Light)
	k := &clock{}
	var rows []*tippedRow
	opened := ""
	table := widgets.NewTable(widgets.TableConfig{Columns: []widgets.Column{{ID: "a", Title: "A", Width: 200}}, OnOpen: func(id string) { opened = id },
		NewRow: func() widgets.Row {
			text := widgets.NewLabel("", widgets.Cell)
			rows = append(rows, &tippedRow{text, widgets.NewTipped(text)})
			return rows[len(rows)-1]
		}})
	c := show(t, fyne.NewSize(400, 300), widgets.NewRoot(table, k.after))
	table.SetIDs([]string{"one"})
	quiet := c.Capture()
	cell := rows[0].cell
	cell.MouseIn(&desktop.MouseEvent{})
	marked := c.Capture()
	if same(quiet, marked) {
		t.Error("the line is not marked")
	}
	k.pass(time.Second)
	if same(marked, c.Capture()) {
		t.Error("there is no tooltip")
	}
	cell.MouseOut()
	if !same(quiet, c.Capture()) {
		t.Error("something stays")
	}
	test.TapCanvas(c, middle(cell))
	if opened != "one" {
		t.Errorf("a click opens %q", opened)
	}
	cell.SetTooltip("")
	before := c.Capture()
	cell.MouseIn(&desktop.MouseEvent{})
	cell.MouseOut()
	k.pass(time.Second)
	if !same(before, c.Capture()) {
		t.Error("an empty tooltip is shown")
	}
}
