package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// DialogConfig says what a dialog holds.
type DialogConfig struct {
	Title   string
	Body    fyne.CanvasObject
	Buttons []*Button         // at the right, the last one is what the dialog is for
	Left    fyne.CanvasObject // optional: beside the buttons, at the left
	Width   float32           // 0: 460
	Focus   *TextEntry        // optional: the field that has the keyboard first
	OnEnter func()            // optional: Enter in the dialog itself
	OnClose func()            // optional: the dialog was closed, by whatever
	Fixed   bool              // Esc does not close it: something is going on
}

// Dialog lies over a window, which it dims. The keyboard stays inside; Esc closes it.
type Dialog struct {
	part
	cfg    DialogConfig
	canvas fyne.Canvas
	scrim  *canvas.Rectangle
	bg     *canvas.Rectangle
	body   *Scroll
	whole  *fyne.Container
	tips   *tipBox
	after  After
}

var (
	_ fyne.Focusable = (*Dialog)(nil)
	_ tipHost        = (*Dialog)(nil)
	_ dismisser      = (*Dialog)(nil)
)

const (
	dialogWidth = 460
	dialogPad   = 20
)

// NewDialog makes a dialog, which Open shows.
func NewDialog(cfg DialogConfig) *Dialog {
	if cfg.Width == 0 {
		cfg.Width = dialogWidth
	}
	d := &Dialog{cfg: cfg, scrim: canvas.NewRectangle(theme.Color(theme.Scrim)), bg: canvas.NewRectangle(theme.Color(theme.Surface)), tips: newTipBox()}
	d.bg.CornerRadius, d.bg.StrokeWidth = theme.RadiusDialog, theme.Hairline
	buttons := []fyne.CanvasObject{}
	if cfg.Left != nil {
		buttons = append(buttons, cfg.Left)
	}
	buttons = append(buttons, Spacer())
	for _, b := range cfg.Buttons {
		buttons = append(buttons, b)
	}
	d.body = NewScroll(Pad(cfg.Body, 4, dialogPad, 4, dialogPad)) // room for the focus ring
	d.whole = VFlex(0,
		Pad(NewLabel(cfg.Title, DialogTitle), dialogPad-2, dialogPad, 12, dialogPad),
		Grow(d.body, 1),
		Pad(HFlex(10, buttons...), 14, dialogPad, dialogPad, dialogPad))
	d.objects = []fyne.CanvasObject{d.scrim, d.bg, d.whole, d.tips}
	d.layout = d.lay
	d.min = func() fyne.Size { return fyne.Size{} }
	d.paint = d.repaint
	d.be(d)
	d.repaint()
	watch(d.whole, func() { d.lay(d.Size()) })
	return d
}

// Open lays the dialog over a window.
func (d *Dialog) Open(c fyne.Canvas) {
	if d.canvas != nil {
		return
	}
	if host, ok := c.Content().(tipHost); ok {
		d.after = host.tipClock()
	}
	d.canvas = c
	c.Overlays().Add(d)
	d.Resize(c.Size())
	if d.cfg.Focus != nil {
		c.Focus(d.cfg.Focus.entry)
	} else {
		c.Focus(d)
	}
}

// Close takes the dialog away.
func (d *Dialog) Close() {
	if d.canvas == nil {
		return
	}
	c := d.canvas
	d.canvas = nil
	c.Overlays().Remove(d)
	if d.cfg.OnClose != nil {
		d.cfg.OnClose()
	}
}

// IsOpen tells whether the dialog lies over a window.
func (d *Dialog) IsOpen() bool { return d.canvas != nil }

// SetFixed keeps Esc from closing the dialog, or not.
func (d *Dialog) SetFixed(fixed bool) { d.cfg.Fixed = fixed }

func (d *Dialog) dismiss() {
	if !d.cfg.Fixed {
		d.Close()
	}
}

func (d *Dialog) lay(s fyne.Size) {
	d.scrim.Resize(s)
	width := min(max(d.cfg.Width, up(d.whole.MinSize().Width)), s.Width-32)
	height := min(up(naturalIn(d.whole, width).Height), s.Height-48) // a fraction less would let the body scroll
	at := fyne.NewPos((s.Width-width)/2, max((s.Height-height)*0.42, 24))
	d.bg.Move(at)
	d.bg.Resize(fyne.NewSize(width, height))
	d.whole.Move(at)
	d.whole.Resize(fyne.NewSize(width, height))
}

func (d *Dialog) repaint() {
	d.scrim.FillColor = theme.Color(theme.Scrim)
	d.bg.FillColor, d.bg.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.Border)
	d.bg.Shadow = canvas.Shadow{Color: theme.Color(theme.ShadowDeep), BlurRadius: 24, Offset: fyne.NewPos(0, 12)}
}

// Tapped implements fyne.Tappable: a click beside the controls gives the dialog the keyboard, and does not reach the window.
func (d *Dialog) Tapped(*fyne.PointEvent) {
	if d.canvas != nil {
		d.canvas.Focus(d)
	}
}

// FocusGained implements fyne.Focusable.
func (d *Dialog) FocusGained() {}

// FocusLost implements fyne.Focusable.
func (d *Dialog) FocusLost() {}

// TypedRune implements fyne.Focusable.
func (d *Dialog) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (d *Dialog) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyEscape:
		d.dismiss()
	case fyne.KeyReturn, fyne.KeyEnter:
		if d.cfg.OnEnter != nil {
			d.cfg.OnEnter()
		}
	}
}

func (d *Dialog) showTip(of fyne.CanvasObject, text string) {
	d.tips.show(of, text, d.Size(), fyne.Position{})
}
func (d *Dialog) hideTip(of fyne.CanvasObject) { d.tips.hide(of) }
func (d *Dialog) tipClock() After              { return d.after }

// ConfirmConfig says what somebody is asked before something is done.
type ConfirmConfig struct {
	Title  string
	Text   string // what will happen, and what will not
	Cancel string
	Action string
	Kind   Kind // of the action's button: Danger where something is lost
	OnYes  func()
}

// Confirm asks. Enter does not answer: the button has to be reached.
func Confirm(c fyne.Canvas, cfg ConfirmConfig) *Dialog {
	var d *Dialog
	no := NewButton(Secondary, "", cfg.Cancel, func() { d.Close() })
	yes := NewButton(cfg.Kind, "", cfg.Action, func() {
		d.Close()
		cfg.OnYes()
	})
	d = NewDialog(DialogConfig{Title: cfg.Title, Body: NewParagraph(cfg.Text, Body2).Wrapped(dialogWidth - 2*dialogPad), Buttons: []*Button{no, yes}})
	d.Open(c)
	return d
}
