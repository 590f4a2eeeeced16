package logview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

var (
	_ fyne.Focusable    = (*View)(nil)
	_ fyne.Shortcutable = (*View)(nil)
)

// sideCols is how far the left and right keys move lines that do not wrap.
const sideCols = 8

// takeFocus brings the keyboard here because of a click.
func (v *View) takeFocus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(v); c != nil && c.Focused() != fyne.Focusable(v) {
		v.mouse.mine = true
		c.Focus(v)
		v.mouse.mine = false
	}
}

// FocusGained implements fyne.Focusable. Who came by the keyboard sees where it is.
func (v *View) FocusGained() {
	if !v.mouse.mine {
		v.mouse.ring = true
		v.refresh()
	}
}

// FocusLost implements fyne.Focusable.
func (v *View) FocusLost() {
	if v.mouse.ring {
		v.mouse.ring = false
		v.refresh()
	}
}

// TypedRune implements fyne.Focusable.
func (v *View) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (v *View) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape && v.sel.on {
		v.Deselect()
		return
	}
	if e.Name == fyne.KeyEscape && v.cfg.OnEscape != nil {
		v.cfg.OnEscape()
		return
	}
	if v.atlas == nil || !v.moved(e.Name) {
		v.forward(e)
	}
}

// moved does what a key asks for, and is false for other keys.
func (v *View) moved(key fyne.KeyName) bool {
	row := v.win.RowH
	page := max(v.win.Height-row, row)
	switch key {
	case fyne.KeyUp:
		v.scrollBy(-row)
	case fyne.KeyDown:
		v.scrollBy(row)
	case fyne.KeyPageUp:
		v.scrollBy(-page)
	case fyne.KeyPageDown:
		v.scrollBy(page)
	case fyne.KeyHome:
		v.scrollBy(-v.win.Total(v.store))
	case fyne.KeyEnd:
		v.Follow()
	case fyne.KeyLeft:
		v.setShift(v.shift - sideCols*v.atlas.cellW)
	case fyne.KeyRight:
		v.setShift(v.shift + sideCols*v.atlas.cellW)
	case fyne.KeyF3:
		if shifted() {
			v.PrevHit()
		} else {
			v.NextHit()
		}
	default:
		return false
	}
	return true
}

// forward hands on a key that is not the log's to the window, unless something lies over it.
func (v *View) forward(e *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(v)
	if c == nil || c.Overlays().Top() != nil {
		return
	}
	if typed := c.OnTypedKey(); typed != nil {
		typed(e)
	}
}

// TypedShortcut implements fyne.Shortcutable. What is not the log's goes on to the window.
func (v *View) TypedShortcut(s fyne.Shortcut) {
	switch s := s.(type) {
	case *fyne.ShortcutCopy:
		v.Copy()
		return
	case *fyne.ShortcutSelectAll:
		v.SelectAll()
		return
	case *desktop.CustomShortcut:
		if s.Modifier == fyne.KeyModifierShortcutDefault && v.commanded(s.KeyName) {
			return
		}
	}
	c := fyne.CurrentApp().Driver().CanvasForObject(v)
	if to, ok := c.(fyne.Shortcutable); ok && c.Overlays().Top() == nil {
		to.TypedShortcut(s)
	}
}

// commanded does what Ctrl or ⌘ and a key ask for.
func (v *View) commanded(key fyne.KeyName) bool {
	switch key {
	case fyne.KeyF:
		if v.cfg.OnFind == nil {
			return false
		}
		v.cfg.OnFind()
	case fyne.KeyG:
		v.NextHit()
	case fyne.KeyHome, fyne.KeyUp:
		return v.atlas == nil || v.moved(fyne.KeyHome)
	case fyne.KeyEnd, fyne.KeyDown:
		return v.atlas == nil || v.moved(fyne.KeyEnd)
	default:
		return false
	}
	return true
}
