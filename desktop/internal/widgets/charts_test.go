package widgets_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"fyne.io/fyne/v2"

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
	for _, mode := range []theme.Mode{theme.Light, theme.Dark} {
		for _, scale := range galleryScales() {
			save(t, "charts", mode, scale, fyne.NewSize(1160, 760), func(fyne.Canvas) fyne.CanvasObject { return charts() })
		}
	}
}
