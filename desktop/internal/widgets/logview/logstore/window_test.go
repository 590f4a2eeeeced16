package logstore_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

func filled(n int) (*logstore.Store, *logstore.Window) {
	s := logstore.New(logstore.DefaultLimits)
	s.Append(run(100_000, n, 0))
	w := &logstore.Window{Height: 500, RowH: 18}
	w.Settle(s)
	return s, w
}

// place is what a person sees at the top: the number of the line and the text that begins there.
func place(s *logstore.Store, w *logstore.Window) (seq, col int64, part float64) {
	return s.At(w.Top.ID).Seq, w.Top.Row * int64(s.Wrap()), w.Top.Part
}

func TestPlaceSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := filled(3000)
		if rapid.Bool().Draw(t, "wrapped") {
			s.SetWrap(40)
			w.Settle(s)
		}
		w.ScrollTo(s, rapid.Float64Range(0, w.Total(s)-w.Height-1000).Draw(t, "y"))
		if w.Follow {
			t.Fatal("it follows in the middle")
		}
		seq, col, part := place(s, w)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"older", "newer", "filter", "wrap", "height", "row"}).Draw(t, "step") {
			case "older":
				s.Prepend(run(s.FirstSeq()-700, 700, 0))
			case "newer":
				s.Append(run(s.LastSeq()+1, 700, 0))
			case "filter": // and back
				s.SetLevel(logline.Error)
				w.Settle(s)
				if id := w.Top.ID; !s.Shows(id) {
					t.Fatalf("the top is line %d, which is hidden", id)
				}
				s.SetLevel(logline.Debug)
			case "wrap":
				was := s.Wrap()
				s.SetWrap(rapid.SampledFrom([]int{0, 25, 77}).Draw(t, "cols"))
				w.Settle(s)
				if got, _, _ := place(s, w); got != seq {
					t.Fatalf("line %d is at the top of a log that wraps, want %d", got, seq)
				}
				s.SetWrap(was)
			case "height":
				w.Height = rapid.Float64Range(100, 900).Draw(t, "height")
			case "row":
				w.RowH = rapid.SampledFrom([]float64{18, 27, 36}).Draw(t, "row")
			}
			w.Settle(s)
			if a, b, c := place(s, w); a != seq || b != col || c != part {
				t.Fatalf("at line %d, column %d, part %v; want %d, %d, %v", a, b, c, seq, col, part)
			}
		}
	})
}

func TestFollow(t *testing.T) {
	s, w := filled(100)
	w.Follow = true
	w.Settle(s)
	if !w.AtEnd(s) {
		t.Fatal("it follows and is not at the end")
	}
	s.Append(run(s.LastSeq()+1, 5000, 0))
	w.Settle(s)
	if !w.AtEnd(s) {
		t.Fatal("it did not follow")
	}
	w.Scroll(s, -1)
	if w.Follow || w.AtEnd(s) {
		t.Fatal("one pixel up does not detach")
	}
	w.Scroll(s, 1)
	if !w.Follow {
		t.Fatal("back at the end it does not follow")
	}
	w.Scroll(s, -5)
	y := w.Y(s)
	s.Append(run(s.LastSeq()+1, 10, 0))
	w.Settle(s)
	if w.Follow || w.Y(s) != y {
		t.Errorf("it moved from %v to %v while the person reads", y, w.Y(s))
	}
}

func TestReveal(t *testing.T) {
	s, w := filled(3000)
	w.Reveal(s, logstore.Pos{ID: 2000})
	if got := 2000 - w.Top.ID; got != 9 || w.Follow {
		t.Errorf("line 2000 is %d lines below the top", got)
	}
	at := w.Top
	w.Reveal(s, logstore.Pos{ID: 2010})
	if w.Top != at {
		t.Error("it moved for a line that shows")
	}
	w.Reveal(s, logstore.Pos{ID: 2999})
	if !w.AtEnd(s) || w.Follow {
		t.Error("the last line does not show, or it follows")
	}
	w.Reveal(s, logstore.Pos{ID: 0})
	if w.Y(s) != 0 {
		t.Error("the first line is not at the top")
	}
}

// Small steps add up: a million lines down, a pixel at a time would take long, so thirds of a row.
func TestScrollIsExact(t *testing.T) {
	s, w := filled(200_000)
	w.ScrollTo(s, 190_000*18)
	for range 300 {
		w.Scroll(s, 6)
	}
	if w.Top.ID != 190_100 || w.Top.Part != 0 {
		t.Errorf("at line %d, part %v", w.Top.ID, w.Top.Part)
	}
	w.ScrollTo(s, -5)
	if w.Top.ID != 0 || w.Top.Part != 0 || w.Follow {
		t.Errorf("at line %d, part %v", w.Top.ID, w.Top.Part)
	}
}

func TestEmpty(t *testing.T) {
	s := logstore.New(logstore.DefaultLimits)
	w := &logstore.Window{Height: 500, RowH: 18, Follow: true}
	w.Settle(s)
	w.Scroll(s, 100)
	s.Append(run(1, 10, 0))
	s.SetLevel(logline.Error)
	w.Settle(s)
	s.SetLevel(logline.Debug)
	w.Settle(s)
	if w.Y(s) != 0 || w.Total(s) != 180 {
		t.Errorf("at %v of %v", w.Y(s), w.Total(s))
	}
	s.Reset()
	w.Settle(s)
	if s.Rows() != 0 {
		t.Error("rows after a reset")
	}
}
