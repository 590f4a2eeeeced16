package widgets_test

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
)

func month() []widgets.Bar {
	var bars []widgets.Bar
	for i := range 30 {
		b := widgets.Bar{Ok: 1500 + 40*(i%3), Warn: 40 + i%5*10, Error: 20 + i%4, Tip: fmt.Sprintf("day %d", i)}
		if i%7 > 4 {
			b.Ok = 1030
		}
		if i == 17 {
			b.Ok, b.Error = 1360, 190
		}
		if i%6 == 0 {
			b.Label = fmt.Sprintf("%d Nov", i+1)
		}
		if i == 29 {
			b.Label = "today"
		}
		bars = append(bars, b)
	}
	return bars
}

func wave(n int, f func(x float64) float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = f(float64(i))
	}
	return out
}

func charts() fyne.CanvasObject {
	bars := widgets.NewBars(func(n int) string {
		if n >= 1000 {
			return fmt.Sprintf("%d,%03d", n/1000, n%1000)
		}
		return strconv.Itoa(n)
	})
	bars.Set(month())
	spark := widgets.NewSpark(theme.OkFill)
	spark.Set(wave(24, func(x float64) float64 { return x + 2*math.Sin(x) }))
	spark2 := widgets.NewSpark(theme.RunningFill)
	spark2.Set(wave(24, func(x float64) float64 { return math.Sin(x/2) + math.Sin(x) }))
	size := widgets.NewArea(theme.Accent, 4)
	size.Set(wave(40, func(x float64) float64 { return 400 + 10*x + 8*math.Sin(x) }), 0)
	speed := widgets.NewArea(theme.RunningFill, 3)
	speed.Set(wave(60, func(x float64) float64 { return 2e9 * (1 - math.Exp(-x/8)) * (0.8 + 0.15*math.Sin(x/2)) }), 0)
	speed.SetScale("2 GiB/s")
	runs := widgets.NewWideStrip(60, 34)
	marks := make([]widgets.Tone, 60)
	for i := range marks {
		marks[i] = widgets.Ok
	}
	marks[25], marks[42], marks[46], marks[57] = widgets.Warn, widgets.Warn, widgets.Error, widgets.Error
	runs.Set(marks)
	strip := widgets.NewStrip(14)
	strip.Set([]widgets.Tone{widgets.Ok, widgets.Warn, widgets.Ok, widgets.Ok, widgets.Error, widgets.Ok, widgets.Muted, widgets.Ok, widgets.Ok, widgets.Running})
	return page(widgets.VFlex(14,
		widgets.Columns(14, widgets.Grow(widgets.CardWith("Backups", "last 30 days", nil, widgets.Fix(bars, fyne.NewSize(0, 220))), 1),
			widgets.Fixed(widgets.CardWith("Throughput", "5 min", nil, speed), 250)),
		widgets.Columns(14, widgets.Grow(widgets.CardWith("Last 60 runs", "", widgets.NewLabel("96.7 % succeeded", widgets.Cell), widgets.VFlex(8, runs, strip)), 1),
			widgets.Fixed(widgets.CardWith("Repository size", "90 days", nil, widgets.Fix(size, fyne.NewSize(0, 108))), 328),
			widgets.Fixed(widgets.Card(widgets.VFlex(8, spark, spark2)), 130)),
		widgets.Columns(14, widgets.Fixed(widgets.CardWith("Steps", "", nil, steps()), 250), widgets.Grow(widgets.Card(widgets.VFlex(16,
			widgets.HFlex(14, widgets.NewLegend(widgets.Ok, "Succeeded", "56,214"), widgets.NewLegend(widgets.Warn, "Warnings", "1,402"), widgets.NewLegend(widgets.Error, "Failed", "516")),
			widgets.Stats(widgets.NewStat("Files", "148,213", "of 233,871"), widgets.NewStat("New or changed", "9,204", "6.2 %"), widgets.NewStat("Added", "12.4 GiB", "4.1 GiB compressed"), widgets.NewStat("Read speed", "1.61 GiB/s", "peak 2.04"), widgets.NewStat("Errors", "0", "286 warnings in log")))), 1))))
}

func steps() *widgets.Steps {
	s := widgets.NewSteps()
	s.Set([]widgets.Step{{State: widgets.StepDone, Name: "Pre-hook", Right: "0.4 s"}, {State: widgets.StepWarned, Name: "Lock and load index", Right: "1.1 s"},
		{State: widgets.StepRunning, Name: "Back up", Right: "5 min 18 s"}, {State: widgets.StepWaiting, Name: "Post-hook"}, {State: widgets.StepSkipped, Name: "Forget and prune", Right: "skipped"}})
	return s
}

func TestChartGallery(t *testing.T) {
	needGallery(t)
	for _, mode := range []theme.Mode{theme.Light, theme.Dark} {
		for _, scale := range []float32{1, 2} {
			save(t, "charts", mode, scale, fyne.NewSize(1160, 760), func(fyne.Canvas) fyne.CanvasObject { return charts() })
		}
	}
}

