package logview

import (
	"time"

	"fyne.io/fyne/v2"
)

// frame is the least time between two repaints that nobody asked for.
const frame = 50 * time.Millisecond

// painting keeps repaints apart.
type painting struct {
	last  time.Time
	timer *time.Timer // runs while a repaint waits for its time
	count int
}

func (p *painting) stop() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// refresh repaints now: for what a person did.
func (v *View) refresh() {
	if v.closed {
		return
	}
	v.paints.stop()
	v.paints.last = time.Now()
	v.paints.count++
	v.wantLines()
	v.placePill()
	v.raster.Refresh()
}

// changed repaints soon, at most twenty times a second: for what the log did.
func (v *View) changed() {
	if v.closed || v.paints.timer != nil {
		return
	}
	wait := frame - time.Since(v.paints.last)
	if wait <= 0 {
		v.refresh()
		return
	}
	var mine *time.Timer
	mine = time.AfterFunc(wait, func() {
		v.cfg.Post(func() {
			if v.paints.timer == mine {
				v.refresh()
			}
		})
	})
	v.paints.timer = mine
}

// CreateRenderer implements fyne.Widget.
func (v *View) CreateRenderer() fyne.WidgetRenderer { return renderer{v} }

type renderer struct{ v *View }

var _ fyne.WidgetRenderer = renderer{}

// Layout implements fyne.WidgetRenderer.
func (r renderer) Layout(size fyne.Size) {
	r.v.raster.Resize(size)
	r.v.placePill()
}

// MinSize implements fyne.WidgetRenderer.
func (r renderer) MinSize() fyne.Size { return fyne.NewSize(160, 72) }

// Objects implements fyne.WidgetRenderer.
func (r renderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.v.raster, r.v.pill} }

// Destroy implements fyne.WidgetRenderer.
func (r renderer) Destroy() {}

// Refresh implements fyne.WidgetRenderer: the theme may be another.
func (r renderer) Refresh() {
	r.v.recolour = true
	r.v.pill.Refresh()
	r.v.refresh()
}

// fetching is what was asked for of lines that are not held.
type fetching struct {
	older, newer bool // asked, not answered
	first        bool // the log's first line is held
}

// wantLines asks for lines beyond those held when their end comes near.
func (v *View) wantLines() {
	if v.store.Len() == 0 || v.atlas == nil {
		return
	}
	near := 2 * v.win.Height
	if v.cfg.OnOlder != nil && !v.fetch.older && !v.fetch.first && v.store.FirstSeq() > 1 && v.win.Y(v.store) < near && v.roomAbove() {
		v.fetch.older = true
		v.cfg.OnOlder(v.store.FirstSeq())
	}
	if v.cfg.OnNewer != nil && v.store.Cut() && !v.fetch.newer && v.win.Total(v.store)-v.win.Y(v.store)-v.win.Height < near {
		v.fetch.newer = true
		v.cfg.OnNewer(v.store.LastSeq())
	}
}

// roomAbove tells whether older lines may be added. When the view is full they push out the newest, which is right for a person who
// has scrolled up to them, and wrong for one who looks at the end or at the few lines that a level shows.
func (v *View) roomAbove() bool {
	return v.store.Room() > 0 || !v.win.Follow && v.win.Total(v.store) > v.win.Height
}
