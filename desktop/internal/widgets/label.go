package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// labelMin is how narrow a label may become.
const labelMin = 24

// Label is one line of text that ends in an ellipsis where the room ends.
type Label struct {
	part
	full  string
	face  face
	align fyne.TextAlign
	text  *canvas.Text
}

// NewLabel makes a label.
func NewLabel(text string, style Style) *Label {
	l := &Label{full: oneLine(text), face: faceOf(style)}
	l.text = l.face.text(l.full)
	l.objects = []fyne.CanvasObject{l.text}
	l.layout = l.lay
	l.min = l.least
	l.paint = func() { l.text.Color = theme.Color(l.face.color) }
	l.be(l)
	return l
}

// Set shows another text.
func (l *Label) Set(text string) {
	text = oneLine(text)
	if text == l.full {
		return
	}
	before := l.NaturalSize()
	l.full = text
	l.cut()
	if l.NaturalSize() != before {
		l.grew()
	}
}

// Text is the whole text, with what the ellipsis hides.
func (l *Label) Text() string { return l.full }

// SetColor shows the text in another colour.
func (l *Label) SetColor(name fyne.ThemeColorName) {
	if name == l.face.color {
		return
	}
	l.face.color = name
	l.text.Color = theme.Color(name)
	l.text.Refresh()
}

// SetStyle shows the text in another style, in that style's colour.
func (l *Label) SetStyle(style Style) {
	f := faceOf(style)
	if f == l.face {
		return
	}
	before := l.NaturalSize()
	l.face = f
	l.text.TextSize, l.text.TextStyle, l.text.FontSource, l.text.Color = f.size, f.style, f.font, theme.Color(f.color)
	l.text.Text = "" // not cut for this style yet
	l.cut()
	l.lay(l.Size())
	if l.NaturalSize() != before {
		l.grew()
	}
}

// AlignRight puts the text at the right of its room, and gives the label back.
func (l *Label) AlignRight() *Label {
	l.align = fyne.TextAlignTrailing
	l.text.Alignment = l.align
	return l
}

// AlignCenter puts the text in the middle of its room, and gives the label back.
func (l *Label) AlignCenter() *Label {
	l.align = fyne.TextAlignCenter
	l.text.Alignment = l.align
	return l
}

// Colored is SetColor that gives the label back.
func (l *Label) Colored(name fyne.ThemeColorName) *Label {
	l.SetColor(name)
	return l
}

// NaturalSize is the size of the whole text.
func (l *Label) NaturalSize() fyne.Size { return l.face.measure(l.full) }

func (l *Label) least() fyne.Size {
	s := l.NaturalSize()
	return fyne.NewSize(min(s.Width, labelMin), s.Height)
}

func (l *Label) lay(size fyne.Size) {
	height := l.face.measure(l.full).Height
	l.text.Move(fyne.NewPos(0, (size.Height-height)/2))
	l.text.Resize(fyne.NewSize(size.Width, height))
	l.cut()
}

// cut shows as much of the text as there is room for.
func (l *Label) cut() {
	shown := l.full
	if width := l.Size().Width; width > 0 {
		shown = l.face.fit(l.full, width)
	}
	if shown == l.text.Text {
		return
	}
	l.text.Text = shown
	l.text.Refresh()
}
