package logview_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
)

// painted is a stage with lines from … on it.
func painted(t *testing.T, seq int64, n int, change func(*logview.Config)) *stage {
	t.Helper()
	s := newStage(t, theme.Light, 1, panel, change)
	s.view.Append(backupLines(seq, n))
	s.paint()
	return s
}

// settle runs what is posted until no repaint waits.
func (s *stage) settle() {
	for s.view.Waiting() {
		(<-s.posted)()
	}
	s.paint()
}

func (s *stage) wheel(rows float32) {
	for ; rows > 0; rows -= 3 {
		s.view.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 10)})
	}
	for ; rows < 0; rows += 3 {
		s.view.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -10)})
	}
	s.paint()
}

func (s *stage) key(name fyne.KeyName) {
	s.view.TypedKey(&fyne.KeyEvent{Name: name})
	s.paint()
}

// onScreen asserts the numbers of the first and last line that show; 0 does not care.
func (s *stage) onScreen(what string, first, last int64) {
	s.t.Helper()
	a, b := s.view.OnScreen()
	if first != 0 && a != first || last != 0 && b != last {
		s.t.Errorf("%s: lines %d to %d show, want %d to %d", what, a, b, first, last)
	}
}

func TestFollow(t *testing.T) {
	var told []bool
	s := painted(t, 1, 1000, func(c *logview.Config) { c.OnFollow = func(on bool) { told = append(told, on) } })
	s.view.SetLive(true)
	s.onScreen("at first", 0, 1000)
	s.view.Append(backupLines(1001, 500))
	s.settle()
	s.onScreen("after new lines", 0, 1500)
	if s.view.PillText() != "" {
		t.Error("the button shows at the end")
	}
	s.wheel(3)
	s.settle()
	if s.view.Following() || s.view.PillText() != "Follow · 0 new" {
		t.Errorf("after a notch up: following %v, button %q", s.view.Following(), s.view.PillText())
	}
	first, last := s.view.OnScreen()
	s.view.Append(backupLines(1501, 128))
	s.settle()
	s.onScreen("while away", first, last)
	if s.view.PillText() != "Follow · 128 new" {
		t.Errorf("button %q", s.view.PillText())
	}
	s.view.SetLevel(logline.Error)
	s.settle()
	if s.view.PillText() == "Follow · 128 new" {
		t.Error("the button counts lines that are hidden")
	}
	s.view.SetLevel(logline.Debug)
	s.view.TapPill()
	s.settle()
	s.onScreen("after the button", 0, 1628)
	if !s.view.Following() || s.view.PillText() != "" {
		t.Error("the button did not bring it to the end")
	}
	s.wheel(9)
	s.wheel(-9)
	if !s.view.Following() {
		t.Error("scrolled back to the end, it does not follow")
	}
	if want := []bool{false, true, false, true}; len(told) != len(want) || told[0] || !told[1] {
		t.Errorf("told %v", told)
	}
	s.view.SetLive(false)
	s.wheel(9)
	s.settle()
	if s.view.PillText() != "" {
		t.Error("the button shows for a log that ended, with nothing new")
	}
}

func TestRepaintsAreBounded(t *testing.T) {
	s := painted(t, 1, 10, nil)
	synctest.Test(t, func(t *testing.T) {
		posted := make(chan func(), 10)
		view := logview.New(config(posted))
		window := test.NewWindow(view)
		defer window.Close()
		window.Resize(fyne.NewSize(400, 300))
		was := view.Repaints()
		for end := time.Now().Add(time.Second); time.Now().Before(end); {
			select {
			case f := <-posted:
				f()
			case <-time.After(3 * time.Millisecond):
				view.Append(backupLines(view.LastSeq()+1, 15))
			}
		}
		if n := view.Repaints() - was; n < 15 || n > 21 {
			t.Errorf("%d repaints in a second of %d lines", n, view.LastSeq())
		}
		view.Close()
	})
	s.view.SetLevel(logline.Debug)
	s.view.SetWrap(false)
	s.view.SetLive(false)
	s.view.Search("")
	s.view.Deselect()
	s.view.Append(nil)
	if s.view.Waiting() {
		t.Error("setters that change nothing repaint")
	}
}

