package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// MenuItem is one line of a menu. An item without a label is a line between groups.
type MenuItem struct {
	Icon     icons.Name
	Label    string
	Hint     string // quiet, at the right: a shortcut, a count
	Danger   bool
	Checked  bool
	Disabled bool
	OnTap    func()
}

const (
	menuItemHeight = 32
	menuLineHeight = 9
	menuPad        = 5
	menuMinWidth   = 160
)

// menu lies over the whole window, so that a click beside it closes it.
type menu struct {
	part
	canvas  fyne.Canvas
	items   []MenuItem
	lines   []*menuLine
	at      int // the item that the keyboard is on, -1 for none
	bg      *canvas.Rectangle
	scroll  *container.Scroll
	anchor  fyne.Position
	anchorH float32
	width   float32
	onClose func()
}

// ShowMenu opens a menu below an object, as wide as it at least, or above it where there is no room below. Esc and a click beside it
// close it.
func ShowMenu(below fyne.CanvasObject, items []MenuItem) { showMenu(below, items, -1, nil) }

func showMenu(below fyne.CanvasObject, items []MenuItem, at int, onClose func()) {
	c := fyne.CurrentApp().Driver().CanvasForObject(below)
	if c == nil || len(items) == 0 {
		return
	}
	m := &menu{canvas: c, items: items, at: at, onClose: onClose, bg: canvas.NewRectangle(theme.Color(theme.Surface)),
		anchor: fyne.CurrentApp().Driver().AbsolutePositionForObject(below), anchorH: below.Size().Height}
	m.width = max(menuMinWidth, min(below.Size().Width, 420))
	var objects []fyne.CanvasObject
	for i, it := range items {
		l := newMenuLine(it, func() { m.choose(i) })
		l.changed = func() { m.point(i) }
		m.lines = append(m.lines, l)
		m.width = max(m.width, l.wide()+2*menuPad)
		objects = append(objects, l)
	}
	m.scroll = container.NewVScroll(VFlex(0, objects...))
	m.bg.CornerRadius, m.bg.StrokeWidth = theme.RadiusCard, theme.Hairline
	m.objects = []fyne.CanvasObject{m.bg, m.scroll}
	m.layout = m.lay
	m.min = func() fyne.Size { return fyne.Size{} }
	m.paint = m.repaint
	m.be(m)
	m.repaint()
	c.Overlays().Add(m)
	m.Resize(c.Size())
	c.Focus(m)
	m.mark()
}

func (m *menu) lay(size fyne.Size) {
	height := m.scroll.Content.MinSize().Height + 2*menuPad
	x := min(m.anchor.X, size.Width-m.width-8)
	y := m.anchor.Y + m.anchorH + 4
	if above := m.anchor.Y - height - 4; y+height > size.Height-8 && above >= 8 {
		y = above
	}
	height = min(height, max(size.Height-y-8, menuItemHeight+2*menuPad))
	m.bg.Move(fyne.NewPos(max(x, 8), y))
	m.bg.Resize(fyne.NewSize(m.width, height))
	m.scroll.Move(fyne.NewPos(max(x, 8)+menuPad, y+menuPad))
	m.scroll.Resize(fyne.NewSize(m.width-2*menuPad, height-2*menuPad))
}

func (m *menu) repaint() {
	m.bg.FillColor, m.bg.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.Border)
	m.bg.Shadow = canvas.Shadow{Color: theme.Color(theme.ShadowDeep), BlurRadius: 16, Offset: fyne.NewPos(0, 6)}
}

func (m *menu) choose(i int) {
	it := m.items[i]
	if it.Disabled || it.Label == "" {
		return
	}
	m.dismiss()
	if it.OnTap != nil {
		it.OnTap()
	}
}

func (m *menu) dismiss() {
	m.canvas.Overlays().Remove(m)
	if m.onClose != nil {
		m.onClose()
	}
}

func (m *menu) point(i int) {
	if m.lines[i].hovered {
		m.at = i
	}
	m.mark()
}

func (m *menu) mark() {
	for i, l := range m.lines {
		l.mark(i == m.at)
	}
}

// step moves to the next item that can be chosen.
func (m *menu) step(by int) {
	for n, i := 0, m.at; n < len(m.items); n++ {
		i = (i + by + len(m.items)) % len(m.items)
		if m.at < 0 && by < 0 && n == 0 {
			i = len(m.items) - 1
		}
		if it := m.items[i]; it.Label != "" && !it.Disabled {
			m.at = i
			m.mark()
			m.reveal(i)
			return
		}
	}
}

