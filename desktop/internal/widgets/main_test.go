package widgets_test

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"go.uber.org/goleak"

	"github.com/backstay/backstay/desktop/internal/theme"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// show puts an object into a window of a size. It was made after use.
func show(t testing.TB, size fyne.Size, o fyne.CanvasObject) fyne.Canvas {
	t.Helper()
	c := empty(t, size)
	c.SetContent(o)
	c.Resize(size)
	return c
}

// use starts an app of ours in a mode. What is made before it has no look.
func use(t testing.TB, mode theme.Mode) fyne.App {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(mode, theme.Comfortable))
	return app
}

// empty is the canvas of a window with nothing in it.
func empty(t testing.TB, size fyne.Size) software.WindowlessCanvas {
	t.Helper()
	w := test.NewTempWindow(t, nil)
	w.SetPadded(false)
	c, ok := w.Canvas().(software.WindowlessCanvas)
	if !ok {
		t.Fatal("the test canvas is another")
	}
	c.Resize(size)
	return c
}

// key presses a key in whatever has the keyboard.
func key(t testing.TB, c fyne.Canvas, names ...fyne.KeyName) {
	t.Helper()
	for _, name := range names {
		if c.Focused() == nil {
			t.Fatalf("nothing has the keyboard for %s", name)
		}
		c.Focused().TypedKey(&fyne.KeyEvent{Name: name})
	}
}

// tapAt clicks at a place of the window.
func tapAt(c fyne.Canvas, x, y float32) { test.TapCanvas(c, fyne.NewPos(x, y)) }

// absolute is where an object is in the window.
func absolute(o fyne.CanvasObject) fyne.Position {
	return fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
}

// middle is the middle of an object in the window.
func middle(o fyne.CanvasObject) fyne.Position {
	return absolute(o).AddXY(o.Size().Width/2, o.Size().Height/2)
}

// drawn is the text that a widget's first canvas.Text shows.
func drawn(w fyne.Widget) string {
	for _, o := range test.WidgetRenderer(w).Objects() {
		switch o := o.(type) {
		case *canvas.Text:
			return o.Text
		case fyne.Widget:
			if s := drawn(o); s != "" {
				return s
			}
		}
	}
	return ""
}

// resize gives a window another size.
func resize(t testing.TB, c fyne.Canvas, size fyne.Size) {
	t.Helper()
	w, ok := c.(software.WindowlessCanvas)
	if !ok {
		t.Fatal("the test canvas is another")
	}
	w.Resize(size)
}
