package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Kind is what a button is for.
type Kind int

// Kinds.
const (
	Secondary Kind = iota
	Primary        // the one thing to do on a page
	Danger         // outlined in the error colour: something will be lost
	Ghost          // without a frame until pointed at
	Link           // text in the accent's colour, as high as text
)

// Button is something to do, said in a word or two.
type Button struct {
	press
	kind  Kind
	icon  icons.Name
	busy  bool
	bg    *canvas.Rectangle
	image *canvas.Image
	label *Label
	ring  ring
}

var _ fyne.Focusable = (*Button)(nil)

// NewButton makes a button. An icon is optional: "".
func NewButton(kind Kind, icon icons.Name, label string, onTap func()) *Button {
	b := &Button{kind: kind, icon: icon, bg: canvas.NewRectangle(theme.Color(theme.Transparent)), image: &canvas.Image{},
		label: NewLabel(label, BodyMedium), ring: newRing(theme.RadiusControl)}
	b.onTap = onTap
	b.bg.CornerRadius = theme.RadiusControl
	b.image.FillMode = canvas.ImageFillContain
	b.objects = []fyne.CanvasObject{b.bg, b.image, b.label, b.ring.rect}
	b.layout = b.lay
	b.min = b.NaturalSize
	b.paint = b.repaint
	b.changed = func() { b.repaint(); b.Refresh() }
	b.be(b)
	b.repaint()
	return b
}

// SetLabel says something else.
func (b *Button) SetLabel(label string) {
	if label == b.label.Text() {
		return
	}
	b.label.Set(label)
	b.again()
}

// SetIcon shows another icon; "" for none.
func (b *Button) SetIcon(icon icons.Name) {
	if icon == b.icon {
		return
	}
	b.icon = icon
	b.again()
}

// SetEnabled lets it be pressed or not.
func (b *Button) SetEnabled(enabled bool) { b.setDisabled(!enabled) }

// SetBusy shows that what it started goes on; it cannot be pressed meanwhile.
func (b *Button) SetBusy(busy bool) {
	if busy == b.busy {
		return
	}
	b.busy = busy
	b.again()
}

// SetOnTap does something else from now on.
func (b *Button) SetOnTap(f func()) { b.onTap = f }

// Label is what the button says.
func (b *Button) Label() string { return b.label.Text() }

// Tooltip says more while the pointer rests on the button, and gives the button back.
func (b *Button) Tooltip(text string) *Button {
	b.tooltip = text
	return b
}

// Tapped implements fyne.Tappable.
func (b *Button) Tapped(*fyne.PointEvent) { b.fire() }

// TypedKey implements fyne.Focusable.
func (b *Button) TypedKey(e *fyne.KeyEvent) {
	if !b.busy {
		b.press.TypedKey(e)
	}
}

func (b *Button) fire() {
	if !b.busy {
		b.press.fire()
	}
}

func (b *Button) again() {
	b.repaint()
	b.lay(b.Size())
	b.Refresh()
	b.grew()
}

const (
	buttonPad  = 12
	buttonGap  = 8
	buttonIcon = 15
)

// NaturalSize is the label's, the icon's and the frame's.
func (b *Button) NaturalSize() fyne.Size {
	text := b.label.NaturalSize()
	if b.kind == Link {
		return fyne.NewSize(text.Width+b.iconRoom(), text.Height)
	}
	width := text.Width + 2*buttonPad + b.iconRoom()
	if b.iconRoom() > 0 {
		width -= 2 // an icon has air of its own
	}
	return fyne.NewSize(width, theme.ControlH)
}

func (b *Button) iconRoom() float32 {
	if b.icon == "" && !b.busy {
		return 0
	}
	return buttonIcon + buttonGap
}

func (b *Button) lay(size fyne.Size) {
	b.bg.Resize(size)
	b.ring.layout(size)
	text := b.label.NaturalSize()
	content := text.Width + b.iconRoom()
	x := max((size.Width-content)/2, 0)
	if b.iconRoom() > 0 {
		x = max(x-0.5, 0)
		b.image.Move(fyne.NewPos(x, (size.Height-buttonIcon)/2))
		b.image.Resize(fyne.NewSquareSize(buttonIcon))
		x += b.iconRoom()
	}
	b.label.Move(fyne.NewPos(x, 0))
	b.label.Resize(fyne.NewSize(max(min(text.Width, size.Width-x), 0), size.Height))
}

func (b *Button) repaint() {
	c := b.colors()
	b.bg.FillColor, b.bg.StrokeColor = theme.Color(c.fill), theme.Color(c.stroke)
	b.bg.StrokeWidth = 0
	if c.stroke != theme.Transparent {
		b.bg.StrokeWidth = theme.Hairline
	}
	b.bg.Shadow = canvas.Shadow{}
	if b.kind == Primary || b.kind == Secondary || b.kind == Danger {
		b.bg.Shadow = canvas.Shadow{Color: theme.Color(theme.Shadow), BlurRadius: 2, Offset: fyne.NewPos(0, 1)}
	}
	b.label.SetColor(c.text)
	icon := b.icon
	if b.busy {
		icon = icons.Loader
	}
	if icon == "" {
		b.image.Hide()
	} else {
		b.image.Resource = theme.Icon(icon, c.icon)
		b.image.Show()
	}
	b.ring.show(b.focused)
}

