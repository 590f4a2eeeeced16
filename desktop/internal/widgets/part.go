package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// part is what most widgets here are made of: primitives, a layout for them, and a paint that reads the theme.
type part struct {
	widget.BaseWidget
	objects []fyne.CanvasObject
	layout  func(fyne.Size)
	min     func() fyne.Size
	paint   func() // nil: nothing depends on the theme

	me    fyne.Widget // the widget that this part is in
	grown func()      // the layout around wants to know that the natural size is another
}

// be makes the part the widget w, which it is embedded in.
func (p *part) be(w fyne.Widget) {
	p.me = w
	p.ExtendBaseWidget(w)
}

// CreateRenderer implements fyne.Widget.
func (p *part) CreateRenderer() fyne.WidgetRenderer { return (*partRenderer)(p) }

// onGrown implements grower.
func (p *part) onGrown(f func()) { p.grown = f }

// grew tells the layout around that the natural size is another.
func (p *part) grew() {
	if p.grown != nil {
		p.grown()
	}
}

// partRenderer draws a part.
type partRenderer part

var _ fyne.WidgetRenderer = (*partRenderer)(nil)

func (r *partRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *partRenderer) MinSize() fyne.Size           { return r.min() }
func (r *partRenderer) Destroy()                     {}

func (r *partRenderer) Layout(size fyne.Size) {
	if r.layout != nil {
		r.layout(size)
	}
}

func (r *partRenderer) Refresh() {
	if r.paint != nil {
		r.paint()
	}
	for _, o := range r.objects {
		o.Refresh()
	}
}

// natural is a part with a wish: the size it would like where there is room.
type natural interface{ NaturalSize() fyne.Size }

// flowing is a part whose height depends on its width: it holds text over several lines.
type flowing interface{ naturalIn(width float32) fyne.Size }

// grower is a part that tells when its natural size is another.
type grower interface{ onGrown(func()) }

// naturalSize is what an object would like, at least its minimum.
func naturalSize(o fyne.CanvasObject) fyne.Size {
	switch o := o.(type) {
	case natural:
		return o.NaturalSize()
	case *fyne.Container:
		if l, ok := o.Layout.(naturalLayout); ok {
			return l.natural(o.Objects)
		}
	}
	return o.MinSize()
}

// naturalIn is what an object would like if it were this wide.
func naturalIn(o fyne.CanvasObject, width float32) fyne.Size {
	switch o := o.(type) {
	case flowing:
		return o.naturalIn(width)
	case *fyne.Container:
		if l, ok := o.Layout.(naturalLayout); ok {
			return l.naturalIn(o.Objects, width)
		}
	}
	return naturalSize(o)
}

// naturalLayout is a layout with a wish for what it lays out.
type naturalLayout interface {
	fyne.Layout
	natural(objects []fyne.CanvasObject) fyne.Size
	naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size
}

// watch asks an object to call f when its natural size is another. Objects of other packages cannot tell.
func watch(o fyne.CanvasObject, f func()) {
	switch o := o.(type) {
	case grower:
		o.onGrown(f)
	case *fyne.Container:
		if l, ok := o.Layout.(grower); ok {
			l.onGrown(f)
		}
	}
}

// box is the common of this package's layouts: it belongs to one container and lays that out again when something inside grew.
type box struct {
	of    *fyne.Container
	last  fyne.Size // the natural size when last laid out
	hook  func()    // what the objects inside call
	grown func()
}

func (b *box) onGrown(f func()) { b.grown = f }

// settle is called at the end of each Layout.
func (b *box) settle(l naturalLayout, objects []fyne.CanvasObject) {
	b.last = l.natural(objects)
	for _, o := range objects {
		watch(o, b.hook)
	}
}

// again lays out after something inside grew; the layout around first, which may give another size. It tells whether it was laid out
// here, or by the layout around.
func (b *box) again(l naturalLayout) bool {
	if b.of == nil {
		return false
	}
	size := b.of.Size()
	if now := l.natural(b.of.Objects); now != b.last {
		b.last = now
		if b.grown != nil {
			b.grown()
		}
	}
	if b.of.Size() != size { // a resize has laid out already
		return false
	}
	l.Layout(b.of.Objects, size)
	return true
}

// settleBelow lays out what is in a container that was laid out: what was shown or hidden deeper in counts from now on. A Refresh does
// that too, and makes every picture and icon below anew, which is most of what it costs.
func settleBelow(o fyne.CanvasObject) {
	var below []fyne.CanvasObject
	switch o := o.(type) {
	case *fyne.Container:
		below = o.Objects
	case interface{ parts() []fyne.CanvasObject }:
		below = o.parts()
	case *container.Scroll:
		below = []fyne.CanvasObject{o.Content}
	}
	for _, o := range below {
		if c, ok := o.(*fyne.Container); ok && c.Layout != nil {
			c.Layout.Layout(c.Objects, c.Size())
		}
		settleBelow(o)
	}
}

// parts are what a part is made of.
func (p *part) parts() []fyne.CanvasObject { return p.objects }

// dirty has the window painted again with all that is in it as it is.
func dirty(o fyne.CanvasObject) {
	c, ok := fyne.CurrentApp().Driver().CanvasForObject(o).(interface{ SetDirty() })
	if ok {
		c.SetDirty()
	}
}

// contain makes the container of a layout.
func contain(l naturalLayout, b *box, objects []fyne.CanvasObject) *fyne.Container {
	b.of = &fyne.Container{Layout: l}
	b.hook = func() {
		if b.again(l) {
			settleBelow(b.of)
			dirty(b.of)
		}
	}
	for _, o := range objects {
		o = wishFor(o).CanvasObject
		watch(o, b.hook)
		b.of.Objects = append(b.of.Objects, o)
	}
	return b.of
}
