package capture

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/words"
)

// wheel turns the wheel upwards over a place. What scrolls knows how far only once it was painted.
func (st *stage) wheel(at fyne.Position, by float32) {
	st.window.Canvas().Capture()
	test.Scroll(st.window.Canvas(), at, 0, by)
}

// write types into what has the keyboard.
func (st *stage) write(text string) {
	for _, r := range text {
		if f := st.window.Canvas().Focused(); f != nil {
			f.TypedRune(r)
		}
	}
}

// press presses keys: what has the keyboard gets them.
func (st *stage) press(keys ...fyne.KeyName) {
	for _, k := range keys {
		if f := st.window.Canvas().Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: k})
		}
	}
}

// tap clicks on a place.
func (st *stage) tap(at fyne.Position) {
	test.TapCanvas(st.window.Canvas(), at)
	st.settle()
}

// tapText clicks on the last thing that says the text of a key.
func (st *stage) tapText(key string) {
	if t := st.find(words.T(key)); t != nil {
		st.tap(fyne.CurrentApp().Driver().AbsolutePositionForObject(t).AddXY(2, t.Size().Height/2))
	}
}

// find gives the last visible text that is exactly this one, nil when there is none.
func (st *stage) find(text string) (found *canvas.Text) {
	var see func(o fyne.CanvasObject)
	see = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch o := o.(type) {
		case *canvas.Text:
			if o.Text == text {
				found = o
			}
		case *fyne.Container:
			for _, c := range o.Objects {
				see(c)
			}
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				see(c)
			}
		}
	}
	c := st.window.Canvas()
	for _, o := range append([]fyne.CanvasObject{c.Content()}, c.Overlays().List()...) {
		see(o)
	}
	return found
}
