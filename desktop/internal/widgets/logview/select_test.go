package logview_test

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
)

func (s *stage) press(p fyne.Position, mod fyne.KeyModifier) {
	s.view.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: p}, Button: desktop.MouseButtonPrimary, Modifier: mod})
}

func (s *stage) click(p fyne.Position, mod fyne.KeyModifier) {
	s.press(p, mod)
	s.view.MouseUp(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: p}, Button: desktop.MouseButtonPrimary, Modifier: mod})
}

func (s *stage) drag(from, to fyne.Position) {
	s.press(from, 0)
	s.view.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}})
	s.view.MouseUp(&desktop.MouseEvent{})
	s.view.DragEnd()
}

func (s *stage) selected(what, want string) {
	s.t.Helper()
	if got := s.view.Selected(); got != want {
		s.t.Errorf("%s: selected %q, want %q", what, got, want)
	}
}

func withTexts(t *testing.T, scale float32, texts ...string) *stage {
	t.Helper()
	s := newStage(t, theme.Dark, scale, panel, nil)
	for i, text := range texts {
		s.view.Append([]logline.Line{{Seq: int64(i + 1), Time: noon, Level: logline.Info, Source: logline.Restic, Text: text}})
	}
	s.paint()
	return s
}

func TestSelect(t *testing.T) {
	for _, scale := range []float32{1, 1.5, 2} {
		s := withTexts(t, scale, "new       /home/mira/a.txt  1.2 MiB", "second line", "文档 and more", "last")
		at := s.view.PointOf
		left := func(seq int64, col int) fyne.Position { return at(seq, col).SubtractXY(3, 0) }
		s.drag(left(1, 10), left(1, 15))
		s.selected("a drag", "/home")
		s.drag(left(2, 6), left(1, 28))
		s.selected("a drag upwards", "1.2 MiB\nsecond")
		s.drag(left(3, 2), left(3, 4))
		s.selected("a wide character", "档")
		s.drag(left(2, 3), at(4, 300))
		s.selected("beyond the line's end", "ond line\n文档 and more\nlast")
		s.click(at(2, 3), 0)
		s.selected("a click", "")
		s.click(left(1, 10), 0)
		s.click(left(3, 2), fyne.KeyModifierShift)
		s.selected("shift and click", "/home/mira/a.txt  1.2 MiB\nsecond line\n文")
		s.click(left(1, 26), fyne.KeyModifierShift)
		s.selected("shift and click again", "/home/mira/a.txt")
		s.click(at(4, 50), 0)
		s.click(at(1, 17), 0)
		s.click(at(1, 17), 0)
		s.selected("a double click", "/home/mira/a.txt")
		s.click(at(1, 17), 0)
		s.selected("a triple click", "2026-11-23 14:30:00.000 INFO  restic  new       /home/mira/a.txt  1.2 MiB")
		s.drag(at(4, -5), at(3, -5))
		s.selected("a drag in the gutter", "2026-11-23 14:30:00.000 INFO  restic  文档 and more\n2026-11-23 14:30:00.000 INFO  restic  last\n")
		s.view.Deselect()
		s.press(at(2, 8), 0)
		s.view.MouseUp(&desktop.MouseEvent{})
		s.press(at(2, 8), 0)
		s.view.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at(1, 29)}})
		s.selected("a double click and a drag", "1.2 MiB\nsecond line")
		s.view.DragEnd()
	}
}

func TestSelectionStays(t *testing.T) {
	s := painted(t, 5000, 100, nil)
	s.drag(s.view.PointOf(5090, 0).SubtractXY(3, 0), s.view.PointOf(5091, 300))
	want := s.view.Selected()
	s.view.Prepend(backupLines(4000, 1000), true)
	s.view.Append(backupLines(5100, 1000))
	s.view.SetWrap(true)
	s.view.SetLevel(logline.Error)
	s.view.SetLevel(logline.Debug)
	s.settle()
	s.selected("after all that", want)
	if !strings.Contains(want, "\n") {
		t.Fatalf("%q", want)
	}
}

func TestDragBeyondTheEdge(t *testing.T) {
	s := painted(t, 1, 5000, nil)
	s.view.SetLive(true)
	s.view.Reveal(2500)
	s.paint()
	first, _ := s.view.OnScreen()
	s.press(s.view.PointOf(first+5, 0), 0)
	s.view.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(400, -60)}})
	for range 10 {
		if !s.view.Dragging() {
			t.Fatal("it does not scroll on")
		}
		(<-s.posted)()
	}
	now, _ := s.view.OnScreen()
	if now > first-15 || !strings.Contains(s.view.Selected(), "\n") {
		t.Errorf("from line %d to %d", first, now)
	}
	s.view.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(400, 100)}})
	if s.view.Dragging() {
		t.Error("back inside it scrolls on")
	}
	s.view.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(400, panel.Height+100)}})
	s.view.Close()
	if s.view.Dragging() {
		t.Error("closed it scrolls on")
	}
}

func TestCopy(t *testing.T) {
	var told logview.Copied
	s := newStage(t, theme.Light, 1, panel, func(c *logview.Config) { c.OnCopied = func(x logview.Copied) { told = x } })
	s.view.Append(backupLines(1, 90_000))
	s.paint()
	s.view.Copy()
	if told != (logview.Copied{}) {
		t.Error("nothing selected is copied")
	}
	s.drag(s.view.PointOf(89_999, 0).SubtractXY(3, 0), s.view.PointOf(90_000, 3).SubtractXY(3, 0))
	s.view.TypedShortcut(&fyne.ShortcutCopy{})
	lines := backupLines(89_999, 2)
	if got, want := fyne.CurrentApp().Clipboard().Content(), lines[0].Text+"\n"+lines[1].Text[:3]; got != want || told != (logview.Copied{Lines: 2, Bytes: len(want)}) {
		t.Errorf("copied %q, want %q; told %+v", got, want, told)
	}
	s.view.TypedShortcut(&fyne.ShortcutSelectAll{})
	s.view.Copy()
	got := fyne.CurrentApp().Clipboard().Content()
	if !told.Cut || told.Lines < 50_000 || told.Bytes != len(got) || len(got) > 8<<20 || len(got) < 7<<20 || strings.Count(got, "\n") != told.Lines {
		t.Errorf("%d bytes, told %+v", len(got), told)
	}
	s.view.SetLevel(logline.Error)
	s.view.Copy()
	if told.Cut || told.Lines != int(s.view.Shown()) {
		t.Errorf("%d lines show, told %+v", s.view.Shown(), told)
	}
}
