package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Dot is a small disc in a tone, beside the word that says the same.
type Dot struct {
	part
	tone Tone
	disc *canvas.Circle
}

const dotSize = 7

// NewDot makes a dot.
func NewDot(tone Tone) *Dot {
	d := &Dot{tone: tone, disc: canvas.NewCircle(theme.Color(tone.Fill()))}
	d.objects = []fyne.CanvasObject{d.disc}
	d.layout = func(s fyne.Size) {
		d.disc.Move(fyne.NewPos((s.Width-dotSize)/2, (s.Height-dotSize)/2))
		d.disc.Resize(fyne.NewSquareSize(dotSize))
	}
	d.min = func() fyne.Size { return fyne.NewSquareSize(dotSize) }
	d.paint = func() { d.disc.FillColor = theme.Color(d.tone.Fill()) }
	d.be(d)
	return d
}

// Set shows another tone.
func (d *Dot) Set(tone Tone) {
	if tone == d.tone {
		return
	}
	d.tone = tone
	d.Refresh()
}

// Avatar is a person's initials on a disc.
type Avatar struct {
	part
	disc  *canvas.Circle
	label *Label
}

const avatarSize = 30

// NewAvatar makes an avatar.
func NewAvatar(initials string) *Avatar {
	a := &Avatar{disc: canvas.NewCircle(theme.Color(theme.AccentSoft)), label: NewLabel(initials, CaptionMedium).Colored(theme.Accent).AlignCenter()}
	a.objects = []fyne.CanvasObject{a.disc, a.label}
	a.layout = func(s fyne.Size) {
		x, y := (s.Width-avatarSize)/2, (s.Height-avatarSize)/2
		a.disc.Move(fyne.NewPos(x, y))
		a.disc.Resize(fyne.NewSquareSize(avatarSize))
		h := a.label.MinSize().Height
		a.label.Move(fyne.NewPos(x, y+(avatarSize-h)/2))
		a.label.Resize(fyne.NewSize(avatarSize, h))
	}
	a.min = func() fyne.Size { return fyne.NewSquareSize(avatarSize) }
	a.paint = func() { a.disc.FillColor = theme.Color(theme.AccentSoft) }
	a.be(a)
	return a
}

// Set shows other initials.
func (a *Avatar) Set(initials string) { a.label.Set(initials) }

// NewLogo is the product's mark, as wide and as high as size.
func NewLogo(size float32) fyne.CanvasObject {
	mark := canvas.NewImageFromResource(theme.AppIcon())
	mark.FillMode = canvas.ImageFillContain
	return sized(mark, fyne.NewSquareSize(size))
}

// sized gives an object a minimal size.
func sized(o fyne.CanvasObject, size fyne.Size) fyne.CanvasObject {
	r := canvas.NewRectangle(theme.Color(theme.Transparent))
	r.SetMinSize(size)
	return Stack(r, o)
}

// NewLink is a word that leads somewhere.
func NewLink(text string, onTap func()) *Pressable {
	return NewPressable(Pad(NewLabel(text, Body).Colored(theme.Text3), 3, 4, 3, 4), 5, onTap)
}

// NewSearchButton looks like a search field, says its shortcut, and opens what really searches.
func NewSearchButton(hint, shortcut string, onTap func()) *Pressable {
	ground := canvas.NewRectangle(theme.Color(theme.Surface))
	ground.CornerRadius, ground.StrokeWidth = theme.RadiusControl, theme.Hairline
	face := &searchFace{ground: ground, row: Pad(HFlex(8, NewIcon(icons.Search, theme.Text3, theme.IconSize), Grow(NewLabel(hint, Body).Colored(theme.Text3), 1), NewBadge(shortcut)), 0, 8, 0, 10)}
	face.objects = []fyne.CanvasObject{ground, face.row}
	face.layout = func(s fyne.Size) {
		ground.Resize(s)
		face.row.Resize(s)
	}
	face.min = func() fyne.Size { return fyne.NewSize(120, theme.ControlH) }
	face.paint = func() {
		ground.FillColor, ground.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.BorderStrong)
	}
	face.be(face)
	face.paint()
	return NewPressable(face, theme.RadiusControl, onTap)
}

// searchFace draws the field of NewSearchButton.
type searchFace struct {
	part
	ground *canvas.Rectangle
	row    fyne.CanvasObject
}

// Floating is the ground of what lies above a window without being a dialog: the palette.
func Floating(body fyne.CanvasObject, radius float32) fyne.CanvasObject {
	f := &floating{ground: canvas.NewRectangle(theme.Color(theme.Surface)), body: body}
	f.ground.CornerRadius, f.ground.StrokeWidth = radius, theme.Hairline
	f.objects = []fyne.CanvasObject{f.ground, body}
	f.layout = func(s fyne.Size) {
		f.ground.Resize(s)
		body.Resize(s)
	}
	f.min = func() fyne.Size { return naturalSize(body) }
	f.paint = func() {
		f.ground.FillColor, f.ground.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.Border)
	}
	f.be(f)
	f.paint()
	return f
}

// floating draws the ground of Floating. It takes the taps that nothing in it wants, so that they do not close it.
type floating struct {
	part
	ground *canvas.Rectangle
	body   fyne.CanvasObject
}

// Tapped implements fyne.Tappable.
func (*floating) Tapped(*fyne.PointEvent) {}
