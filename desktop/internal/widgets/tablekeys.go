package widgets

import (
	"fyne.io/fyne/v2"
)

// FocusGained implements fyne.Focusable: the first visible line is selected where none was.
func (t *Table) FocusGained() {
	t.focused = true
	if visible := t.VisibleIDs(); t.selected == "" && len(visible) > 0 {
		t.Select(visible[0])
	}
	t.body.mark()
}

// FocusLost implements fyne.Focusable.
func (t *Table) FocusLost() {
	t.focused = false
	t.body.mark()
}

// TypedRune implements fyne.Focusable.
func (t *Table) TypedRune(rune) {}

// TypedKey implements fyne.Focusable: arrows, Home, End and the page keys select, Enter opens.
func (t *Table) TypedKey(e *fyne.KeyEvent) {
	page := max(int(t.scroll.Size().Height/t.rowHeight())-1, 1)
	switch e.Name {
	case fyne.KeyDown:
		t.step(1)
	case fyne.KeyUp:
		t.step(-1)
	case fyne.KeyPageDown:
		t.step(page)
	case fyne.KeyPageUp:
		t.step(-page)
	case fyne.KeyHome:
		t.step(-len(t.ids))
	case fyne.KeyEnd:
		t.step(len(t.ids))
	case fyne.KeyReturn, fyne.KeyEnter:
		if t.selected != "" && t.cfg.OnOpen != nil {
			t.cfg.OnOpen(t.selected)
		}
	default:
		forward(t, e)
	}
}

// step selects the line that many places on.
func (t *Table) step(by int) {
	if len(t.ids) == 0 {
		return
	}
	at := t.place(t.selected)
	if at < 0 && by > 0 {
		at = -1
	}
	t.Select(t.ids[min(max(at+by, 0), len(t.ids)-1)])
}
