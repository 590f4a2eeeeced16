package shell

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
)

// choice is a row of the palette.
type choice struct {
	icon   icons.Name
	label  string
	detail string
	do     func()
}

const (
	paletteWidth   = 600
	paletteChoices = 9
	paletteRow     = 38
)

// palette is the quick way to everything: type a few letters, choose by arrows, Enter.
type palette struct {
	s       *Shell
	entry   *paletteEntry
	list    *fyne.Container
	nothing *widgets.Label
	choices []choice
	rows    []*widgets.Pressable
	at      int
	overlay *fyne.Container
}

// Palette opens the palette, as its shortcut does.
func (s *Shell) Palette() { s.showPalette() }

// showPalette opens the palette; once more closes it.
func (s *Shell) showPalette() {
	if s.palette != nil {
		s.palette.close()
		return
	}
	if s.session == nil {
		return
	}
	p := &palette{s: s, list: widgets.VFlex(2), nothing: widgets.NewLabel(words.T("palette.nothing"), widgets.Body2)}
	p.entry = newPaletteEntry(words.T("palette.hint"), p.key)
	p.entry.OnChanged = func(string) { p.find() }
	line := widgets.Divider()
	foot := widgets.Pad(widgets.NewLabel(words.T("palette.keys"), widgets.Caption), 8, 16, 10, 16)
	field := widgets.Pad(widgets.HFlex(10, widgets.NewIcon(icons.Search, theme.Text3, 18), widgets.Grow(p.entry, 1)), 8, 14, 8, 16)
	body := widgets.VFlex(0, field, line, widgets.Pad(p.list, 6, 8, 6, 8), widgets.Divider(), foot)
	card := widgets.Floating(body, theme.RadiusDialog)
	scrim := newScrim(p.close)
	p.overlay = container.New(paletteLayout{}, scrim, card)
	s.palette = p
	c := s.cfg.Window.Canvas()
	c.Overlays().Add(p.overlay)
	p.overlay.Resize(c.Size())
	p.find()
	c.Focus(p.entry)
}

func (p *palette) close() {
	p.s.cfg.Window.Canvas().Overlays().Remove(p.overlay)
	p.s.palette = nil
}

// find shows what fits what was typed.
func (p *palette) find() {
	p.choices = p.s.choices(p.entry.Text)
	if len(p.choices) > paletteChoices {
		p.choices = p.choices[:paletteChoices]
	}
	p.at = 0
	p.rows = nil
	objects := []fyne.CanvasObject{widgets.Fixed(widgets.Pad(p.nothing, 0, 0, 0, 10), paletteRow)}
	if len(p.choices) > 0 {
		objects = nil
	}
	for i, c := range p.choices {
		label := widgets.NewLabel(c.label, widgets.BodyMedium)
		row := widgets.HFlex(10, widgets.NewIcon(c.icon, theme.Text2, theme.IconSize), widgets.Grow(label, 1), widgets.NewLabel(c.detail, widgets.Caption))
		press := widgets.NewPressable(widgets.Pad(row, 0, 12, 0, 10), theme.RadiusControl, func() { p.do(i) })
		p.rows = append(p.rows, press)
		objects = append(objects, widgets.Fixed(press, paletteRow))
	}
	widgets.SetChildren(p.list, objects...)
	p.mark()
	p.overlay.Refresh()
}

func (p *palette) mark() {
	for i, r := range p.rows {
		r.SetSelected(i == p.at)
	}
}

func (p *palette) do(i int) {
	if i >= len(p.choices) {
		return
	}
	c := p.choices[i]
	p.close()
	c.do()
}

// key takes the keys that choose.
func (p *palette) key(name fyne.KeyName) bool {
	n := len(p.choices)
	switch name {
	case fyne.KeyEscape:
		p.close()
	case fyne.KeyReturn, fyne.KeyEnter:
		p.do(p.at)
	case fyne.KeyDown:
		if n > 0 {
			p.at = (p.at + 1) % n
		}
		p.mark()
	case fyne.KeyUp:
		if n > 0 {
			p.at = (p.at + n - 1) % n
		}
		p.mark()
	default:
		return false
	}
	return true
}

// paletteLayout puts the card into the upper third.
type paletteLayout struct{}

// MinSize implements fyne.Layout.
func (paletteLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(100, 100) }

// Layout implements fyne.Layout.
func (paletteLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	place(objects[0], 0, 0, size.Width, size.Height)
	w := min(paletteWidth, size.Width-32)
	h := min(objects[1].MinSize().Height, size.Height-64)
	place(objects[1], (size.Width-w)/2, max(32, size.Height*0.14), w, h)
}

// paletteEntry is the palette's field: arrows, Enter and Escape are the palette's.
type paletteEntry struct {
	widget.Entry
	onKey func(fyne.KeyName) bool
}

func newPaletteEntry(hint string, onKey func(fyne.KeyName) bool) *paletteEntry {
	e := &paletteEntry{onKey: onKey}
	e.ExtendBaseWidget(e)
	e.PlaceHolder = hint
	return e
}

// TypedKey implements fyne.Focusable.
func (e *paletteEntry) TypedKey(k *fyne.KeyEvent) {
	if !e.onKey(k.Name) {
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut implements fyne.Shortcutable: the palette's own shortcut closes it.
func (e *paletteEntry) TypedShortcut(s fyne.Shortcut) {
	if c, ok := s.(*desktop.CustomShortcut); ok && c.KeyName == fyne.KeyK {
		e.onKey(fyne.KeyEscape)
		return
	}
	e.Entry.TypedShortcut(s)
}

// scrim dims the window and takes the clicks beside what lies over it.
type scrim struct {
	widget.BaseWidget
	rect  *canvas.Rectangle
	onTap func()
}

func newScrim(onTap func()) *scrim {
	s := &scrim{rect: canvas.NewRectangle(theme.Color(theme.Scrim)), onTap: onTap}
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer implements fyne.Widget.
func (s *scrim) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.rect) }

// Tapped implements fyne.Tappable.
func (s *scrim) Tapped(*fyne.PointEvent) { s.onTap() }
