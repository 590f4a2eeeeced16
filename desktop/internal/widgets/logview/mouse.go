package logview

import (
	"math"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

var (
	_ desktop.Mouseable  = (*View)(nil)
	_ desktop.Hoverable  = (*View)(nil)
	_ desktop.Cursorable = (*View)(nil)
	_ fyne.Draggable     = (*View)(nil)
	_ fyne.Scrollable    = (*View)(nil)
)

// zone is a part of the view that the pointer does different things in.
type zone int

const (
	nowhere zone = iota
	onGutter
	onText
	onBar
	onSideways
)

const (
	manyClicks = 400 * time.Millisecond // between the clicks of a double click
	nearby     = 4                      // pixels that they may be apart
	dragPace   = 50 * time.Millisecond  // of scrolling while a drag is beyond the edge
	wheelNotch = 10                     // what Fyne makes of one notch of a wheel
	wheelRows  = 3                      // what we make of it
)

// mouse is what the pointer does.
type mouse struct {
	inside bool
	over   zone
	down   zone // that the button was pressed in
	x, y   float64
	grab   float64 // from the start of the thumb that is dragged
	clicks int
	last   time.Time
	lastAt [2]float64
	timer  *time.Timer // runs while a drag is beyond an edge
	ring   bool        // the keyboard came here by the keyboard
	mine   bool        // the keyboard comes here by a click
}

func (m *mouse) stopDrag() {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
}

// at takes a position of Fyne's over into pixels.
func (v *View) at(p fyne.Position) (x, y float64) {
	return float64(p.X) * v.geo.scale, float64(p.Y) * v.geo.scale
}

func (v *View) zoneAt(x, y float64) zone {
	if x >= float64(v.geo.barX-v.geo.dip(4)) {
		return onBar
	}
	if _, _, y0, _, ok := v.sideways(); ok && y >= float64(y0-v.geo.dip(2)) && x >= float64(v.geo.textX) {
		return onSideways
	}
	if x < float64(v.geo.textX-v.atlas.cellW) {
		return onGutter
	}
	return onText
}

// caretAt gives the caret nearest to a place, false when there are no lines.
func (v *View) caretAt(x, y float64) (caret, bool) {
	row := math.Floor((v.win.Y(v.store) + y) / v.win.RowH)
	p, ok := v.store.RowAt(int64(row))
	if !ok {
		return caret{}, false
	}
	l := v.store.At(p.ID)
	if row >= float64(v.store.Rows()) { // below the last line
		return caret{p.ID, len(l.Text)}, true
	}
	col := (x - float64(v.geo.textX) + float64(v.shift)) / float64(v.atlas.cellW)
	if wrap := v.store.Wrap(); wrap > 0 {
		col = min(max(col, 0), float64(wrap)) + float64(p.Row)*float64(wrap)
	}
	return caret{p.ID, v.offsetAt(p.ID, &l, col)}, true
}

// MouseDown implements desktop.Mouseable.
func (v *View) MouseDown(e *desktop.MouseEvent) {
	v.takeFocus()
	if e.Button != desktop.MouseButtonPrimary || v.atlas == nil {
		return
	}
	v.mouse.x, v.mouse.y = v.at(e.Position)
	v.mouse.down = v.zoneAt(v.mouse.x, v.mouse.y)
	switch v.mouse.down {
	case onBar:
		v.grabBar()
	case onSideways:
		if x0, x1, _, _, ok := v.sideways(); ok {
			v.mouse.grab = v.mouse.x - float64(x0)
			if v.mouse.grab < 0 || v.mouse.grab > float64(x1-x0) {
				v.mouse.grab = float64(x1-x0) / 2
				v.dragSideways()
			}
		}
	default:
		v.press(e.Modifier&fyne.KeyModifierShift != 0)
	}
}

// press begins a selection, or extends the one there is.
func (v *View) press(extend bool) {
	c, ok := v.caretAt(v.mouse.x, v.mouse.y)
	if !ok {
		return
	}
	now := time.Now()
	same := math.Abs(v.mouse.x-v.mouse.lastAt[0])+math.Abs(v.mouse.y-v.mouse.lastAt[1]) <= nearby
	if now.Sub(v.mouse.last) > manyClicks || !same || v.mouse.clicks == 3 {
		v.mouse.clicks = 0
	}
	v.mouse.clicks++
	v.mouse.last, v.mouse.lastAt = now, [2]float64{v.mouse.x, v.mouse.y}
	had := v.sel.on
	switch {
	case extend && (had || v.sel.first != [2]caret{}):
		v.mouse.clicks = 0
		v.sel.extend(v, c)
	case v.mouse.down == onGutter:
		v.sel = selection{from: c, to: c, first: [2]caret{c, c}, lines: true, by: byLine, on: true}
	case v.mouse.clicks == 2:
		a, b := v.wordAt(c)
		v.sel = selection{from: a, to: b, first: [2]caret{a, b}, by: byWord, on: true}
	case v.mouse.clicks == 3:
		v.sel = selection{from: c, to: c, first: [2]caret{c, c}, lines: true, by: byLine, on: true}
	default:
		v.sel = selection{first: [2]caret{c, c}}
	}
	if had || v.sel.on {
		v.refresh()
	}
}

// MouseUp implements desktop.Mouseable.
func (v *View) MouseUp(*desktop.MouseEvent) { v.letGo() }

// DragEnd implements fyne.Draggable.
func (v *View) DragEnd() { v.letGo() }

func (v *View) letGo() {
	v.mouse.stopDrag()
	if v.mouse.down != nowhere {
		v.mouse.down = nowhere
		v.refresh()
	}
}

// Dragged implements fyne.Draggable.
func (v *View) Dragged(e *fyne.DragEvent) {
	v.mouse.x, v.mouse.y = v.at(e.Position)
	v.drag()
}

func (v *View) drag() {
	switch v.mouse.down {
	case onBar:
		v.dragBar()
	case onSideways:
		v.dragSideways()
	case onText, onGutter:
		v.mouse.clicks = 0
		beyond := v.beyond()
		if beyond != 0 {
			v.scrollBy(beyond)
		}
		if c, ok := v.caretAt(v.mouse.x, min(max(v.mouse.y, 0), float64(v.geo.h-1))); ok {
			v.sel.extend(v, c)
			if v.sel.on && v.live {
				v.setFollow(v.win.Follow && beyond > 0) // what is selected does not run away
			}
		}
		v.keepDragging(beyond != 0)
		v.refresh()
	}
}

// beyond is how far a drag scrolls: the farther the pointer is beyond the edge, the faster.
func (v *View) beyond() float64 {
	switch {
	case v.mouse.y < 0:
		return v.mouse.y / 2
	case v.mouse.y > float64(v.geo.h):
		return (v.mouse.y - float64(v.geo.h)) / 2
	}
	return 0
}

// keepDragging scrolls on while the pointer rests beyond the edge.
func (v *View) keepDragging(on bool) {
	v.mouse.stopDrag()
	if !on || v.closed {
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(dragPace, func() {
		v.cfg.Post(func() {
			if v.mouse.timer == mine && !v.closed {
				v.drag()
			}
		})
	})
	v.mouse.timer = mine
}

func (v *View) grabBar() {
	t, ok := v.track()
	if !ok {
		return
	}
	v.mouse.grab = v.mouse.y - float64(t.thumbY)
	if v.mouse.grab < 0 || v.mouse.grab > float64(t.size) { // the thumb comes to the pointer: to the mark that was clicked
		v.mouse.grab = float64(t.size) / 2
		v.dragBar()
	}
}

func (v *View) dragBar() {
	t, ok := v.track()
	if !ok || t.height == t.size {
		return
	}
	part := (v.mouse.y - v.mouse.grab - float64(t.top)) / float64(t.height-t.size)
	v.win.ScrollTo(v.store, part*t.room)
	v.setFollow(v.win.Follow)
	v.refresh()
}

func (v *View) dragSideways() {
	x0, x1, _, _, ok := v.sideways()
	room := v.geo.textEnd - v.geo.textX - (x1 - x0)
	if !ok || room <= 0 {
		return
	}
	part := (v.mouse.x - v.mouse.grab - float64(v.geo.textX)) / float64(room)
	v.setShift(int(part * float64(v.maxShift())))
}

func (v *View) setShift(x int) {
	x = min(max(x, 0), v.maxShift())
	if x != v.shift {
		v.shift = x
		v.refresh()
	}
}

// scrollBy moves the view by pixels, and repaints.
func (v *View) scrollBy(dy float64) {
	was, followed := v.win.Top, v.win.Follow
	v.win.Scroll(v.store, dy)
	v.setFollow(v.win.Follow && !v.store.Cut())
	if v.win.Top != was || v.win.Follow != followed {
		v.refresh()
	}
}

// Scrolled implements fyne.Scrollable.
func (v *View) Scrolled(e *fyne.ScrollEvent) {
	if v.atlas == nil {
		return
	}
	dx, dy := float64(e.Scrolled.DX), float64(e.Scrolled.DY)
	if math.Abs(dy) == wheelNotch {
		dy *= wheelRows * v.win.RowH / v.geo.scale / wheelNotch
	}
	if dx == 0 && shifted() {
		dx, dy = dy, 0
	}
	if dx != 0 {
		v.setShift(v.shift - int(dx*v.geo.scale))
	}
	if dy != 0 {
		v.scrollBy(-dy * v.geo.scale)
	}
}

// shifted tells whether the shift key is down.
func shifted() bool {
	d, ok := fyne.CurrentApp().Driver().(desktop.Driver)
	return ok && d.CurrentKeyModifiers()&fyne.KeyModifierShift != 0
}

// MouseIn implements desktop.Hoverable.
func (v *View) MouseIn(e *desktop.MouseEvent) { v.hover(e.Position, true) }

// MouseMoved implements desktop.Hoverable.
func (v *View) MouseMoved(e *desktop.MouseEvent) { v.hover(e.Position, true) }

// MouseOut implements desktop.Hoverable.
func (v *View) MouseOut() { v.hover(fyne.Position{}, false) }

// hover repaints only when a bar changes its look.
func (v *View) hover(p fyne.Position, inside bool) {
	if v.atlas == nil {
		return
	}
	was := v.mouse
	v.mouse.inside, v.mouse.over = inside, nowhere
	if inside {
		v.mouse.over = v.zoneAt(v.at(p))
	}
	bars := func(z zone) bool { return z == onBar || z == onSideways }
	if bars(was.over) != bars(v.mouse.over) || was.inside != inside && v.maxShift() > 0 {
		v.refresh()
	}
}

// Cursor implements desktop.Cursorable.
func (v *View) Cursor() desktop.Cursor {
	if v.mouse.over == onText || v.mouse.down == onText {
		return desktop.TextCursor
	}
	return desktop.DefaultCursor
}
