package widgets

import (
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Spark is a small curve beside a figure, without a scale: only its form says something.
type Spark struct {
	plot
	color  fyne.ThemeColorName
	values []float64
}

// NewSpark makes an empty spark in a colour.
func NewSpark(color fyne.ThemeColorName) *Spark {
	s := &Spark{color: color}
	s.init(s.paintCurve)
	s.min = func() fyne.Size { return fyne.NewSize(92, 30) }
	s.be(s)
	return s
}

// Set shows other values, the newest last. Fewer than two show nothing.
func (s *Spark) Set(values []float64) {
	values = finite(values)
	if slices.Equal(values, s.values) {
		return
	}
	same := flat(values) && flat(s.values)
	s.values = values
	if !same { // a flat line looks the same however long it has been flat
		s.again()
	}
}

func (s *Spark) paintCurve(p *pen) {
	if len(s.values) < 2 {
		return
	}
	low, high := slices.Min(s.values), slices.Max(s.values)
	line := curve(s.values, low, high, p.width, 2, p.height-2)
	p.below(line, toneColor(s.color, 1), 0.24)
	p.stroke(line, 1.5, toneColor(s.color, 1))
}

// flat tells whether the values make a line without ups and downs.
func flat(values []float64) bool {
	return len(values) > 1 && slices.Min(values) == slices.Max(values)
}

// finite copies the values; what is no number is 0, and so is what no curve can be drawn through.
func finite(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		if math.Abs(v) < 1e200 {
			out[i] = v
		}
	}
	return out
}

// curve puts values into a box between the heights top and bottom.
func curve(values []float64, low, high float64, width, top, bottom float32) []point {
	if high <= low {
		high, low = low+1, low-1 // a flat line stands in the middle
	}
	heights := make([]float32, len(values))
	for i, v := range values {
		share := min(max((v-low)/(high-low), 0), 1)
		heights[i] = bottom - float32(share)*(bottom-top)
	}
	return smooth(heights, 0, width/float32(max(len(values)-1, 1)))
}

// Area is a curve from zero up, over grid lines: throughput, a size over time.
type Area struct {
	plot
	color  fyne.ThemeColorName
	lines  int
	values []float64
	top    float64
	scale  *Label
	hover  func(i int) string
	hot    *hotSpot
}

// NewArea makes an empty area in a colour, over this many grid lines.
func NewArea(color fyne.ThemeColorName, lines int) *Area {
	a := &Area{color: color, lines: max(lines, 2), scale: NewLabel("", Caption)}
	a.init(a.paintArea)
	a.hot = newHotSpot(a.color)
	a.objects = append(a.objects, a.scale, a.hot)
	a.layout = func(s fyne.Size) {
		a.raster.Resize(s)
		a.scale.Move(fyne.NewPos(0, 3))
		a.scale.Resize(fyne.NewSize(s.Width, a.scale.NaturalSize().Height))
	}
	a.min = func() fyne.Size { return fyne.NewSize(80, 60) }
	a.be(a)
	return a
}

// Set shows other values, the newest last. top is the value of the highest grid line; 0 finds one.
func (a *Area) Set(values []float64, top float64) {
	values = finite(values)
	if top == a.top && slices.Equal(values, a.values) {
		return
	}
	a.values, a.top = values, top
	a.hot.hide()
	a.again()
}

// SetScale writes what the highest grid line stands for below it; "" writes nothing.
func (a *Area) SetScale(text string) { a.scale.Set(text) }

// OnHover has f say what the value at a place is, for the pointer.
func (a *Area) OnHover(f func(i int) string) { a.hover = f }

func (a *Area) highest() float64 {
	if a.top > 0 || len(a.values) == 0 {
		return a.top
	}
	return NiceTop(slices.Max(a.values))
}

const areaTop = 1

func (a *Area) line(width, height float32) []point {
	top := a.highest()
	if top <= 0 {
		top = 1
	}
	return curve(a.values, 0, top, width, areaTop, height-1)
}

func (a *Area) paintArea(p *pen) {
	for i := range a.lines {
		p.rule(float32(i)*(p.height-1)/float32(a.lines-1), theme.Color(theme.Border))
	}
	if len(a.values) < 2 {
		return
	}
	line := a.line(p.width, p.height)
	p.below(line, toneColor(a.color, 1), 0.27)
	p.stroke(line, 1.75, toneColor(a.color, 1))
}

// MouseIn implements desktop.Hoverable.
func (a *Area) MouseIn(e *desktop.MouseEvent) { a.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable: the nearest value is marked and said.
func (a *Area) MouseMoved(e *desktop.MouseEvent) {
	size := a.Size()
	if a.hover == nil || len(a.values) < 2 || size.Width <= 0 {
		return
	}
	step := size.Width / float32(len(a.values)-1)
	i := min(max(int(e.Position.X/step+0.5), 0), len(a.values)-1)
	top := a.highest()
	if top <= 0 {
		top = 1
	}
	y := size.Height - 1 - float32(a.values[i]/top)*(size.Height-1-areaTop)
	a.hot.show(fyne.NewPos(float32(i)*step, y), a.hover(i))
}

// MouseOut implements desktop.Hoverable.
func (a *Area) MouseOut() { a.hot.hide() }

// NiceTop is a round number that is not less than v, for the highest grid line: 1, 2, 2.5, 5 or 10 times a power of ten.
func NiceTop(v float64) float64 {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if v <= m*unit {
			return m * unit
		}
	}
	return 10 * unit
}
