package pages

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
)

// counted is fyne's app with a canvas that counts what would have the window painted.
type counted struct {
	fyne.App
	paints int
}

type countedDriver struct {
	fyne.Driver
	app *counted
}

type countedCanvas struct {
	fyne.Canvas
	app *counted
}

func (a *counted) Driver() fyne.Driver { return countedDriver{a.App.Driver(), a} }

func (d countedDriver) CanvasForObject(o fyne.CanvasObject) fyne.Canvas {
	c := d.Driver.CanvasForObject(o)
	if c == nil {
		return nil
	}
	return countedCanvas{c, d.app}
}

func (c countedCanvas) Refresh(o fyne.CanvasObject) {
	c.app.paints++
	c.Canvas.Refresh(o)
}

// SetDirty is what moving and showing comes to.
func (c countedCanvas) SetDirty() { c.app.paints++ }

// Without a graphics card every paint is the whole window's: a page of a fleet where nothing happens is not painted from second to
// second.
func TestAPageThatStaysAsItIsIsNotPainted(t *testing.T) {
	b := newBench(t, sample.Crowd(sample.Noon(), 40, 400)).listed()
	host, job := b.deps.Fleet.Hosts()[0].ID, ""
	for j := range b.deps.Fleet.Jobs() {
		job = string(j.ID)
		break
	}
	for _, r := range []nav.Route{{Page: nav.Overview}, {Page: nav.Hosts}, {Page: nav.Host, ID: string(host)}, {Page: nav.Jobs}, {Page: nav.Job, ID: job}, {Page: nav.Snapshots},
		{Page: nav.Plans}, {Page: nav.Repositories}, {Page: nav.Access}} {
		b.later = 0
		b.open(r, nil)
		b.settle()
		for range 2 { // a curve begins with two values
			b.later += time.Second
			b.page.Tick(b.deps.Now())
		}
		app := &counted{App: fyne.CurrentApp()}
		fyne.SetCurrentApp(app)
		for range 3 {
			b.later += time.Second
			b.page.Tick(b.deps.Now())
		}
		fyne.SetCurrentApp(app.App)
		if app.paints > 0 {
			t.Errorf("%s: %d paints in three seconds of nothing", r.Page, app.paints)
		}
	}
}

// settle carries out what is posted until all requests are answered and nothing more comes.
func (b *bench) settle() {
	for quiet := 0; quiet < 20; {
		select {
		case f := <-b.queue:
			f()
			quiet = 0
		case <-time.After(10 * time.Millisecond):
			quiet++
		}
	}
}
