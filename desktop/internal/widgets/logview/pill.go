package logview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Sizes of the pill.
const (
	pillH      float32 = 30
	pillIcon   float32 = 14
	pillPad    float32 = 13
	pillGap    float32 = 7
	pillBottom float32 = 14
)

// pill is the button over the log that goes to its end.
type pill struct {
	widget.BaseWidget
	ground  *canvas.Rectangle
	icon    *canvas.Image
	text    *canvas.Text
	onTap   func()
	hovered bool
}

var (
	_ fyne.Tappable      = (*pill)(nil)
	_ desktop.Hoverable  = (*pill)(nil)
	_ desktop.Cursorable = (*pill)(nil)
)

func newPill(onTap func()) *pill {
	p := &pill{onTap: onTap, ground: canvas.NewRectangle(nil), icon: canvas.NewImageFromResource(nil), text: canvas.NewText("", nil)}
	p.ground.CornerRadius = pillH / 2
	p.icon.FillMode = canvas.ImageFillContain
	p.text.TextSize, p.text.FontSource = theme.TextTable, theme.FontMedium
	p.Hidden = true
	p.ExtendBaseWidget(p)
	return p
}

// placePill shows the pill where it is needed, with the count of now.
func (v *View) placePill() {
	newer := v.newer.count(v)
	if v.win.Follow && !v.store.Cut() || !v.live && newer == 0 && !v.store.Cut() {
		if v.pill.Visible() {
			v.pill.Hide()
		}
		return
	}
	v.pill.set(v.cfg.FollowText(newer))
	size, all := v.pill.MinSize(), v.Size()
	v.pill.Resize(size)
	v.pill.Move(fyne.NewPos((all.Width-size.Width)/2, max(all.Height-size.Height-pillBottom, 0)))
	if !v.pill.Visible() {
		v.pill.Show()
	}
}

func (p *pill) set(text string) {
	if text == p.text.Text {
		return
	}
	p.text.Text = text
	p.Refresh()
}

// Tapped implements fyne.Tappable.
func (p *pill) Tapped(*fyne.PointEvent) { p.onTap() }

// MouseIn implements desktop.Hoverable.
func (p *pill) MouseIn(*desktop.MouseEvent) { p.hover(true) }

// MouseMoved implements desktop.Hoverable.
func (p *pill) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (p *pill) MouseOut() { p.hover(false) }

func (p *pill) hover(on bool) {
	if p.hovered != on {
		p.hovered = on
		p.Refresh()
	}
}

// Cursor implements desktop.Cursorable.
func (p *pill) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer implements fyne.Widget.
func (p *pill) CreateRenderer() fyne.WidgetRenderer {
	r := pillRenderer{p}
	r.colour()
	return r
}

type pillRenderer struct{ p *pill }

func (r pillRenderer) Layout(size fyne.Size) {
	p := r.p
	p.ground.Resize(size)
	p.icon.Resize(fyne.NewSquareSize(pillIcon))
	p.icon.Move(fyne.NewPos(pillPad, (size.Height-pillIcon)/2))
	text := p.text.MinSize()
	p.text.Resize(text)
	p.text.Move(fyne.NewPos(pillPad+pillIcon+pillGap, (size.Height-text.Height)/2))
}

func (r pillRenderer) MinSize() fyne.Size {
	return fyne.NewSize(2*pillPad+pillIcon+pillGap+r.p.text.MinSize().Width, pillH)
}

func (r pillRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.p.ground, r.p.icon, r.p.text}
}

func (r pillRenderer) Destroy() {}

func (r pillRenderer) Refresh() {
	r.colour()
	r.Layout(r.p.Size())
	canvas.Refresh(r.p)
}

func (r pillRenderer) colour() {
	p := r.p
	name := theme.Accent
	if p.hovered {
		name = theme.AccentHover
	}
	p.ground.FillColor = theme.Color(name)
	p.ground.Shadow = canvas.Shadow{Color: theme.Color(theme.ShadowDeep), BlurRadius: 10, Offset: fyne.NewPos(0, 3)}
	p.text.Color = theme.Color(theme.OnAccent)
	p.icon.Resource = theme.Icon(icons.ArrowDownToLine, theme.OnAccent)
}
