package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// dismisser is an overlay of ours that Esc closes.
type dismisser interface{ dismiss() }

// Escape closes what lies on top of the window, a menu or a dialog, and tells whether there was something.
func Escape(c fyne.Canvas) bool {
	top, ok := c.Overlays().Top().(dismisser)
	if ok {
		top.dismiss()
	}
	return ok
}

// forward hands on a key that the widget which has the keyboard does not want: Esc to what lies on top, others to the window.
func forward(from fyne.CanvasObject, e *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(from)
	if c == nil {
		return
	}
	if e.Name == fyne.KeyEscape && Escape(c) {
		return
	}
	if c.Overlays().Top() != nil {
		return // what lies below a dialog is out of reach
	}
	if f := c.OnTypedKey(); f != nil {
		f(e)
	}
}

// forwardShortcut hands a shortcut with a modifier on to the window: an entry swallows those that it does not know.
func forwardShortcut(from fyne.CanvasObject, s fyne.Shortcut) {
	custom, ok := s.(*desktop.CustomShortcut)
	if !ok {
		return
	}
	c := fyne.CurrentApp().Driver().CanvasForObject(from)
	if c == nil || c.Overlays().Top() != nil {
		return
	}
	if to, ok := c.(fyne.Shortcutable); ok {
		to.TypedShortcut(custom)
	}
}
