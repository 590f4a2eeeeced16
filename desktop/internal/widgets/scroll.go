package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Scroll shows a body that is higher than the room, with a slim bar.
type Scroll struct {
	part
	inner *container.Scroll
}

// NewScroll makes a body scroll from top to bottom.
func NewScroll(body fyne.CanvasObject) *Scroll {
	f := &flow{}
	s := &Scroll{inner: container.NewVScroll(contain(f, &f.box, []fyne.CanvasObject{body}))}
	s.objects = []fyne.CanvasObject{s.inner}
	s.layout = func(size fyne.Size) {
		f.width = size.Width
		s.inner.Resize(size)
		s.inner.Refresh()
	}
	s.min = func() fyne.Size { return fyne.NewSize(body.MinSize().Width, 32) }
	s.be(s)
	f.onGrown(func() {
		s.inner.Refresh()
		s.grew()
	})
	return s
}

// flow is as high as its object wants to be in the width of the room.
type flow struct {
	box
	width float32
}

var _ naturalLayout = (*flow)(nil)

func (l *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(objects[0].MinSize().Width, naturalIn(objects[0], l.width).Height)
}

func (l *flow) natural(objects []fyne.CanvasObject) fyne.Size {
	if l.width > 0 {
		return naturalIn(objects[0], l.width)
	}
	return naturalSize(objects[0])
}

func (l *flow) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	return naturalIn(objects[0], width)
}

func (l *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.Position{})
	objects[0].Resize(size)
	l.settle(l, objects)
}

// NaturalSize is the body's.
func (s *Scroll) NaturalSize() fyne.Size { return naturalSize(s.inner.Content) }

func (s *Scroll) naturalIn(width float32) fyne.Size { return naturalIn(s.inner.Content, width) }

// Offset is how far the body is scrolled; for a page that is left and comes back.
func (s *Scroll) Offset() float32 { return s.inner.Offset.Y }

// SetOffset scrolls.
func (s *Scroll) SetOffset(y float32) { s.inner.ScrollToOffset(fyne.NewPos(0, max(y, 0))) }
