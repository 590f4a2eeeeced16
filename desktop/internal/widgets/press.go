package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// press is what can be pressed: by pointer, or by Enter and Space when it has the keyboard.
type press struct {
	part
	onTap    func()
	disabled bool
	hovered  bool
	focused  bool
	tooltip  string
	tip      tip
	changed  func() // hover, focus or enabled is another
}

// Tapped implements fyne.Tappable.
func (p *press) Tapped(*fyne.PointEvent) { p.fire() }

func (p *press) fire() {
	p.tip.hide()
	if p.disabled || p.onTap == nil {
		return
	}
	p.onTap()
}

// MouseIn implements desktop.Hoverable.
func (p *press) MouseIn(*desktop.MouseEvent) {
	p.hovered = true
	p.tell()
	if p.tooltip != "" {
		p.tip.wait(p.me, p.tooltip)
	}
}

// MouseMoved implements desktop.Hoverable.
func (p *press) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (p *press) MouseOut() {
	p.hovered = false
	p.tip.hide()
	p.tell()
}

// FocusGained implements fyne.Focusable.
func (p *press) FocusGained() {
	p.focused = true
	p.tell()
}

// FocusLost implements fyne.Focusable.
func (p *press) FocusLost() {
	p.focused = false
	p.tell()
}

// TypedRune implements fyne.Focusable.
func (p *press) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (p *press) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		p.fire()
	default:
		forward(p.me, e)
	}
}

// Cursor implements desktop.Cursorable.
func (p *press) Cursor() desktop.Cursor {
	if p.disabled || p.onTap == nil {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// Disabled implements fyne.Disableable: what does nothing now is passed over by the keyboard.
func (p *press) Disabled() bool { return p.disabled }

// Disable implements fyne.Disableable.
func (p *press) Disable() { p.setDisabled(true) }

// Enable implements fyne.Disableable.
func (p *press) Enable() { p.setDisabled(false) }

func (p *press) setDisabled(disabled bool) {
	if disabled == p.disabled {
		return
	}
	p.disabled = disabled
	p.tell()
}

func (p *press) tell() {
	if p.changed != nil {
		p.changed()
	}
}

// ring is the mark around what has the keyboard.
type ring struct {
	rect   *canvas.Rectangle
	radius float32
}

func newRing(radius float32) ring {
	r := canvas.NewRectangle(theme.Color(theme.Transparent))
	r.StrokeColor, r.StrokeWidth, r.CornerRadius = theme.Color(theme.FocusRing), 2, radius+2
	r.Hide()
	return ring{rect: r, radius: radius}
}

func (r ring) layout(size fyne.Size) {
	r.rect.Move(fyne.NewPos(-2, -2))
	r.rect.Resize(size.AddWidthHeight(4, 4))
}

func (r ring) show(focused bool) {
	r.rect.StrokeColor = theme.Color(theme.FocusRing)
	if focused {
		r.rect.Show()
	} else {
		r.rect.Hide()
	}
}

// Pressable makes any content pressable: a list's entry, a card, a crumb.
type Pressable struct {
	press
	content  fyne.CanvasObject
	bg       *canvas.Rectangle
	ring     ring
	selected bool
	soft     fyne.ThemeColorName
}

// NewPressable makes content pressable, with rounded corners when pointed at.
func NewPressable(content fyne.CanvasObject, radius float32, onTap func()) *Pressable {
	p := &Pressable{content: content, bg: canvas.NewRectangle(theme.Color(theme.Transparent)), ring: newRing(radius), soft: theme.AccentSoft}
	p.onTap = onTap
	p.bg.CornerRadius = radius
	p.objects = []fyne.CanvasObject{p.bg, content, p.ring.rect}
	p.layout = func(s fyne.Size) {
		p.bg.Resize(s)
		content.Resize(s)
		p.ring.layout(s)
	}
	p.min = content.MinSize
	p.paint = p.repaint
	p.changed = func() { p.repaint(); p.bg.Refresh(); p.ring.rect.Refresh() }
	p.be(p)
	watch(content, p.grew)
	return p
}

// NaturalSize is the content's.
func (p *Pressable) NaturalSize() fyne.Size { return naturalSize(p.content) }

func (p *Pressable) naturalIn(width float32) fyne.Size { return naturalIn(p.content, width) }

// SetOnTap does something else from now on.
func (p *Pressable) SetOnTap(f func()) { p.onTap = f }

// SetSelected marks it as the chosen one of several.
func (p *Pressable) SetSelected(selected bool) {
	if selected == p.selected {
		return
	}
	p.selected = selected
	p.changed()
}

// Tooltip says something while the pointer rests on it, and gives the pressable back.
func (p *Pressable) Tooltip(text string) *Pressable {
	p.tooltip = text
	return p
}

func (p *Pressable) repaint() {
	switch {
	case p.selected:
		p.bg.FillColor = theme.Color(p.soft)
	case p.hovered && !p.disabled && p.onTap != nil:
		p.bg.FillColor = theme.Color(theme.Hover)
	default:
		p.bg.FillColor = theme.Color(theme.Transparent)
	}
	p.ring.show(p.focused)
}
