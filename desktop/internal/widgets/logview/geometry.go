package logview

import (
	"math"
	"strconv"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Columns of what stands before a line's text.
const (
	minDigits  = 4
	timeCols   = 12 // 15:04:05.000
	levelCols  = 5
	sourceCols = 6
	minText    = 20 // a log narrower than this wraps beyond its edge
)

// geometry says where things are, in pixels of the screen.
type geometry struct {
	w, h   int
	scale  float64
	digits int // of a line's number

	timeX, levelX, sourceX, textX int
	textEnd                       int // text is cut here
	barX, barEnd                  int // the scroll bar
	pad                           int // below the last row
}

// dip gives n units of Fyne as pixels.
func (g *geometry) dip(n float64) int { return int(math.Round(n * g.scale)) }

// scaleOf finds the screen's scale from the pixels that Fyne asks for. Rounding of the width must not change the font's size.
func scaleOf(w, h int, size fyne.Size) float64 {
	s := 1.0
	if size.Width >= size.Height && size.Width > 0 {
		s = float64(w) / float64(size.Width)
	} else if size.Height > 0 {
		s = float64(h) / float64(size.Height)
	}
	const steps = 32
	return max(math.Round(s*steps)/steps, 1.0/steps)
}

func (v *View) measure(w, h int) {
	g := geometry{w: w, h: h, scale: scaleOf(w, h, v.raster.Size()), digits: minDigits}
	if last := v.store.LastSeq(); last > 0 {
		g.digits = max(len(strconv.FormatInt(last, 10)), minDigits)
	}
	if v.atlas == nil || g.scale != v.geo.scale {
		v.atlas = v.fonts.atlas(float64(theme.TextMono) * g.scale)
	}
	cell := v.atlas.cellW
	g.timeX = g.dip(17) + (g.digits+1)*cell
	g.levelX = g.timeX + (timeCols+1)*cell
	g.sourceX = g.levelX + (levelCols+1)*cell
	g.textX = g.sourceX + (sourceCols+2)*cell
	g.barEnd = w - g.dip(2)
	g.barX = g.barEnd - g.dip(10)
	g.textEnd = max(g.barX-g.dip(6), g.textX+minText*cell)
	g.pad = g.dip(6)
	if g == v.geo {
		return
	}
	v.geo = g
	v.win.Height, v.win.RowH = float64(max(h-g.pad, v.atlas.rowH)), float64(v.atlas.rowH)
	v.rewrap()
	if v.cfg.OnOlder != nil || v.cfg.OnNewer != nil {
		v.cfg.Post(func() {
			if !v.closed {
				v.wantLines() // a larger view may need them; not while it is being painted
			}
		})
	}
}

// rewrap tells the store where lines wrap now.
func (v *View) rewrap() {
	cols := 0
	if v.wrap && v.atlas != nil {
		cols = (v.geo.textEnd - v.geo.textX) / v.atlas.cellW
	}
	v.store.SetWrap(cols)
	if v.atlas != nil {
		v.win.Settle(v.store)
		v.shift = min(v.shift, v.maxShift())
	}
}

// maxShift is how far lines that do not wrap can be moved to the left, in pixels.
func (v *View) maxShift() int {
	if v.wrap || v.atlas == nil {
		return 0
	}
	return max((v.store.Cols()+2)*v.atlas.cellW-(v.geo.textEnd-v.geo.textX), 0)
}
