package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Panel is a surface with rounded corners, a hairline and a faint shadow.
type Panel struct {
	part
	bg   *canvas.Rectangle
	body fyne.CanvasObject
}

// Card puts a body on a surface, with the padding of cards.
func Card(body fyne.CanvasObject) *Panel { return FlatCard(PadAll(body, theme.CardPad-theme.Hairline)) }

// FlatCard puts a body on a surface without padding: a table, a log.
func FlatCard(body fyne.CanvasObject) *Panel {
	p := &Panel{bg: canvas.NewRectangle(theme.Color(theme.Surface)), body: body}
	p.bg.CornerRadius, p.bg.StrokeWidth = theme.RadiusCard, theme.Hairline
	p.objects = []fyne.CanvasObject{p.bg, body}
	p.layout = func(s fyne.Size) {
		p.bg.Resize(s)
		p.body.Move(fyne.NewPos(theme.Hairline, theme.Hairline))
		p.body.Resize(s.SubtractWidthHeight(2*theme.Hairline, 2*theme.Hairline))
	}
	p.min = func() fyne.Size { return body.MinSize().AddWidthHeight(2*theme.Hairline, 2*theme.Hairline) }
	p.paint = p.repaint
	p.repaint()
	p.be(p)
	watch(body, p.grew)
	return p
}

// NaturalSize is the body's and the frame's.
func (p *Panel) NaturalSize() fyne.Size {
	return naturalSize(p.body).AddWidthHeight(2*theme.Hairline, 2*theme.Hairline)
}

func (p *Panel) naturalIn(width float32) fyne.Size {
	return naturalIn(p.body, width-2*theme.Hairline).AddWidthHeight(2*theme.Hairline, 2*theme.Hairline)
}

func (p *Panel) repaint() {
	p.bg.FillColor, p.bg.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.Border)
	p.bg.Shadow = canvas.Shadow{Color: theme.Color(theme.Shadow), BlurRadius: theme.CardBlur, Offset: fyne.NewPos(0, 1)}
}

// CardWith is a card with a title, a quiet subtitle ("" for none), something at the right of them (nil for nothing) and a body.
func CardWith(title, subtitle string, right, body fyne.CanvasObject) *Panel {
	return Card(VFlex(12, CardHead(title, subtitle, right), Grow(body, 1)))
}

// CardHead is the first line of a card: a title, a quiet subtitle ("" for none), and something at the right (nil for nothing).
func CardHead(title, subtitle string, right fyne.CanvasObject) *fyne.Container {
	children := []fyne.CanvasObject{NewLabel(title, CardTitle)}
	if subtitle != "" {
		children = append(children, NewLabel(subtitle, Cell).Colored(theme.Text3))
	}
	children = append(children, Spacer())
	if right != nil {
		children = append(children, right)
	}
	return HFlex(theme.GapSmall, children...)
}

// Backdrop paints a colour behind a body: a sidebar, a bar, a page.
func Backdrop(color fyne.ThemeColorName, radius float32, body fyne.CanvasObject) *Ground {
	g := &Ground{color: color, bg: canvas.NewRectangle(theme.Color(color)), body: body}
	g.bg.CornerRadius = radius
	g.objects = []fyne.CanvasObject{g.bg, body}
	g.layout = func(s fyne.Size) {
		g.bg.Resize(s)
		body.Resize(s)
	}
	g.min = body.MinSize
	g.paint = func() { g.bg.FillColor = theme.Color(g.color) }
	g.be(g)
	watch(body, g.grew)
	return g
}

// Ground is a colour with a body on it.
type Ground struct {
	part
	color fyne.ThemeColorName
	bg    *canvas.Rectangle
	body  fyne.CanvasObject
}

// NaturalSize is the body's.
func (g *Ground) NaturalSize() fyne.Size { return naturalSize(g.body) }

func (g *Ground) naturalIn(width float32) fyne.Size { return naturalIn(g.body, width) }

// SetColor paints another colour.
func (g *Ground) SetColor(color fyne.ThemeColorName) {
	if color == g.color {
		return
	}
	g.color = color
	g.bg.FillColor = theme.Color(color)
	g.bg.Refresh()
}
