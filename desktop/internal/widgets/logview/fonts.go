package logview

import (
	"image"
	"image/draw"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// The weights of the log's font.
const (
	regular = 0
	bold    = 1
)

// Fonts holds the log's fonts and what was painted of them. Views that share one share its atlases; it belongs to the UI goroutine.
type Fonts struct {
	mono    [2]*opentype.Font
	shaping shaping
	atlases []*atlas // the newest last
}

// maxAtlases is how many sizes of the font are kept: one for each screen that windows are on, and the one just left.
const maxAtlases = 3

// NewFonts reads the embedded fonts.
func NewFonts() *Fonts {
	f := &Fonts{}
	for i, data := range [...][]byte{theme.FontMono.Content(), theme.FontMonoBold.Content()} {
		parsed, err := opentype.Parse(data)
		if err != nil {
			panic("the embedded font is broken: " + err.Error())
		}
		f.mono[i] = parsed
	}
	return f
}

// atlas gives the atlas for a font of so many pixels.
func (f *Fonts) atlas(px float64) *atlas {
	for i, a := range f.atlases {
		if a.px == px {
			f.atlases = append(append(f.atlases[:i:i], f.atlases[i+1:]...), a)
			return a
		}
	}
	a := newAtlas(f, px)
	f.atlases = append(f.atlases, a)
	if len(f.atlases) > maxAtlases {
		f.atlases = append([]*atlas(nil), f.atlases[1:]...)
	}
	return a
}

// leading is a row's height in font sizes.
const leading = 1.5

// maxAtlasBytes bounds what an atlas keeps beside ASCII. A screen of Chinese takes a tenth of it.
const maxAtlasBytes = 16 << 20

// atlas holds the painted characters of one size.
type atlas struct {
	fonts *Fonts
	px    float64
	cellW int // of a column
	rowH  int
	base  int // of the baseline, from a row's top

	faces [2]font.Face
	ascii [2]['~' + 1 - ' ']*glyph
	more  [2]map[string]*glyph
	bytes int // of the pictures in more
}

func newAtlas(f *Fonts, px float64) *atlas {
	a := &atlas{fonts: f, px: px, rowH: int(px*leading + 0.5)}
	for i := range a.faces {
		face, err := opentype.NewFace(f.mono[i], &opentype.FaceOptions{Size: px, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			panic("the embedded font has no size: " + err.Error())
		}
		a.faces[i] = face
		a.more[i] = map[string]*glyph{}
	}
	advance, _ := a.faces[regular].GlyphAdvance('0')
	a.cellW = max(advance.Round(), 1)
	m := a.faces[regular].Metrics()
	a.base = ((fixed.I(a.rowH)-m.Ascent-m.Descent)/2 + m.Ascent).Round()
	return a
}

// char gives an ASCII character that shows, or nil for a space.
func (a *atlas) char(weight int, b byte) *glyph {
	if b <= ' ' || b > '~' {
		return nil
	}
	g := a.ascii[weight][b-' ']
	if g == nil {
		g = a.paint(weight, rune(b))
		a.ascii[weight][b-' '] = g
	}
	return g
}

// cluster gives the picture of a cell's text, which is not all ASCII, cols columns wide.
func (a *atlas) cluster(weight int, text []byte, cols int) *glyph {
	if g, ok := a.more[weight][string(text)]; ok {
		return g
	}
	var g *glyph
	if r, n := utf8.DecodeRune(text); n == len(text) && a.covers(weight, r) {
		g = a.paint(weight, r)
	} else {
		g = a.fonts.shaping.paint(a, string(text), cols, weight == bold)
	}
	if a.bytes > maxAtlasBytes {
		a.bytes = 0
		clear(a.more[regular])
		clear(a.more[bold])
	}
	a.bytes += len(g.mask) + len(g.pix) + len(text) + 100
	a.more[weight][string(text)] = g
	return g
}

func (a *atlas) covers(weight int, r rune) bool {
	i, err := a.fonts.mono[weight].GlyphIndex(nil, r)
	return err == nil && i != 0
}

// paint draws a character of the font itself.
func (a *atlas) paint(weight int, r rune) *glyph {
	box, mask, at, _, ok := a.faces[weight].Glyph(fixed.P(0, a.base), r)
	if !ok || box.Empty() {
		return &glyph{}
	}
	img := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	draw.Draw(img, img.Rect, mask, at, draw.Src)
	return &glyph{dx: box.Min.X, dy: box.Min.Y, w: box.Dx(), h: box.Dy(), mask: img.Pix}
}