func (m *menu) reveal(i int) {
	top, view := m.lines[i].Position().Y, m.scroll.Size().Height
	switch offset := m.scroll.Offset.Y; {
	case top < offset:
		m.scroll.ScrollToOffset(fyne.NewPos(0, top))
	case top+menuItemHeight > offset+view:
		m.scroll.ScrollToOffset(fyne.NewPos(0, top+menuItemHeight-view))
	}
}

// Tapped implements fyne.Tappable: a click beside the menu.
func (m *menu) Tapped(*fyne.PointEvent) { m.dismiss() }

// TappedSecondary implements fyne.SecondaryTappable.
func (m *menu) TappedSecondary(*fyne.PointEvent) { m.dismiss() }

// FocusGained implements fyne.Focusable.
func (m *menu) FocusGained() {}

// FocusLost implements fyne.Focusable.
func (m *menu) FocusLost() {}

// TypedRune implements fyne.Focusable.
func (m *menu) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (m *menu) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyDown:
		m.step(1)
	case fyne.KeyUp:
		m.step(-1)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		if m.at >= 0 {
			m.choose(m.at)
		}
	case fyne.KeyEscape, fyne.KeyTab:
		m.dismiss()
	}
}

// menuLine is one item.
type menuLine struct {
	part
	pointed
	item  MenuItem
	bg    *canvas.Rectangle
	icon  *Icon
	label *Label
	hint  *Label
	onTap func()
}

func newMenuLine(it MenuItem, onTap func()) *menuLine {
	l := &menuLine{item: it, onTap: onTap, bg: canvas.NewRectangle(theme.Color(theme.Transparent)), label: NewLabel(it.Label, Body), hint: NewLabel(it.Hint, Caption)}
	if it.Label == "" {
		l.objects = []fyne.CanvasObject{l.bg}
		l.layout = func(s fyne.Size) {
			l.bg.Move(fyne.NewPos(0, 4))
			l.bg.Resize(fyne.NewSize(s.Width, theme.Hairline))
		}
		l.min = func() fyne.Size { return fyne.NewSize(0, menuLineHeight) }
		l.paint = func() { l.bg.FillColor = theme.Color(theme.Border) }
		l.be(l)
		l.paint()
		return l
	}
	color, iconColor := theme.Text, theme.Text2
	switch {
	case it.Disabled:
		color, iconColor = theme.Text3, theme.Text3
	case it.Danger:
		color, iconColor = theme.Error, theme.Error
	}
	name := it.Icon
	if it.Checked {
		name, iconColor = icons.Check, theme.Accent
	}
	l.label.SetColor(color)
	l.bg.CornerRadius = 6
	l.objects = []fyne.CanvasObject{l.bg, l.label, l.hint}
	if name != "" {
		l.icon = NewIcon(name, iconColor, theme.IconSize)
		l.objects = append(l.objects, l.icon)
	}
	l.layout = l.lay
	l.min = func() fyne.Size { return fyne.NewSize(0, menuItemHeight) }
	l.be(l)
	return l
}

func (l *menuLine) wide() float32 {
	width := l.label.NaturalSize().Width + 20 + 26
	if h := l.hint.NaturalSize().Width; h > 0 {
		width += h + 24
	}
	return width
}

func (l *menuLine) lay(s fyne.Size) {
	l.bg.Resize(s)
	x := float32(10)
	if l.icon != nil {
		l.icon.Move(fyne.NewPos(x, 0))
		l.icon.Resize(fyne.NewSize(theme.IconSize, s.Height))
		x += theme.IconSize + 9
	}
	hint := l.hint.NaturalSize().Width
	l.label.Move(fyne.NewPos(x, 0))
	l.label.Resize(fyne.NewSize(max(s.Width-x-10-hint, 0), s.Height))
	l.hint.Move(fyne.NewPos(s.Width-10-hint, 0))
	l.hint.Resize(fyne.NewSize(hint+1, s.Height))
}

func (l *menuLine) mark(on bool) {
	if l.item.Label == "" {
		return
	}
	l.bg.FillColor = theme.Color(theme.Transparent)
	if on && !l.item.Disabled {
		l.bg.FillColor = theme.Color(theme.Hover)
		if l.item.Danger {
			l.bg.FillColor = theme.Color(theme.ErrorSoft)
		}
	}
	l.bg.Refresh()
}

// Tapped implements fyne.Tappable.
func (l *menuLine) Tapped(*fyne.PointEvent) { l.onTap() }