func TestOlderLines(t *testing.T) {
	var asked []int64
	s := painted(t, 5001, 1000, func(c *logview.Config) { c.OnOlder = func(before int64) { asked = append(asked, before) } })
	s.wheel(300)
	if len(asked) > 0 {
		t.Fatalf("asked at line 5700: %v", asked)
	}
	s.key(fyne.KeyHome)
	s.key(fyne.KeyDown)
	s.wheel(-6)
	if len(asked) != 1 || asked[0] != 5001 {
		t.Fatalf("asked for lines before %v", asked)
	}
	first, last := s.view.OnScreen()
	s.view.Prepend(backupLines(1, 5000), false)
	s.settle()
	s.onScreen("with older lines", first, last)
	s.key(fyne.KeyHome)
	s.onScreen("at the start", 1, 0)
	if len(asked) != 1 {
		t.Errorf("asked again: %v", asked)
	}
}

// A view that shows few lines asks for older ones by itself, until it is full: it never drops the newest for that.
func TestFewLinesShow(t *testing.T) {
	var s *stage
	asked := 0
	s = newStage(t, theme.Light, 1, panel, func(c *logview.Config) {
		c.Limits.Lines = 3000
		c.OnOlder = func(before int64) {
			asked++
			s.view.Prepend(backupLines(before-500, 500), true)
		}
	})
	s.view.Append(backupLines(9_001, 20))
	s.paint()
	(<-s.posted)()
	s.settle()
	if asked != 1 {
		t.Errorf("asked %d times by a view that is larger than the log's end", asked)
	}
	s.view.SetLevel(logline.Error)
	s.settle()
	if s.view.LastSeq() != 9020 || s.view.Lines() < 2500 {
		t.Errorf("%d lines held, the last is %d", s.view.Lines(), s.view.LastSeq())
	}
	if n := asked; n < 5 || n > 7 {
		t.Errorf("asked %d times", n)
	}
}

func TestMoreThanTheLimit(t *testing.T) {
	newer, tail := int64(0), false
	s := painted(t, 5001, 2000, func(c *logview.Config) {
		c.Limits.Lines = 3000
		c.OnNewer = func(after int64) { newer = after }
		c.OnTail = func() { tail = true }
	})
	s.view.SetLive(true)
	s.key(fyne.KeyHome)
	s.view.Prepend(backupLines(3001, 2000), true)
	s.settle()
	s.onScreen("with more than it holds", 5001, 0)
	if s.view.Lines() != 3000 || s.view.LastSeq() != 6000 {
		t.Fatalf("%d lines held, the last is %d", s.view.Lines(), s.view.LastSeq())
	}
	s.view.Append(backupLines(7001, 10))
	s.settle()
	if s.view.PillText() != "Follow · 10 new" {
		t.Errorf("button %q", s.view.PillText())
	}
	s.view.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -18*970)})
	if newer != 6000 {
		t.Errorf("asked for lines after %d", newer)
	}
	s.view.Continue(backupLines(6001, 1005), false) // the rest came meanwhile
	s.view.Continue(backupLines(7006, 5), false)
	s.view.Append(backupLines(7011, 1))
	s.settle()
	if s.view.LastSeq() != 7011 {
		t.Errorf("the last line is %d", s.view.LastSeq())
	}
	s.key(fyne.KeyHome)
	s.view.Prepend(backupLines(2001, 2000), true)
	s.key(fyne.KeyEnd)
	if !tail {
		t.Fatal("the end was not asked for")
	}
	s.view.Reset()
	s.view.Append(backupLines(6500, 600))
	s.settle()
	s.onScreen("at the end again", 0, 7099)
	if !s.view.Following() {
		t.Error("it does not follow after a reset")
	}
}

