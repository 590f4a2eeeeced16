package widgets_test

import (
	"image"
	"image/draw"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
)

// scenes hold every widget once.
func scenes() map[string]func(c fyne.Canvas) fyne.CanvasObject {
	return map[string]func(c fyne.Canvas) fyne.CanvasObject{
		"basics": func(fyne.Canvas) fyne.CanvasObject { return basics() },
		"forms":  func(fyne.Canvas) fyne.CanvasObject { return forms() },
		"table":  func(fyne.Canvas) fyne.CanvasObject { return tables() },
		"charts": func(fyne.Canvas) fyne.CanvasObject { return charts() },
		"loading": func(fyne.Canvas) fyne.CanvasObject {
			return page(widgets.FlatCard(widgets.VFlex(8, widgets.SkeletonTable(hostColumns(), 3), widgets.SkeletonLines(3))))
		},
		"faces": func(fyne.Canvas) fyne.CanvasObject {
			return page(widgets.VFlex(8, widgets.Empty(icons.Snapshot, "No snapshots yet", "The first backup runs tonight.", widgets.NewButton(widgets.Primary, icons.Play, "Back up now", nil)),
				widgets.Failure("Cannot be shown", "The agent is not connected.", nil)))
		},
		"toasts": func(fyne.Canvas) fyne.CanvasObject {
			root := widgets.NewRoot(page(widgets.Space(1)), nil)
			root.Toasts().Push(widgets.Toast{Tone: widgets.Warn, Title: "Backup finished", Text: "3 files could not be read", Close: "Close"})
			return root
		},
		"dialog": func(c fyne.Canvas) fyne.CanvasObject {
			d := widgets.NewDialog(widgets.DialogConfig{Title: "New plan", Body: widgets.NewField("Name", widgets.NewEntry("", nil), "a hint"), Buttons: []*widgets.Button{widgets.NewButton(widgets.Danger, "", "Forget", nil)}})
			d.Open(c)
			return page(widgets.Space(1))
		},
	}
}

// TestThemeChangesWhatIsShown: a window that was light and is dark now looks as one that was dark from the beginning.
func TestThemeChangesWhatIsShown(t *testing.T) {
	for name, build := range scenes() {
		t.Run(name, func(t *testing.T) {
			size := fyne.NewSize(700, 620)
			use(t, theme.Dark)
			c := half(t, size)
			c.SetContent(build(c))
			resize(t, c, size)
			c.Unfocus()
			want := c.Capture()

			app := use(t, theme.Light)
			c = half(t, size)
			c.SetContent(build(c))
			resize(t, c, size)
			c.Unfocus()
			if same(want, c.Capture()) {
				t.Fatal("light looks like dark")
			}
			app.Settings().SetTheme(theme.New(theme.Dark, theme.Comfortable))
			got := c.Capture()
			if box := difference(want, got); !box.Empty() {
				t.Errorf("after the change of theme something is not as dark as it should be in %v", box)
			}
		})
	}
}

// half is a canvas of half the pixels: shadows are dear to paint, and a colour that is wrong is wrong in any size.
func half(t *testing.T, size fyne.Size) fyne.Canvas {
	t.Helper()
	c := empty(t, size)
	c.SetScale(0.5)
	return c
}

// difference is where two pictures are not the same.
func difference(a, b image.Image) image.Rectangle {
	x, y := rgba(a), rgba(b)
	var box image.Rectangle
	for py := x.Rect.Min.Y; py < x.Rect.Max.Y; py++ {
		for px := x.Rect.Min.X; px < x.Rect.Max.X; px++ {
			if x.RGBAAt(px, py) != y.RGBAAt(px, py) {
				box = box.Union(image.Rect(px, py, px+1, py+1))
			}
		}
	}
	return box
}

func rgba(src image.Image) *image.RGBA {
	dst := image.NewRGBA(src.Bounds())
	draw.Draw(dst, dst.Rect, src, src.Bounds().Min, draw.Src)
	return dst
}
