package logview_test

import (
	"testing"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
	"github.com/backstay/backstay/shared/plaintext"
)

// FuzzView shows any text at any width and presses anywhere on it: nothing breaks, what is selected is a part of what is shown.
func FuzzView(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, text, uint16(300+i*40), uint16(i*97), i%2 == 0, byte(i))
	}
	app := test.NewTempApp(f)
	app.Settings().SetTheme(theme.New(theme.Light, theme.Comfortable))
	fonts := logview.NewFonts()
	f.Fuzz(func(t *testing.T, text, query string, width, x uint16, wrap bool, level byte) {
		posted := make(chan func(), 100)
		cfg := config(posted)
		cfg.Fonts = fonts
		v := logview.New(cfg)
		defer v.Close()
		w := 10 + int(width%2000)
		v.Resize(fyne.NewSize(float32(w), 100))
		v.SetWrap(wrap)
		v.Append([]logline.Line{{Seq: 1, Text: text, Level: logline.Level(level)}, {Seq: 2, Text: "x" + text}, {Seq: 3, Text: ""}})
		v.Generate(w, 100)
		v.Search(query)
		for v.SearchState().Running {
			(<-posted)()
		}
		s := &stage{t: &testing.T{}, view: v}
		v.Generate(w, 100)
		s.press(fyne.NewPos(float32(x), float32(x%100)), 0)
		v.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(float32(x)*1.7, float32(x%70))}})
		v.MouseUp(nil)
		if got := v.Selected(); !utf8.ValidString(got) {
			t.Fatalf("selected %q of %q", got, text)
		}
		s.click(fyne.NewPos(float32(x), 5), 0)
		s.click(fyne.NewPos(float32(x), 5), 0)
		v.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(-float32(x), -float32(x%50))})
		v.NextHit()
		v.Generate(w, 100)
		v.Deselect()
		v.Follow()
		v.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(1e6, 1e7)})
		s.press(v.PointOf(1, 0).SubtractXY(3, 0), 0)
		v.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: v.PointOf(2, 0).SubtractXY(3, 0)}})
		v.DragEnd()
		if got, want := v.Selected(), plaintext.Line(text)+"\n"; w > 500 && got != want {
			t.Fatalf("selected %q, want %q", got, want)
		}
	})
}