// red counts the pixels of a part of the picture that are of the error's colour.
func red(img image.Image, in image.Rectangle) int {
	n := 0
	want := color.NRGBAModel.Convert(theme.Color(theme.ErrorFill))
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if color.NRGBAModel.Convert(img.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}

func TestStripShowsTheNewestAtTheRight(t *testing.T) {
	use(t, theme.Light)
	s := widgets.NewStrip(14)
	c := show(t, fyne.NewSize(109, 18), s)
	s.Set([]widgets.Tone{widgets.Ok, widgets.Error})
	img := c.Capture()
	if red(img, image.Rect(104, 0, 109, 18)) < 60 || red(img, image.Rect(0, 0, 103, 18)) != 0 {
		t.Error("the newest run is not the last bar")
	}
	many := make([]widgets.Tone, 20)
	for i := range many {
		many[i] = widgets.Ok
	}
	many[0] = widgets.Error
	s.Set(many)
	if red(c.Capture(), image.Rect(0, 0, 109, 18)) != 0 {
		t.Error("a run that there is no bar for is shown")
	}
}

func TestChartsArePaintedAgainOnlyForOtherData(t *testing.T) {
	use(t, theme.Light)
	s := widgets.NewWideStrip(10, 30)
	c := show(t, fyne.NewSize(200, 30), s)
	marks := []widgets.Tone{widgets.Ok, widgets.Ok}
	s.Set(marks)
	before := c.Capture()
	marks[1] = widgets.Error // the caller's own slice
	if !same(before, c.Capture()) {
		t.Error("a chart shows what was never set")
	}
	s.Set(marks)
	if same(before, c.Capture()) {
		t.Error("other data look the same")
	}
}

func TestBarsSayWhatIsBelowThePointer(t *testing.T) {
	use(t, theme.Light)
	b := widgets.NewBars(strconv.Itoa)
	root := widgets.NewRoot(b, nil)
	c := show(t, fyne.NewSize(400, 200), root)
	b.Set(month())
	quiet := c.Capture()
	move := func(x float32) {
		b.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, 60)}})
	}
	move(200)
	one := c.Capture()
	if same(quiet, one) {
		t.Fatal("nothing is marked below the pointer")
	}
	move(300)
	if same(one, c.Capture()) {
		t.Error("two bars are marked alike")
	}
	move(10) // the scale
	if !same(quiet, c.Capture()) {
		t.Error("the mark stays where there is no bar")
	}
	move(200)
	b.MouseOut()
	if !same(quiet, c.Capture()) {
		t.Error("the mark stays")
	}
}

func TestBarsHaveAScaleThatFits(t *testing.T) {
	use(t, theme.Light)
	for highest, want := range map[int]int{0: 4, 1: 4, 4: 4, 5: 8, 42: 60, 100: 100, 101: 120, 1640: 2000, 7: 8, 1_000_001: 1_200_000} {
		top := 0
		b := widgets.NewBars(func(n int) string {
			top = max(top, n)
			return strconv.Itoa(n)
		})
		b.Set([]widgets.Bar{{Ok: 0}, {Ok: highest}})
		if top != want {
			t.Errorf("the scale for %d goes up to %d, want %d", highest, top, want)
		}
	}
}

func TestChartsTakeAnything(t *testing.T) {
	use(t, theme.Light)
	spark, area, bars, strip := widgets.NewSpark(theme.OkFill), widgets.NewArea(theme.Accent, 4), widgets.NewBars(strconv.Itoa), widgets.NewWideStrip(3, 20)
	area.OnHover(strconv.Itoa)
	c := show(t, fyne.NewSize(300, 400), widgets.VFlex(4, spark, widgets.Grow(area, 1), widgets.Grow(bars, 1), strip))
	for _, values := range [][]float64{nil, {}, {1}, {0, 0}, {-1, -2, -3}, {math.NaN(), 1, math.NaN()}, {math.Inf(1), 0}, {1e300, 1e-300}} {
		spark.Set(values)
		area.Set(values, 0)
		area.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(50, 5)}})
		c.Capture()
	}
	bars.Set([]widgets.Bar{{}, {Ok: 1 << 40}, {Error: 1, Label: "x"}})
	c.Capture()
	bars.Set(nil)
	c.Capture()
	c.(interface{ Resize(fyne.Size) }).Resize(fyne.NewSize(1, 1))
	c.Capture()
}

func TestNiceTop(t *testing.T) {
	for v, want := range map[float64]float64{0: 0, -3: 0, 1: 1, 1.1: 2, 2.1: 2.5, 3: 5, 7: 10, 1640: 2000, 0.03: 0.05} {
		if got := widgets.NiceTop(v); math.Abs(got-want) > want*1e-9 {
			t.Errorf("NiceTop(%v) = %v, want %v", v, got, want)
		}
	}
	if widgets.NiceTop(math.Inf(1)) != 0 || widgets.NiceTop(math.NaN()) != 0 {
		t.Error("what is no number has a top")
	}
}

func TestCurveNeverOvershoots(t *testing.T) {
	use(t, theme.Light)
	a := widgets.NewArea(theme.ErrorFill, 2)
	c := show(t, fyne.NewSize(300, 100), a)
	a.Set([]float64{0, 0, 0, 100, 100, 100, 0, 0}, 200)
	img := c.Capture()
	if n := red(img, image.Rect(0, 2, 300, 48)); n != 0 {
		t.Errorf("%d pixels above the highest value", n)
	}
	if n := red(img, image.Rect(0, 48, 300, 53)); n == 0 {
		t.Error("nothing at the highest value")
	}
}
