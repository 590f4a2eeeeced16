package widgets

import (
	"fyne.io/fyne/v2"
)

// Root is a window's content with what lies above it: toasts and tooltips. The shell puts the one Root of a window around its pages.
type Root struct {
	part
	content fyne.CanvasObject
	toasts  *Toasts
	tips    *tipBox
	after   After
}

var _ tipHost = (*Root)(nil)

// NewRoot makes the root. Without a clock (nil) no tooltip shows and toasts stay until they are closed.
func NewRoot(content fyne.CanvasObject, after After) *Root {
	r := &Root{content: content, toasts: newToasts(after), tips: newTipBox(), after: after}
	r.objects = []fyne.CanvasObject{content, r.toasts, r.tips}
	r.layout = func(s fyne.Size) {
		r.content.Resize(s)
		r.toasts.Resize(s)
	}
	r.min = func() fyne.Size { return r.content.MinSize() }
	r.be(r)
	return r
}

// Toasts is the layer of messages at the bottom right.
func (r *Root) Toasts() *Toasts { return r.toasts }

// SetContent shows something else below the layers.
func (r *Root) SetContent(content fyne.CanvasObject) {
	r.content = content
	r.objects = []fyne.CanvasObject{content, r.toasts, r.tips}
	content.Resize(r.Size())
	r.Refresh()
}

func (r *Root) showTip(of fyne.CanvasObject, text string) {
	r.tips.show(of, text, r.Size(), fyne.CurrentApp().Driver().AbsolutePositionForObject(r))
}

func (r *Root) hideTip(of fyne.CanvasObject) { r.tips.hide(of) }

func (r *Root) tipClock() After { return r.after }
