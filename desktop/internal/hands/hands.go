// Package hands finds what a window says and presses it, for the pictures and the tests of the console. It belongs to the UI goroutine,
// and is no part of the program that people run.
package hands

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// Texts visits the visible texts of a window; those of what lies over it come last.
func Texts(c fyne.Canvas, visit func(*canvas.Text)) {
	see(c.Content(), visit)
	for _, o := range c.Overlays().List() {
		see(o, visit)
	}
}

func see(o fyne.CanvasObject, visit func(*canvas.Text)) {
	if o == nil || !o.Visible() {
		return
	}
	switch o := o.(type) {
	case *canvas.Text:
		visit(o)
	case *fyne.Container:
		for _, c := range o.Objects {
			see(c, visit)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			see(c, visit)
		}
	}
}

// Find gives the last visible text that is exactly this one, nil when there is none.
func Find(c fyne.Canvas, text string) (found *canvas.Text) {
	Texts(c, func(t *canvas.Text) {
		if t.Text == text {
			found = t
		}
	})
	return found
}

// Tap clicks on a text.
func Tap(c fyne.Canvas, t *canvas.Text) {
	test.TapCanvas(c, fyne.CurrentApp().Driver().AbsolutePositionForObject(t).AddXY(2, t.Size().Height/2))
}

// Write types into what has the keyboard.
func Write(c fyne.Canvas, text string) {
	for _, r := range text {
		if f := c.Focused(); f != nil {
			f.TypedRune(r)
		}
	}
}

// Press presses keys: what has the keyboard gets them.
func Press(c fyne.Canvas, keys ...fyne.KeyName) {
	for _, k := range keys {
		if f := c.Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: k})
		}
	}
}
