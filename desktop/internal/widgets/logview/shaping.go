package logview

import (
	"bytes"
	"image"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	stock "fyne.io/fyne/v2/theme"
	"github.com/go-text/render"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/fontscan"
	"github.com/go-text/typesetting/language"
	shape "github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// shaping paints what JetBrains Mono cannot paint by itself: letters with marks, other scripts, emoji.
type shaping struct {
	ready  bool
	shaper shape.HarfbuzzShaper
	mono   *font.Face
	emoji  *font.Face // Fyne's
	symbol *font.Face // Fyne's
	system *fontscan.FontMap
}

// quiet is a logger of fontscan: which system font could not be read is nobody's concern.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// prepare loads the fonts. The system's list of fonts is read once for the process; Fyne does that when it measures its first text.
func (s *shaping) prepare() {
	if s.ready {
		return
	}
	s.ready = true
	s.mono, s.emoji, s.symbol = parseFace(theme.FontMono), parseFace(stock.DefaultEmojiFont()), parseFace(stock.DefaultSymbolFont())
	system := fontscan.NewFontMap(quiet{})
	if system.UseSystemFonts("") == nil {
		system.SetQuery(fontscan.Query{Families: []string{fontscan.Monospace, fontscan.SansSerif}})
		s.system = system
	}
}

func parseFace(res fyne.Resource) *font.Face {
	if res == nil { // built without emoji
		return nil
	}
	face, err := font.ParseTTF(bytes.NewReader(res.Content()))
	if err != nil {
		return nil
	}
	return face
}

// face chooses the font for a cell: one that has its first character, and all others if one does.
func (s *shaping) face(runes []rune) *font.Face {
	candidates := []*font.Face{s.mono, s.emoji, s.symbol}
	if pictures(runes) {
		candidates = []*font.Face{s.emoji, s.mono, s.symbol}
	}
	if s.system != nil {
		s.system.SetScript(language.LookupScript(runes[0]))
		candidates = append(candidates, s.system.ResolveFace(runes[0]))
	}
	var partly *font.Face
	for _, f := range candidates {
		switch n := has(f, runes); {
		case n == len(runes):
			return f
		case n > 0 && partly == nil:
			partly = f
		}
	}
	return partly
}

// pictures tells whether runes ask for an emoji where a font might have a plain sign.
func pictures(runes []rune) bool { return runes[0] >= 0x1f000 || slices.Contains(runes, 0xfe0f) }

// has counts the characters that f has, 0 when the first is not among them.
func has(f *font.Face, runes []rune) (n int) {
	if f == nil {
		return 0
	}
	for i, r := range runes {
		_, ok := f.NominalGlyph(r)
		if ok || r == 0xfe0f || r == 0x200d || r == 0x200c {
			n++
		} else if i == 0 {
			return 0
		}
	}
	return n
}

// paint draws the text of a cell of cols columns, or a box when no font has it.
func (s *shaping) paint(a *atlas, text string, cols int, heavy bool) *glyph {
	s.prepare()
	runes, width := []rune(text), cols*a.cellW
	face := s.face(runes)
	if face == nil {
		return box(a, width)
	}
	size := a.px
	run := s.shape(face, runes, size)
	if wide := float64(run.Advance) / 64; wide > float64(width) {
		size *= float64(width) / wide
		run = s.shape(face, runes, size)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, a.rowH))
	r := render.Renderer{FontSize: float32(size), PixScale: 1, Color: color.White}
	x := (width - run.Advance.Round()) / 2
	r.DrawShapedRunAt(run, img, x, a.base)
	if heavy {
		r.DrawShapedRunAt(run, img, x, a.base) // twice is darker
	}
	return cut(img)
}

func (s *shaping) shape(face *font.Face, runes []rune, size float64) shape.Output {
	in := shape.Input{Text: runes, RunEnd: len(runes), Face: face, Size: fixed.Int26_6(size * 64), Direction: di.DirectionLTR,
		Script: language.LookupScript(runes[0]), Language: language.DefaultLanguage()}
	if leftwards(runes[0]) {
		in.Direction = di.DirectionRTL
	}
	return s.shaper.Shape(in)
}

// leftwards tells whether r belongs to a script that runs from right to left.
func leftwards(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfefc
}

// cut makes a glyph of what is painted in img, white being the colour that a mask takes.
func cut(img *image.RGBA) *glyph {
	x0, y0, x1, y1, coloured := img.Rect.Max.X, img.Rect.Max.Y, 0, 0, false
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			p := img.Pix[y*img.Stride+4*x:][:4]
			if p[3] == 0 {
				continue
			}
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			coloured = coloured || p[3] > 0x20 && (absDiff(p[0], p[3]) > 8 || absDiff(p[1], p[3]) > 8 || absDiff(p[2], p[3]) > 8)
		}
	}
	if x0 >= x1 {
		return &glyph{}
	}
	g := &glyph{dx: x0, dy: y0, w: x1 - x0, h: y1 - y0}
	for y := y0; y < y1; y++ {
		row := img.Pix[y*img.Stride+4*x0 : y*img.Stride+4*x1]
		if coloured {
			g.pix = append(g.pix, row...)
			continue
		}
		for x := 3; x < len(row); x += 4 {
			g.mask = append(g.mask, row[x])
		}
	}
	return g
}

func absDiff(a, b uint8) uint8 { return max(a, b) - min(a, b) }

// box stands for a character that no font has.
func box(a *atlas, width int) *glyph {
	line := max(int(a.px/12+0.5), 1)
	g := &glyph{dx: line, dy: a.base - int(a.px*0.75), w: max(width-2*line, 3), h: int(a.px * 0.75)}
	g.mask = make([]byte, g.w*g.h)
	for y := range g.h {
		for x := range g.w {
			if x < line || y < line || x >= g.w-line || y >= g.h-line {
				g.mask[y*g.w+x] = 0x90
			}
		}
	}
	return g
}
