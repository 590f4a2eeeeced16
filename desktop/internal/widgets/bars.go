package widgets

import (
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Bar is one day (or hour) of a bar chart.
type Bar struct {
	Label           string // below the bar; "" for most of them
	Ok, Warn, Error int
	Tip             string // for the pointer
}

// Bars shows counts over time, stacked by how they ended, with a scale at the left.
type Bars struct {
	plot
	bars   []Bar
	top    int
	number func(int) string
	scale  []*Label // from the top down
	names  []*Label
	band   *canvas.Rectangle
	hot    *hotSpot
}

const (
	barsScale  = 48 // the room for the numbers at the left
	barsLabels = 28 // and for the names below
	barsHead   = 8  // half a line of text above the highest grid line
	barsSteps  = 4
)

// NewBars makes an empty chart; number writes the scale's numbers.
func NewBars(number func(int) string) *Bars {
	b := &Bars{number: number, band: canvas.NewRectangle(theme.Color(theme.Transparent)), hot: newHotSpot(theme.Transparent)}
	b.init(b.paintBars)
	for range barsSteps + 1 {
		b.scale = append(b.scale, NewLabel("", Caption))
	}
	b.band.CornerRadius = 3
	b.layout = b.lay
	b.min = func() fyne.Size { return fyne.NewSize(240, 140) }
	b.paint = func() { b.band.FillColor = theme.Color(theme.Hover) }
	b.compose()
	b.be(b)
	return b
}

// Set shows other bars, the newest last.
func (b *Bars) Set(bars []Bar) {
	if slices.Equal(bars, b.bars) {
		return
	}
	b.bars = append(b.bars[:0:0], bars...)
	highest := 0
	for _, d := range bars {
		highest = max(highest, d.Ok+d.Warn+d.Error)
	}
	b.top = barsTop(highest)
	for i, l := range b.scale {
		l.Set(b.number(b.top * (barsSteps - i) / barsSteps))
	}
	b.names = b.names[:0:0]
	for _, d := range bars {
		if d.Label != "" {
			b.names = append(b.names, NewLabel(d.Label, Caption))
		}
	}
	b.compose()
	b.unpoint()
	b.lay(b.Size())
	b.again()
	canvas.Refresh(b)
}

// barsTop is a round number that can be divided by the steps, and not much more than the highest bar.
func barsTop(highest int) int {
	highest = min(highest, 1<<50) // what is more leaves the chart, and the loop ends
	unit := 1
	for ; ; unit *= 10 {
		for _, tenths := range []int{10, 15, 20, 25, 30, 40, 50, 60, 80} {
			step := unit * tenths / 10
			if unit*tenths%10 == 0 && step*barsSteps >= highest {
				return step * barsSteps
			}
		}
	}
}

func (b *Bars) compose() {
	b.objects = []fyne.CanvasObject{b.band, b.raster, b.hot}
	for _, l := range slices.Concat(b.scale, b.names) {
		b.objects = append(b.objects, l)
	}
}

// field is where the bars are.
func (b *Bars) field(s fyne.Size) (at fyne.Position, size fyne.Size) {
	return fyne.NewPos(barsScale, barsHead), fyne.NewSize(max(s.Width-barsScale, 1), max(s.Height-barsHead-barsLabels, 1))
}

func (b *Bars) lay(s fyne.Size) {
	at, size := b.field(s)
	b.raster.Move(at)
	b.raster.Resize(size)
	for i, l := range b.scale {
		high := l.NaturalSize().Height
		y := at.Y + float32(i)*(size.Height-1)/barsSteps
		l.Move(fyne.NewPos(0, y-high/2))
		l.Resize(fyne.NewSize(barsScale-6, high))
	}
	pitch, next := size.Width/float32(max(len(b.bars), 1)), 0
	for i, d := range b.bars {
		if d.Label == "" {
			continue
		}
		l := b.names[next]
		next++
		want := l.NaturalSize()
		x := at.X + (float32(i)+0.5)*pitch - want.Width/2
		l.Move(fyne.NewPos(min(max(x, at.X-8), s.Width-want.Width), s.Height-want.Height))
		l.Resize(fyne.NewSize(want.Width+1, want.Height))
	}
}

// segment is a part of one bar as it is painted.
type segment struct{ x, y, w, h float32 }

func (b *Bars) paintBars(p *pen) {
	for i := range barsSteps + 1 {
		p.rule(float32(i)*(p.height-1)/barsSteps, theme.Color(theme.Border))
	}
	if len(b.bars) == 0 {
		return
	}
	pitch := p.width / float32(len(b.bars))
	wide := p.snap(min(pitch*0.52, 28))
	var stacks [3][]segment
	for i, d := range b.bars {
		x := p.snap((float32(i)+0.5)*pitch - wide/2)
		y := p.height
		for k, count := range []int{d.Ok, d.Warn, d.Error} {
			if count == 0 {
				continue
			}
			h := float32(count) / float32(b.top) * (p.height - 1)
			if k > 0 {
				h = max(h, 3) // what went wrong is seen, however little of it there was
			}
			h = max(h, 2)
			stacks[k] = append(stacks[k], segment{x, p.snap(y - h), wide, p.snap(h)})
			y -= h + 2
		}
	}
	for k, tone := range []Tone{Ok, Warn, Error} {
		alpha := 1.0
		if tone == Ok {
			alpha = 0.75
		}
		p.begin()
		for _, s := range stacks[k] {
			p.bar(s.x, s.y, s.w, s.h, 2)
		}
		p.fill(image.NewUniform(toneColor(tone.Fill(), alpha)))
	}
}

// MouseIn implements desktop.Hoverable.
func (b *Bars) MouseIn(e *desktop.MouseEvent) { b.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable: the bar below the pointer is marked and said.
func (b *Bars) MouseMoved(e *desktop.MouseEvent) {
	at, size := b.field(b.Size())
	x := e.Position.X - at.X
	if len(b.bars) == 0 || x < 0 || x >= size.Width || e.Position.Y > at.Y+size.Height {
		b.unpoint()
		return
	}
	pitch := size.Width / float32(len(b.bars))
	i := min(int(x/pitch), len(b.bars)-1)
	b.band.Move(fyne.NewPos(at.X+float32(i)*pitch, at.Y))
	b.band.Resize(fyne.NewSize(pitch, size.Height))
	b.band.FillColor = theme.Color(theme.Hover)
	b.band.Show()
	b.band.Refresh()
	b.hot.show(fyne.NewPos(at.X+(float32(i)+0.5)*pitch, at.Y+4), b.bars[i].Tip)
}

// MouseOut implements desktop.Hoverable.
func (b *Bars) MouseOut() { b.unpoint() }

func (b *Bars) unpoint() {
	b.band.Hide()
	b.hot.hide()
}

// hotSpot is the mark on what the pointer is at in a chart, with its tooltip.
type hotSpot struct {
	part
	color fyne.ThemeColorName
	dot   *canvas.Circle
	host  tipHost
	text  string
}

const hotSize = 9

func newHotSpot(color fyne.ThemeColorName) *hotSpot {
	h := &hotSpot{color: color, dot: canvas.NewCircle(theme.Color(color))}
	h.dot.StrokeWidth = 2
	h.objects = []fyne.CanvasObject{h.dot}
	h.layout = h.dot.Resize
	h.min = func() fyne.Size { return fyne.NewSquareSize(hotSize) }
	h.paint = func() {
		h.dot.FillColor, h.dot.StrokeColor = theme.Color(h.color), theme.Color(theme.Surface)
		if h.color == theme.Transparent {
			h.dot.StrokeColor = theme.Color(theme.Transparent)
		}
	}
	h.be(h)
	h.paint()
	h.Hide()
	return h
}

func (h *hotSpot) show(at fyne.Position, text string) {
	at = at.SubtractXY(hotSize/2.0, hotSize/2.0)
	if h.Visible() && h.Position() == at && h.text == text {
		return
	}
	h.text = text
	h.Move(at)
	h.Resize(fyne.NewSquareSize(hotSize))
	h.Show()
	if h.host = hostOf(h); h.host != nil && text != "" {
		h.host.showTip(h, text)
	}
}

func (h *hotSpot) hide() {
	if !h.Visible() {
		return
	}
	h.Hide()
	if h.host != nil {
		h.host.hideTip(h)
		h.host = nil
	}
}
