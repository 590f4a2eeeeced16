package shell

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
)

// frame is what stands around the page: sidebar, top bar, and a strip between them and the page when the connection is not as it
// should be.
type frame struct {
	s       *Shell
	root    *fyne.Container
	sidebar *sidebar
	top     *topBar
	link    *linkStrip
	page    *fyne.Container
	veil    *canvas.Rectangle // greys a page that shows how things were
}

func newFrame(s *Shell) *frame {
	f := &frame{s: s, page: container.NewStack(), veil: canvas.NewRectangle(theme.Color(theme.Veil))}
	f.veil.Hide()
	f.sidebar, f.top, f.link = newSidebar(s), newTopBar(s), newLinkStrip(s)
	ground := widgets.Backdrop(theme.Bg, 0, widgets.Space(0))
	f.root = container.New(&frameLayout{f}, ground, f.sidebar.root, f.top.root, f.link.root, f.page, f.veil)
	return f
}

// pageChanged shows the shell's page.
func (f *frame) pageChanged() {
	f.page.Objects = []fyne.CanvasObject{f.s.page.Content()}
	f.sidebar.pageChanged()
	f.top.pageChanged()
	f.showLink()
	f.root.Refresh()
}

// sessionChanged shows another daemon, or none.
func (f *frame) sessionChanged() {
	f.sidebar.sessionChanged()
	f.showLink()
}

func (f *frame) update(c model.Change) {
	f.sidebar.update(c)
	if c.Connection {
		f.showLink()
	}
	f.top.update()
}

func (f *frame) tick(now time.Time) {
	f.sidebar.tick(now)
	f.link.tick(now)
}

// alone tells whether the page has the window to itself: the way in has.
func (f *frame) alone() bool { return f.s.route.Page == nav.Connect }

// showLink shows or hides the strip and the veil.
func (f *frame) showLink() {
	shown, grey := f.link.show()
	setShown(f.link.root, shown && !f.alone())
	setShown(f.veil, grey && !f.alone())
	f.veil.FillColor = theme.Color(theme.Veil)
	f.veil.Refresh()
	f.root.Refresh()
}

func setShown(o fyne.CanvasObject, shown bool) {
	if shown {
		o.Show()
	} else {
		o.Hide()
	}
}

// frameLayout places the frame's parts; it never asks for more room than a small window has.
type frameLayout struct{ f *frame }

const (
	minWidth   = 760
	minHeight  = 480
	slimBelow  = 900 // narrower than that the sidebar shows icons alone
	slimWidth  = 64
	linkHeight = 40
)

// MinSize implements fyne.Layout.
func (l *frameLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(minWidth, minHeight)
}

// Layout implements fyne.Layout.
func (l *frameLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f := l.f
	place(objects[0], 0, 0, size.Width, size.Height)
	if f.alone() {
		f.sidebar.root.Hide()
		f.top.root.Hide()
		place(f.page, 0, 0, size.Width, size.Height)
		return
	}
	f.sidebar.root.Show()
	f.top.root.Show()
	side := theme.SidebarW
	if size.Width < slimBelow {
		side = slimWidth
	}
	f.sidebar.setSlim(side == slimWidth)
	place(f.sidebar.root, 0, 0, side, size.Height)
	place(f.top.root, side, 0, size.Width-side, theme.TopBarH)
	y := theme.TopBarH
	if f.link.root.Visible() {
		place(f.link.root, side, y, size.Width-side, linkHeight)
		y += linkHeight
	}
	place(f.page, side, y, size.Width-side, size.Height-y)
	place(f.veil, side, y, size.Width-side, size.Height-y)
}

func place(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
}
