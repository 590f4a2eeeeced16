package widgets

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Toast is a message that goes away by itself.
type Toast struct {
	Tone  Tone
	Title string
	Text  string        // may be empty
	Close string        // the name of the button that closes it
	OnTap func()        // optional: open what it is about
	For   time.Duration // 0: as long as a message of its tone is shown
}

const (
	maxToasts   = 4
	toastWidth  = 340
	toastMargin = 20
	toastFor    = 6 * time.Second
	toastForBad = 12 * time.Second
)

// Toasts is the layer of messages at the bottom right of a window, the newest at the bottom. More than four push out the oldest.
type Toasts struct {
	part
	after After
	shown []*toast
}

func newToasts(after After) *Toasts {
	t := &Toasts{after: after}
	t.layout = t.lay
	t.min = func() fyne.Size { return fyne.Size{} }
	t.be(t)
	return t
}

// Push shows a message and gives what takes it away.
func (t *Toasts) Push(m Toast) (hide func()) {
	n := newToast(m)
	hide = func() { t.remove(n) }
	n.close.SetOnTap(hide)
	n.onTap = func() {
		hide()
		if m.OnTap != nil {
			m.OnTap()
		}
	}
	t.shown = append(t.shown, n)
	for len(t.shown) > maxToasts {
		t.remove(t.shown[0])
	}
	if t.after != nil {
		n.stop = t.after(m.length(), hide)
	}
	t.again()
	return hide
}

func (m Toast) length() time.Duration {
	switch {
	case m.For > 0:
		return m.For
	case m.Tone == Error || m.Tone == Warn:
		return toastForBad
	default:
		return toastFor
	}
}

// Len is how many messages are shown.
func (t *Toasts) Len() int { return len(t.shown) }

func (t *Toasts) remove(n *toast) {
	for i, s := range t.shown {
		if s != n {
			continue
		}
		if n.stop != nil {
			n.stop()
		}
		t.shown = append(t.shown[:i:i], t.shown[i+1:]...)
		t.again()
		return
	}
}

func (t *Toasts) again() {
	t.objects = t.objects[:0:0]
	for _, n := range t.shown {
		t.objects = append(t.objects, n)
	}
	t.lay(t.Size())
	canvas.Refresh(t)
}

func (t *Toasts) lay(s fyne.Size) {
	y := s.Height - toastMargin
	for i := len(t.shown) - 1; i >= 0; i-- {
		n := t.shown[i]
		width := min(toastWidth, s.Width-2*toastMargin)
		size := fyne.NewSize(width, naturalIn(n.whole, width).Height)
		n.Resize(size)
		y -= size.Height
		n.Move(fyne.NewPos(s.Width-toastMargin-size.Width, y))
		y -= 12
	}
}

// toast is one message on the layer.
type toast struct {
	press
	bg    *canvas.Rectangle
	whole *fyne.Container
	close *IconButton
	stop  func()
}

func newToast(m Toast) *toast {
	n := &toast{bg: canvas.NewRectangle(theme.Color(theme.Surface)), close: NewIconButton(icons.X, m.Close, nil).quiet()}
	text := []fyne.CanvasObject{NewLabel(m.Title, BodyStrong)}
	if m.Text != "" {
		text = append(text, NewParagraph(m.Text, Caption2))
	}
	n.whole = Pad(HFlex(12, NewIcon(m.Tone.Icon(), m.Tone.Color(), 18), Grow(VFlex(1, text...), 1), n.close), 11, 4, 11, 14)
	n.bg.CornerRadius, n.bg.StrokeWidth = theme.RadiusCard, theme.Hairline
	n.objects = []fyne.CanvasObject{n.bg, n.whole}
	n.layout = func(s fyne.Size) {
		n.bg.Resize(s)
		n.whole.Resize(s)
	}
	n.min = func() fyne.Size { return n.whole.MinSize() }
	n.paint = n.repaint
	n.be(n)
	n.repaint()
	return n
}

func (n *toast) repaint() {
	n.bg.FillColor, n.bg.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.Border)
	n.bg.Shadow = canvas.Shadow{Color: theme.Color(theme.ShadowDeep), BlurRadius: 12, Offset: fyne.NewPos(0, 4)}
}
