package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Pill is a state in a word, with a dot, on the state's soft ground.
type Pill struct {
	part
	tone  Tone
	bg    *canvas.Rectangle
	dot   *canvas.Circle
	label *Label
}

const (
	pillHeight = 21
	pillDot    = 6
)

// NewPill makes a pill.
func NewPill(tone Tone, label string) *Pill {
	p := &Pill{tone: tone, bg: canvas.NewRectangle(theme.Color(tone.Soft())), dot: canvas.NewCircle(theme.Color(tone.Fill())),
		label: NewLabel(label, CaptionMedium).Colored(tone.Color())}
	p.bg.CornerRadius = theme.RadiusPill
	p.objects = []fyne.CanvasObject{p.bg, p.dot, p.label}
	p.layout = p.lay
	p.min = func() fyne.Size { return fyne.NewSize(min(p.NaturalSize().Width, 48), pillHeight) }
	p.paint = func() {
		p.bg.FillColor, p.dot.FillColor = theme.Color(p.tone.Soft()), theme.Color(p.tone.Fill())
	}
	p.be(p)
	return p
}

// Set shows another state.
func (p *Pill) Set(tone Tone, label string) {
	if tone == p.tone && label == p.label.Text() {
		return
	}
	before := p.NaturalSize()
	p.tone = tone
	p.label.SetColor(tone.Color())
	p.label.Set(label)
	p.lay(p.Size())
	p.Refresh()
	if p.NaturalSize() != before {
		p.grew()
	}
}

// Tone is the state shown.
func (p *Pill) Tone() Tone { return p.tone }

// Text is the word shown.
func (p *Pill) Text() string { return p.label.Text() }

// NaturalSize is the word's, the dot's and the ground's.
func (p *Pill) NaturalSize() fyne.Size {
	return fyne.NewSize(p.label.NaturalSize().Width+8+pillDot+6+10, pillHeight)
}

// lay keeps the pill at its natural size, at the left of its room.
func (p *Pill) lay(size fyne.Size) {
	width := min(p.NaturalSize().Width, size.Width)
	y := (size.Height - pillHeight) / 2
	p.bg.Move(fyne.NewPos(0, y))
	p.bg.Resize(fyne.NewSize(width, pillHeight))
	p.dot.Move(fyne.NewPos(8, (size.Height-pillDot)/2))
	p.dot.Resize(fyne.NewSquareSize(pillDot))
	p.label.Move(fyne.NewPos(8+pillDot+6, y))
	p.label.Resize(fyne.NewSize(max(width-8-pillDot-6-8, 0), pillHeight))
}

// Badge is a small count or tag.
type Badge struct {
	part
	bg    *canvas.Rectangle
	label *Label
	soft  fyne.ThemeColorName
}

// NewBadge makes a badge on a quiet ground.
func NewBadge(text string) *Badge {
	b := &Badge{bg: canvas.NewRectangle(theme.Color(theme.Raised)), label: NewLabel(text, CaptionMedium).AlignCenter(), soft: theme.Raised}
	b.bg.CornerRadius = 5
	b.objects = []fyne.CanvasObject{b.bg, b.label}
	b.layout = func(s fyne.Size) {
		b.bg.Resize(s)
		b.label.Resize(s)
	}
	b.min = b.NaturalSize
	b.paint = func() { b.bg.FillColor = theme.Color(b.soft) }
	b.be(b)
	return b
}

// Round makes the badge's ends round, as the navigation's counts are, and gives it back.
func (b *Badge) Round() *Badge {
	b.bg.CornerRadius = 9
	return b
}

// Toned shows the badge in a tone's colours, and gives it back.
func (b *Badge) Toned(tone Tone) *Badge {
	b.soft = tone.Soft()
	b.bg.FillColor = theme.Color(b.soft)
	b.label.SetColor(tone.Color())
	return b
}

// Set shows another text.
func (b *Badge) Set(text string) {
	if text == b.label.Text() {
		return
	}
	before := b.NaturalSize()
	b.label.Set(text)
	if b.NaturalSize() != before {
		b.grew()
	}
}

// Text is the text shown.
func (b *Badge) Text() string { return b.label.Text() }

// NaturalSize is the text's and the ground's.
func (b *Badge) NaturalSize() fyne.Size {
	return fyne.NewSize(max(b.label.NaturalSize().Width+14, 20), 18)
}
