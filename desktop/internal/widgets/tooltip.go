package widgets

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// After calls f once on the UI goroutine when d has passed, unless stop was called before. Widgets have no clock of their own: the
// shell gives them this one.
type After func(d time.Duration, f func()) (stop func())

// tipDelay is how long the pointer rests before a tooltip shows.
const tipDelay = 500 * time.Millisecond

// tipHost is what shows tooltips above a window's content or above a dialog.
type tipHost interface {
	showTip(of fyne.CanvasObject, text string)
	hideTip(of fyne.CanvasObject)
	tipClock() After
}

// tip is one object's tooltip: waited for, shown or neither.
type tip struct {
	host tipHost
	of   fyne.CanvasObject
	stop func()
}

// wait shows the text beside the object when the pointer has rested.
func (t *tip) wait(of fyne.CanvasObject, text string) {
	t.hide()
	host := hostOf(of)
	if host == nil {
		return
	}
	t.host, t.of = host, of
	after := host.tipClock()
	if after == nil {
		return
	}
	t.stop = after(tipDelay, func() {
		t.stop = nil
		host.showTip(of, text)
	})
}

func (t *tip) hide() {
	if t.stop != nil {
		t.stop()
		t.stop = nil
	}
	if t.host != nil {
		t.host.hideTip(t.of)
		t.host = nil
	}
}

// hostOf finds who shows tooltips where the object is.
func hostOf(o fyne.CanvasObject) tipHost {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return nil
	}
	if host, ok := c.Overlays().Top().(tipHost); ok {
		return host
	}
	host, _ := c.Content().(tipHost)
	return host
}

// tipBox is the tooltip itself, laid over everything, at most one at a time.
type tipBox struct {
	part
	bg   *canvas.Rectangle
	text *Label
	of   fyne.CanvasObject
}

func newTipBox() *tipBox {
	b := &tipBox{bg: canvas.NewRectangle(theme.Color(theme.TooltipBg)), text: NewLabel("", Caption).Colored(theme.OnTooltip)}
	b.bg.CornerRadius = 6
	b.objects = []fyne.CanvasObject{b.bg, b.text}
	b.layout = func(s fyne.Size) {
		b.bg.Resize(s)
		b.text.Move(fyne.NewPos(8, 0))
		b.text.Resize(s.SubtractWidthHeight(16, 0))
	}
	b.min = func() fyne.Size { return fyne.NewSize(0, 0) }
	b.paint = func() { b.bg.FillColor = theme.Color(theme.TooltipBg) }
	b.be(b)
	b.Hide()
	return b
}

// show puts the text below the object, or above it where there is no room below, inside the area.
func (b *tipBox) show(of fyne.CanvasObject, text string, area fyne.Size, origin fyne.Position) {
	b.of = of
	b.text.Set(text)
	want := b.text.NaturalSize()
	size := fyne.NewSize(min(want.Width+17, area.Width-16), want.Height+10)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(of).Subtract(origin)
	x := at.X + (of.Size().Width-size.Width)/2
	y := at.Y + of.Size().Height + 6
	if y+size.Height > area.Height-4 {
		y = at.Y - size.Height - 6
	}
	b.Move(fyne.NewPos(min(max(x, 8), max(area.Width-size.Width-8, 8)), max(y, 4)))
	b.Resize(size)
	b.Show()
	b.Refresh()
}

func (b *tipBox) hide(of fyne.CanvasObject) {
	if b.of != of {
		return
	}
	b.of = nil
	b.Hide()
}
