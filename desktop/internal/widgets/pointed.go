package widgets

import "fyne.io/fyne/v2/driver/desktop"

// pointed knows whether the pointer is on it.
type pointed struct {
	hovered bool
	changed func()
}

// MouseIn implements desktop.Hoverable.
func (p *pointed) MouseIn(*desktop.MouseEvent) { p.set(true) }

// MouseMoved implements desktop.Hoverable.
func (p *pointed) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (p *pointed) MouseOut() { p.set(false) }

// Cursor implements desktop.Cursorable.
func (p *pointed) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (p *pointed) set(hovered bool) {
	p.hovered = hovered
	if p.changed != nil {
		p.changed()
	}
}