func TestKeysAndLevels(t *testing.T) {
	found, escaped := 0, 0
	s := painted(t, 1, 5000, func(c *logview.Config) {
		c.OnFind = func() { found++ }
		c.OnEscape = func() { escaped++ }
	})
	s.key(fyne.KeyHome)
	s.onScreen("Home", 1, 29)
	s.key(fyne.KeyDown)
	s.onScreen("Down", 2, 30)
	s.key(fyne.KeyPageDown)
	s.onScreen("PgDn", 29, 0)
	s.key(fyne.KeyPageUp)
	s.key(fyne.KeyUp)
	s.onScreen("Up", 1, 29)
	s.key(fyne.KeyRight)
	if s.view.Shift() != 8 {
		t.Errorf("shift %d", s.view.Shift())
	}
	s.key(fyne.KeyLeft)
	s.key(fyne.KeyLeft)
	if s.view.Shift() != 0 {
		t.Errorf("shift %d", s.view.Shift())
	}
	s.key(fyne.KeyEnd)
	s.onScreen("End", 0, 5000)
	ctrl := func(k fyne.KeyName) {
		s.view.TypedShortcut(&desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault})
	}
	ctrl(fyne.KeyHome)
	s.onScreen("Ctrl Home", 1, 0)
	ctrl(fyne.KeyF)
	s.view.TypedShortcut(&fyne.ShortcutSelectAll{})
	s.key(fyne.KeyEscape)
	if s.view.HasSelection() || escaped != 0 {
		t.Error("Escape does not drop the selection first")
	}
	s.key(fyne.KeyEscape)
	if found != 1 || escaped != 1 {
		t.Errorf("find %d, escape %d", found, escaped)
	}
	s.view.Reveal(2500)
	s.paint()
	first, _ := s.view.OnScreen()
	for _, l := range []logline.Level{logline.Info, logline.Warn, logline.Error} {
		s.view.SetLevel(l)
		s.settle()
		for _, line := range backupLines(first, 1) {
			if a, _ := s.view.OnScreen(); line.Level >= l && a != first {
				t.Errorf("level %d: line %d is at the top, want %d", l, a, first)
			}
		}
	}
	s.view.SetLevel(logline.Debug)
	s.settle()
	s.onScreen("all levels again", first, 0)
	s.view.SetWrap(true)
	s.settle()
	s.onScreen("wrapped", first, 0)
	if !s.view.Wrapped() {
		t.Error("not wrapped")
	}
}

// A key that is not the log's is the window's.
func TestOtherKeysGoOn(t *testing.T) {
	s := painted(t, 1, 10, nil)
	window := test.NewWindow(s.view)
	defer window.Close()
	var got []fyne.KeyName
	window.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { got = append(got, e.Name) })
	for _, k := range []fyne.KeyName{fyne.KeyUp, fyne.KeyF5, fyne.KeyEscape, fyne.KeyEnd} {
		s.key(k)
	}
	if !slices.Equal(got, []fyne.KeyName{fyne.KeyF5, fyne.KeyEscape}) {
		t.Errorf("the window got %v", got)
	}
}

func TestScrollBar(t *testing.T) {
	s := painted(t, 1, 10_000, nil)
	down := func(p fyne.Position) {
		s.view.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: p}, Button: desktop.MouseButtonPrimary})
	}
	down(s.view.Bar(0.5))
	s.paint()
	if first, _ := s.view.OnScreen(); first < 4900 || first > 5100 {
		t.Errorf("a press in the middle of the bar shows line %d", first)
	}
	s.view.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: s.view.Bar(-1)}})
	s.paint()
	s.onScreen("dragged to the top", 1, 0)
	s.view.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: s.view.Bar(1.5)}})
	s.view.DragEnd()
	s.paint()
	s.onScreen("dragged to the end", 0, 10_000)
	if !s.view.Following() || s.view.HasSelection() {
		t.Error("at the end it does not follow, or something is selected")
	}
}

// Colours and sizes are read anew when the theme or the screen is another.
func TestThemeAndScale(t *testing.T) {
	s := painted(t, 1, 100, nil)
	light := s.picture("").At(0, 0)
	fyne.CurrentApp().Settings().SetTheme(theme.New(theme.Dark, theme.Comfortable))
	s.view.Refresh()
	if dark := s.picture("").At(0, 0); dark == light {
		t.Error("the ground is the same in the dark")
	}
	first, last := s.view.OnScreen()
	for _, scale := range []float32{2, 1.5, 1.25, 1} {
		s.canvas.SetScale(scale)
		s.view.Refresh()
		s.paint()
		if a, b := s.view.OnScreen(); a < first-1 || a > first+1 || b != last {
			t.Errorf("at scale %v lines %d to %d show, want %d to %d", scale, a, b, first, last)
		}
	}
	s.canvas.Resize(fyne.NewSize(10, 10))
	s.paint()
	s.canvas.Resize(fyne.NewSize(400, 200))
	s.paint()
	s.onScreen("made smaller", 0, 100)
}

func TestCloseTwice(t *testing.T) {
	s := painted(t, 1, 100, nil)
	s.view.Append(backupLines(101, 10))
	s.view.Close()
	s.view.Close()
	s.view.Append(backupLines(111, 10))
	s.view.Search("x")
	s.key(fyne.KeyPageUp)
	s.click(fyne.NewPos(300, 100), 0)
	s.wheel(3)
	s.view.SetWrap(true)
	s.view.SelectAll()
	s.view.Refresh()
	s.paint()
	if s.view.Lines() != 0 || s.view.Waiting() {
		t.Error("a closed view goes on")
	}
}
