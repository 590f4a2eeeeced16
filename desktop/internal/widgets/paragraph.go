package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Paragraph is text over as many lines as it takes. The layouts of this package ask for its height in a width; others see the
// height for the width that it was given last, or Wrapped.
type Paragraph struct {
	part
	full  string
	face  face
	align fyne.TextAlign
	width float32
	lines []*canvas.Text
}

// NewParagraph makes a paragraph.
func NewParagraph(text string, style Style) *Paragraph {
	p := &Paragraph{full: valid(text), face: faceOf(style), width: 320}
	p.layout = p.lay
	p.min = func() fyne.Size { return fyne.NewSize(min(p.width, 120), p.height(len(p.lines))) }
	p.paint = func() {
		for _, l := range p.lines {
			l.Color = theme.Color(p.face.color)
		}
	}
	p.be(p)
	p.wrap()
	return p
}

// Wrapped sets the width to count with before there is one, and gives the paragraph back.
func (p *Paragraph) Wrapped(width float32) *Paragraph {
	p.width = width
	p.wrap()
	return p
}

// Colored shows the text in another colour and gives the paragraph back.
func (p *Paragraph) Colored(name fyne.ThemeColorName) *Paragraph {
	p.face.color = name
	p.Refresh()
	return p
}

// Centered puts each line in the middle, and gives the paragraph back.
func (p *Paragraph) Centered() *Paragraph {
	p.align = fyne.TextAlignCenter
	p.wrap()
	return p
}

// Set shows another text.
func (p *Paragraph) Set(text string) {
	text = valid(text)
	if text == p.full {
		return
	}
	p.full = text
	before := p.NaturalSize()
	p.wrap()
	p.place()
	canvas.Refresh(p)
	if p.NaturalSize() != before {
		p.grew()
	}
}

// Text is the whole text.
func (p *Paragraph) Text() string { return p.full }

// NaturalSize is the width last given (or Wrapped), or that of the text where it is less, and the height for it.
func (p *Paragraph) NaturalSize() fyne.Size {
	var widest float32
	for _, l := range p.lines {
		widest = max(widest, p.face.measure(l.Text).Width)
	}
	return fyne.NewSize(min(widest+1, p.width), p.height(len(p.lines)))
}

func (p *Paragraph) naturalIn(width float32) fyne.Size {
	if width == p.width {
		return p.NaturalSize()
	}
	lines := p.split(width)
	var widest float32
	for _, l := range lines {
		widest = max(widest, p.face.measure(l).Width)
	}
	return fyne.NewSize(min(widest+1, width), p.height(len(lines)))
}

func (p *Paragraph) step() float32 { return p.face.size * 1.45 }

func (p *Paragraph) height(lines int) float32 { return p.step() * float32(max(lines, 1)) }

func (p *Paragraph) lay(size fyne.Size) {
	if size.Width > 0 && size.Width != p.width {
		p.width = size.Width
		p.wrap()
		canvas.Refresh(p)
	}
	p.place()
}

func (p *Paragraph) place() {
	height := p.face.measure("x").Height
	for i, l := range p.lines {
		l.Move(fyne.NewPos(0, float32(i)*p.step()+(p.step()-height)/2))
		l.Resize(fyne.NewSize(p.Size().Width, height))
	}
}

// wrap makes the lines for the width.
func (p *Paragraph) wrap() {
	p.lines = p.lines[:0:0]
	p.objects = nil
	for _, s := range p.split(p.width) {
		t := p.face.text(s)
		t.Alignment = p.align
		p.lines = append(p.lines, t)
		p.objects = append(p.objects, t)
	}
}

// split breaks the text at spaces, and inside words that are longer than a line.
func (p *Paragraph) split(width float32) []string {
	var lines []string
	for _, hard := range strings.Split(strings.ReplaceAll(p.full, "\r", ""), "\n") {
		lines = append(lines, p.splitLine(hard, width)...)
	}
	return lines
}

func (p *Paragraph) splitLine(text string, width float32) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		joined := word
		if line != "" {
			joined = line + " " + word
		}
		if p.face.measure(joined).Width <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for p.face.measure(word).Width > width && len(word) > 1 {
			head := p.head(word, width)
			if head == word {
				break
			}
			lines = append(lines, head)
			word = word[len(head):]
		}
		line = word
	}
	return append(lines, line)
}

// head is the longest start of a word that fits a line, at least one letter.
func (p *Paragraph) head(word string, width float32) string {
	runes := []rune(word)
	low, high := 1, len(runes)
	for low < high {
		mid := (low + high + 1) / 2
		if p.face.measure(string(runes[:mid])).Width <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return string(runes[:low])
}
