package pages

import (
	"context"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"go.uber.org/goleak"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/hands"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a window with one page in it, a session with the sample daemon behind it, and a test in the place of the shell. The test's
// goroutine is the UI's.
type bench struct {
	t     *testing.T
	d     *sample.Daemon
	w     fyne.Window
	deps  *Deps
	queue chan func()
	page  Page
	leave context.CancelFunc
	later time.Duration // that the console's clock is ahead of the daemon's

	went   []nav.Route
	copied string
	toasts []string
}

// newBench starts a session with a daemon; the list has not come yet.
func newBench(t *testing.T, d *sample.Daemon) *bench {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light, theme.Comfortable))
	if err := words.Use("en"); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, d: d, w: test.NewTempWindow(t, nil), queue: make(chan func(), 1024)}
	b.w.SetPadded(false)
	b.w.Resize(fyne.NewSize(1208, 844))
	b.w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name != fyne.KeyEscape || !widgets.Escape(b.w.Canvas()) {
			b.page.Key(Key{Name: e.Name})
		}
	})
	fleet := model.New()
	session := feed.Start(feed.Config{Daemon: d, Post: func(f func()) { b.queue <- f }, Interval: time.Millisecond, Apply: func(m model.Batch) {
		if c := fleet.Apply(m); !c.None() && b.page != nil {
			b.page.Update(c)
		}
	}})
	b.deps = &Deps{Fleet: fleet, Session: session, Daemon: d, Calls: session.Calls, Window: b.w, Post: func(f func()) { b.queue <- f }, Prefs: prefs.New(prefs.Data{}, func(prefs.Data) {}), Now: func() time.Time { return d.Now().Add(b.later) },
		Navigate: func(r nav.Route) { b.went = append(b.went, r) }, Back: func() {}, Copy: func(s string) { b.copied = s },
		Toast: func(_ widgets.Tone, title, _ string) { b.toasts = append(b.toasts, title) }}
	t.Cleanup(func() {
		b.close()
		closed := make(chan struct{})
		go func() {
			session.Close()
			close(closed)
		}()
		for {
			select {
			case f := <-b.queue:
				f()
			case <-closed:
				return
			}
		}
	})
	return b
}

// listed waits for the list.
func (b *bench) listed() *bench {
	b.t.Helper()
	b.until("the list", func() bool { return b.deps.Fleet.Listed() && b.deps.Fleet.Identity().User != "" })
	return b
}

// open shows a page in the window.
func (b *bench) open(r nav.Route, state any) {
	b.t.Helper()
	b.close()
	ctx, leave := context.WithCancel(context.Background())
	b.leave = leave
	b.page = New(ctx, b.deps, r, state)
	content := b.page.Content()
	if a := b.page.Actions(); a != nil {
		content = widgets.VFlex(0, widgets.HFlex(0, widgets.Spacer(), a), widgets.Grow(content, 1))
	}
	b.w.SetContent(widgets.NewRoot(content, nil))
	b.page.Tick(b.deps.Now())
	if s, ok := b.page.(Shown); ok {
		s.Shown()
	}
}

func (b *bench) close() {
	if b.page != nil {
		b.leave()
		b.page.Leave()
		b.page = nil
	}
}

// until carries out what is posted until something is so.
func (b *bench) until(what string, so func() bool) {
	b.t.Helper()
	limit := time.After(10 * time.Second)
	for !so() {
		select {
		case f := <-b.queue:
			f()
		case <-limit:
			b.t.Fatalf("waited in vain for %s; the window says %q", what, b.texts())
		}
	}
}

// says waits until the window says a text.
func (b *bench) says(text string) {
	b.t.Helper()
	b.until("the text "+text, func() bool { return b.find(text) != nil })
}

// silent wants that the window does not say a text.
func (b *bench) silent(text string) {
	b.t.Helper()
	if b.find(text) != nil {
		b.t.Errorf("the window says %q", text)
	}
}

// tap clicks on the last thing that says a text.
func (b *bench) tap(text string) {
	b.t.Helper()
	b.says(text)
	b.click(b.find(text))
}

// tapFirst clicks on the first thing that says a text.
func (b *bench) tapFirst(text string) {
	b.t.Helper()
	b.says(text)
	var first *canvas.Text
	b.walk(func(t *canvas.Text) {
		if first == nil && t.Text == text {
			first = t
		}
	})
	b.click(first)
}

func (b *bench) click(o *canvas.Text) { hands.Tap(b.w.Canvas(), o) }

// find gives the last visible text that is exactly this one, nil when there is none.
func (b *bench) find(text string) *canvas.Text { return hands.Find(b.w.Canvas(), text) }

// texts are all texts that are to be seen.
func (b *bench) texts() string {
	var all []string
	b.walk(func(t *canvas.Text) { all = append(all, t.Text) })
	return strings.Join(all, " | ")
}

// walk visits the texts of the window; those of a dialog come last.
func (b *bench) walk(visit func(*canvas.Text)) { hands.Texts(b.w.Canvas(), visit) }

// key presses a key: what has the keyboard gets it, else the page.
func (b *bench) key(names ...fyne.KeyName) {
	for _, n := range names {
		if f := b.w.Canvas().Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: n})
		} else {
			b.page.Key(Key{Name: n})
		}
	}
}

// write types into what has the keyboard.
func (b *bench) write(text string) {
	b.t.Helper()
	for _, r := range text {
		f := b.w.Canvas().Focused()
		if f == nil {
			b.t.Fatal("nothing has the keyboard")
		}
		f.TypedRune(r)
	}
}

// advance lets time pass at the daemon.
func (b *bench) advance(by time.Duration) {
	b.d.Advance(by)
	b.page.Tick(b.deps.Now())
}

// row hands the model a row, as the watch does.
func (b *bench) row(r api.Row) {
	b.page.Update(b.deps.Fleet.Apply(model.Batch{Rows: []api.Row{r}}))
}

// last is where the page led to last.
func (b *bench) last() nav.Route {
	if len(b.went) == 0 {
		return nav.Route{}
	}
	return b.went[len(b.went)-1]
}