type buttonColors struct{ fill, stroke, text, icon fyne.ThemeColorName }

func (b *Button) colors() buttonColors {
	off := b.disabled || b.busy
	c := buttonColors{fill: theme.Surface, stroke: theme.BorderStrong, text: theme.Text, icon: theme.Text2}
	switch b.kind {
	case Primary:
		c = buttonColors{fill: theme.Accent, stroke: theme.Transparent, text: theme.OnAccent, icon: theme.OnAccent}
		if b.hovered {
			c.fill = theme.AccentHover
		}
		if off {
			return buttonColors{fill: theme.MutedSoft, stroke: theme.Transparent, text: theme.Text3, icon: theme.Text3}
		}
		return c
	case Danger:
		c.text, c.icon = theme.Error, theme.Error
		c.stroke = theme.ErrorLine
	case Ghost:
		c.fill, c.stroke, c.text = theme.Transparent, theme.Transparent, theme.Text2
	case Link:
		c = buttonColors{fill: theme.Transparent, stroke: theme.Transparent, text: theme.Accent, icon: theme.Accent}
	}
	switch {
	case off:
		c.text, c.icon = theme.Text3, theme.Text3
	case b.hovered && b.kind == Danger:
		c.fill = theme.ErrorSoft
	case b.hovered && b.kind == Ghost:
		c.fill, c.text = theme.Hover, theme.Text
	case b.hovered && b.kind == Link:
		c.text, c.icon = theme.AccentHover, theme.AccentHover
	case b.hovered:
		c.fill = theme.Raised
	}
	return c
}

// IconButton is something to do, said by an icon and a tooltip.
type IconButton struct {
	press
	icon   icons.Name
	framed bool
	small  bool
	on     bool
	bg     *canvas.Rectangle
	image  *canvas.Image
	ring   ring
}

// NewIconButton makes a button of an icon without a frame. The tooltip is its name and must not be empty.
func NewIconButton(icon icons.Name, tooltip string, onTap func()) *IconButton {
	b := &IconButton{icon: icon, bg: canvas.NewRectangle(theme.Color(theme.Transparent)), image: &canvas.Image{}, ring: newRing(theme.RadiusControl)}
	b.onTap, b.tooltip = onTap, tooltip
	b.bg.CornerRadius = theme.RadiusControl
	b.image.FillMode = canvas.ImageFillContain
	b.objects = []fyne.CanvasObject{b.bg, b.image, b.ring.rect}
	b.layout = func(s fyne.Size) {
		b.bg.Resize(s)
		b.ring.layout(s)
		size := theme.IconSize
		if b.small {
			size = 14
		}
		b.image.Move(fyne.NewPos((s.Width-size)/2, (s.Height-size)/2))
		b.image.Resize(fyne.NewSquareSize(size))
	}
	b.min = func() fyne.Size { return fyne.NewSquareSize(theme.ControlH) }
	b.paint = b.repaint
	b.changed = func() { b.repaint(); b.Refresh() }
	b.be(b)
	b.repaint()
	return b
}

// Framed gives the button the frame of a secondary one, and gives it back.
func (b *IconButton) Framed() *IconButton {
	b.framed = true
	b.repaint()
	return b
}

// quiet makes the icon small and pale until it is pointed at: a button that closes something.
func (b *IconButton) quiet() *IconButton {
	b.small = true
	b.repaint()
	return b
}

// SetIcon shows another icon.
func (b *IconButton) SetIcon(icon icons.Name) {
	if icon == b.icon {
		return
	}
	b.icon = icon
	b.changed()
}

// SetOn marks what it switches as on.
func (b *IconButton) SetOn(on bool) {
	if on == b.on {
		return
	}
	b.on = on
	b.changed()
}

// SetOnTap does something else from now on.
func (b *IconButton) SetOnTap(f func()) { b.onTap = f }

// SetEnabled lets it be pressed or not.
func (b *IconButton) SetEnabled(enabled bool) { b.setDisabled(!enabled) }

// SetTooltip names it otherwise.
func (b *IconButton) SetTooltip(text string) { b.tooltip = text }

func (b *IconButton) repaint() {
	fill, stroke, icon := theme.Transparent, theme.Transparent, theme.Text2
	if b.framed {
		fill, stroke = theme.Surface, theme.BorderStrong
	}
	switch {
	case b.disabled || b.small && !b.hovered:
		icon = theme.Text3
	case b.on:
		fill, icon = theme.AccentSoft, theme.Accent
	case b.hovered && b.framed:
		fill = theme.Raised
	case b.hovered:
		fill = theme.Hover
	}
	b.bg.FillColor, b.bg.StrokeColor, b.bg.StrokeWidth = theme.Color(fill), theme.Color(stroke), 0
	if b.framed {
		b.bg.StrokeWidth = theme.Hairline
	}
	b.image.Resource = theme.Icon(b.icon, icon)
	b.ring.show(b.focused)
}
