//go:build linux

package main

import (
	"fmt"
	"image"
	"slices"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/shell"
)

const (
	settle     = 3 * time.Second      // until what was begun has ended
	probeEvery = 5 * time.Millisecond // between two looks at how long the UI goroutine keeps others waiting
	paintLimit = 10 * time.Second
)

// bench is the window that is measured. What it counts is touched on the UI goroutine only.
type bench struct {
	config
	window fyne.Window
	shell  *shell.Shell
	thread int // of the UI goroutine

	// mark is painted last in every frame: that it was asked for its pixel says that the window was painted.
	mark   *canvas.Raster
	paints int
	seen   int             // paints when the frame under way began
	began  time.Duration   // the thread's time then; 0: no frame is under way
	frames []time.Duration // the thread's time for each frame
	count  bool            // frames are kept
}

func newBench(c config, a fyne.App, w fyne.Window) (*bench, error) {
	if c.theme != "light" && c.theme != "dark" {
		return nil, fmt.Errorf("--theme is light or dark, not %q", c.theme)
	}
	b := &bench{config: c, window: w, thread: unix.Gettid()}
	b.mark = canvas.NewRaster(func(int, int) image.Image {
		b.paints++
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	})
	b.shell = shell.New(shell.Config{App: a, Window: w, Prefs: prefs.New(prefs.Data{Theme: c.theme, Language: "en"}, nil), Vault: prefs.NewVault(nil, nil), NoTray: true, Post: b.post})
	corner := container.New(&pixel{}, b.mark)
	w.SetContent(container.NewStack(w.Content(), corner))
	return b, nil
}

// pixel gives what it lays out one unit at the bottom right.
type pixel struct{}

func (*pixel) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(1, 1) }
func (*pixel) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(size.Width-1, size.Height-1))
		o.Resize(fyne.NewSize(1, 1))
	}
}

// post is fyne.Do for the console. What is posted begins a frame, unless the one before was not painted yet: then it is part of that.
func (b *bench) post(f func()) {
	fyne.Do(func() {
		b.frame()
		f()
		if b.count {
			b.mark.Refresh()
		}
	})
}

// frame ends the frame that was painted, if one was: the thread's time since its begin is what it took.
func (b *bench) frame() {
	if !b.count {
		return
	}
	now, painted := threadTime(), b.paints != b.seen
	if painted && b.began != 0 {
		b.frames = append(b.frames, now-b.began)
	}
	if painted || b.began == 0 {
		b.seen, b.began = b.paints, now
	}
}

// do runs f on the UI goroutine and waits for it.
func (b *bench) do(f func()) {
	done := make(chan struct{})
	fyne.Do(func() {
		defer close(done)
		f()
	})
	<-done
}

// paint runs f on the UI goroutine and waits until the window is painted: the time that passed, and that the thread took.
func (b *bench) paint(f func()) (passed, took time.Duration, err error) {
	var start time.Time
	var before time.Duration
	var paints int
	b.do(func() {
		start, before = time.Now(), threadTime()
		paints = b.paints
		f()
		b.mark.Refresh()
	})
	for limit := time.Now().Add(paintLimit); time.Now().Before(limit); {
		painted := false
		b.do(func() {
			painted, passed, took = b.paints != paints, time.Since(start), threadTime()-before
		})
		if painted {
			return passed, took, nil
		}
		time.Sleep(500 * time.Microsecond)
	}
	return 0, 0, fmt.Errorf("the window was not painted within %v", paintLimit)
}

// counting keeps frames while f runs, and gives them in order of their length.
func (b *bench) counting(f func()) []time.Duration {
	b.do(func() { b.count, b.began, b.frames = true, 0, nil })
	f()
	var frames []time.Duration
	b.do(func() { b.count, frames = false, b.frames })
	slices.Sort(frames)
	return frames
}

// stalls looks every few milliseconds how long a function waits that is posted to the UI goroutine, until stop is called, which gives
// the waits in order.
func stalls() (stop func() []time.Duration) {
	var ended atomic.Bool
	out := make(chan []time.Duration)
	go func() {
		var waits []time.Duration
		for !ended.Load() {
			posted, ran := time.Now(), make(chan time.Duration)
			fyne.Do(func() { ran <- time.Since(posted) })
			waits = append(waits, <-ran)
			time.Sleep(probeEvery)
		}
		slices.Sort(waits)
		out <- waits
	}()
	return func() []time.Duration {
		ended.Store(true)
		return <-out
	}
}

// at gives the value below which a share of sorted values lies.
func at(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(float64(len(sorted))*share), len(sorted)-1)
	return float64(sorted[i].Microseconds()) / 1000
}

func say(metric string, value float64) { fmt.Printf("%s %.2f\n", metric, value) }

func sayTimes(metric string, sorted []time.Duration) {
	say(metric+"-p50-ms", at(sorted, 0.5))
	say(metric+"-p95-ms", at(sorted, 0.95))
	say(metric+"-max-ms", at(sorted, 1))
}
