package logview_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
)

// million is a view that holds a million lines and is painted w by h pixels.
func million(b *testing.B, scale float32) (v *logview.View, w, h int) {
	app := test.NewTempApp(b)
	app.Settings().SetTheme(theme.New(theme.Dark, theme.Comfortable))
	v = logview.New(config(make(chan func(), 1000)))
	b.Cleanup(v.Close)
	v.Resize(panel)
	w, h = int(panel.Width*scale), int(panel.Height*scale)
	v.Generate(w, h)
	for seq := int64(1); seq < 1_000_000; seq += 5000 {
		v.Append(backupLines(seq, 5000))
	}
	v.Generate(w, h)
	return v, w, h
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkFrame is one tenth of a second of a log that grows by 5000 lines a second, with a million lines held: 500 lines taken and
// the picture painted, which is all that the view itself does for a frame.
//
// In a real window Fyne adds the upload of the picture as one texture, and without a GPU the repaint of the window. To see that:
// build desktop/cmd/backstay-desktop, start it under `Xvfb :9 -screen 0 1440x900x24 +extension GLX` with DISPLAY=:9, FYNE_SCALE=1 and
// LIBGL_ALWAYS_SOFTWARE=1, open a job that prints 5000 lines a second (a verbose backup of many small files), and compare
// /proc/PID/stat (utime) over a minute with the view following, and with another page open; VmRSS in /proc/PID/status must not grow.
func BenchmarkFrame(b *testing.B) {
	for _, scale := range []float32{1, 2} {
		for _, wrap := range []bool{false, true} {
			b.Run(fmt.Sprintf("scale=%v/wrap=%v", scale, wrap), func(b *testing.B) {
				v, w, h := million(b, scale)
				v.SetWrap(wrap)
				v.SetLive(true)
				v.Generate(w, h)
				before, seq, took := heap(), v.LastSeq()+1, []time.Duration(nil)
				for b.Loop() {
					b.StopTimer()
					lines := backupLines(seq, 500)
					seq += 500
					b.StartTimer()
					start := time.Now()
					v.Append(lines)
					v.Generate(w, h)
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
				b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
				b.ReportMetric(before, "heap-MB-before")
				b.ReportMetric(heap(), "heap-MB-after")
				runtime.KeepAlive(v)
			})
		}
	}
}

// BenchmarkCanvas is BenchmarkFrame through Fyne's software painter.
func BenchmarkCanvas(b *testing.B) {
	v, _, _ := million(b, 1)
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(v)
	c.Resize(panel)
	seq := v.LastSeq() + 1
	for b.Loop() {
		b.StopTimer()
		lines := backupLines(seq, 500)
		seq += 500
		b.StartTimer()
		v.Append(lines)
		c.Capture()
	}
}

// BenchmarkScroll paints at a place of a million lines that is always another, with a search on.
func BenchmarkScroll(b *testing.B) {
	v, w, h := million(b, 2)
	v.Search("mail")
	b.ResetTimer()
	for b.Loop() {
		v.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 4321)})
		if first, _ := v.OnScreen(); first < 1000 {
			v.Follow()
		}
		v.Generate(w, h)
	}
}

// BenchmarkSearch looks through a million lines.
func BenchmarkSearch(b *testing.B) {
	for _, text := range []string{"permission denied", "e", "übersicht", "no such thing"} {
		b.Run(text, func(b *testing.B) {
			posted := make(chan func(), 100)
			app := test.NewTempApp(b)
			app.Settings().SetTheme(theme.New(theme.Dark, theme.Comfortable))
			v := logview.New(config(posted))
			b.Cleanup(v.Close)
			for seq := int64(1); seq < 1_000_000; seq += 5000 {
				v.Append(backupLines(seq, 5000))
			}
			for b.Loop() {
				v.Search(text)
				for v.SearchState().Running {
					(<-posted)()
				}
				v.Search("")
			}
		})
	}
}

// BenchmarkWrap turns wrapping of a million lines on and off.
func BenchmarkWrap(b *testing.B) {
	v, w, h := million(b, 1)
	wrap := false
	for b.Loop() {
		wrap = !wrap
		v.SetWrap(wrap)
		v.Generate(w, h)
	}
}

// BenchmarkHostile paints lines of 64 KiB that nobody should have to see.
func BenchmarkHostile(b *testing.B) {
	for name, text := range map[string]string{"NUL": "\x00", "Chinese": "文", "bidi": "\u202e", "Arabic": "ملف ", "marks": "e\u0301", "emoji": "👩\u200d💻"} {
		for _, wrap := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/wrap=%v", name, wrap), func(b *testing.B) {
				app := test.NewTempApp(b)
				app.Settings().SetTheme(theme.New(theme.Dark, theme.Comfortable))
				v := logview.New(config(make(chan func(), 1000)))
				b.Cleanup(v.Close)
				v.Resize(panel)
				v.SetWrap(wrap)
				long := strings.Repeat(text, (64<<10)/len(text))
				for seq := range int64(100) {
					v.Append([]logline.Line{{Seq: seq + 1, Text: long}})
				}
				v.Generate(889, 516)
				for b.Loop() {
					v.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(-700, 500)})
					v.Generate(889, 516)
				}
			})
		}
	}
}
