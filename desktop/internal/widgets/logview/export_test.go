package logview

import (
	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

// Waiting tells whether a repaint waits for its time.
func (v *View) Waiting() bool { return v.paints.timer != nil }

// Dragging tells whether a drag beyond the edge scrolls on.
func (v *View) Dragging() bool { return v.mouse.timer != nil }

// Repaints counts repaints.
func (v *View) Repaints() int { return v.paints.count }

// PillText is the text of the button to the end, empty while it is hidden.
func (v *View) PillText() string {
	if !v.pill.Visible() {
		return ""
	}
	return v.pill.text.Text
}

// TapPill presses that button.
func (v *View) TapPill() { v.pill.Tapped(&fyne.PointEvent{}) }

// PointOf gives the middle of a column of the row in which a line begins; a column before 0 is in the gutter.
func (v *View) PointOf(seq int64, col int) fyne.Position {
	id, _ := v.store.Find(seq)
	y := float64(v.store.RowsAbove(logstore.Pos{ID: id}))*v.win.RowH - v.win.Y(v.store) + v.win.RowH/2
	x := float64(v.geo.textX+col*v.atlas.cellW-v.shift) + float64(v.atlas.cellW)/2
	return fyne.NewPos(float32(x/v.geo.scale), float32(y/v.geo.scale))
}

// Bar gives the middle of the scroll bar at a part of its height.
func (v *View) Bar(part float64) fyne.Position {
	return fyne.NewPos(float32(float64(v.geo.barX+v.geo.barEnd)/2/v.geo.scale), float32(float64(v.geo.h)*part/v.geo.scale))
}

// Shift is how far text is moved to the left, in columns.
func (v *View) Shift() int { return v.shift / v.atlas.cellW }

// Generate paints as Fyne would.
func (v *View) Generate(w, h int) { v.generate(w, h) }

// AtlasBytes is what the atlas of now holds beside ASCII.
func (v *View) AtlasBytes() int { return v.atlas.bytes }
