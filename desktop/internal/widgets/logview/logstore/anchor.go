package logstore

import "math"

// Anchor is the place at the top of a window on the log.
type Anchor struct {
	Pos
	Part float64 // of that row which is above the top, 0 ≤ Part < 1
}

// Window is what of a Store is looked at: from where, how much, and whether it stays at the end. Heights are in any unit, such as
// pixels. After each change of the store or of the window's own fields, Settle says where it is now.
type Window struct {
	Top    Anchor  // set by Settle and by every move
	Follow bool    // stay at the end
	Height float64 // of the window
	RowH   float64 // of one row

	// The place that was last chosen. Top follows from it, so that a person who filters, wraps or makes the window larger, and
	// takes that back, is where he was.
	chosen ID
	col    int64 // columns of the chosen line that are above
	part   float64
}

// Settle puts the window where it can be: at the end when it follows, else at its place, or what shows nearest to it.
func (w *Window) Settle(s *Store) {
	if w.Follow {
		w.place(s, w.bottom(s))
		w.choose(s)
		return
	}
	w.Top = Anchor{Pos: Pos{ID: w.chosen}, Part: w.part}
	if s.Shows(w.chosen) {
		if wrap := int64(s.Wrap()); wrap > 0 {
			w.Top.Row = min(w.col/wrap, s.RowsOf(w.chosen)-1)
		}
	} else if id, ok := s.Near(w.chosen); ok {
		w.Top = Anchor{Pos: Pos{ID: id}}
	} else {
		return
	}
	if end := w.bottom(s); w.Y(s) > end {
		w.place(s, end)
	}
}

// choose makes the place where the window is the chosen one.
func (w *Window) choose(s *Store) {
	w.chosen, w.col, w.part = w.Top.ID, w.Top.Row*int64(s.Wrap()), w.Top.Part
}

// bottom is the greatest Y.
func (w *Window) bottom(s *Store) float64 { return max(0, w.Total(s)-w.Height) }

// place puts the top to y, which is in range. A float64 counts the pixels of a million lines exactly.
func (w *Window) place(s *Store, y float64) {
	rows := math.Floor(y/w.RowH + 1e-9)
	if p, ok := s.RowAt(int64(rows)); ok {
		w.Top = Anchor{Pos: p, Part: min(max(y/w.RowH-rows, 0), 1-1e-9)}
	}
}

// Scroll moves the window by dy, downwards when positive. Whoever scrolls up stops following, whoever arrives at the end follows.
func (w *Window) Scroll(s *Store, dy float64) { w.ScrollTo(s, w.Y(s)+dy) }

// ScrollTo moves the window's top to y, as far as there is anything.
func (w *Window) ScrollTo(s *Store, y float64) {
	end := w.bottom(s)
	w.Follow = y >= end-0.5
	w.place(s, min(max(y, 0), end))
	w.choose(s)
}

// Y is the distance of the window's top from the first row, Total the height of all rows.
func (w *Window) Y(s *Store) float64 { return (float64(s.RowsAbove(w.Top.Pos)) + w.Top.Part) * w.RowH }

// Total is the height of all rows.
func (w *Window) Total(s *Store) float64 { return float64(s.Rows()) * w.RowH }

// AtEnd tells whether the last row shows.
func (w *Window) AtEnd(s *Store) bool { return w.Y(s) >= w.bottom(s)-0.5 }

// Reveal moves the window so that row p shows, a third from the top unless it shows already. It stops following.
func (w *Window) Reveal(s *Store, p Pos) {
	y, top := float64(s.RowsAbove(p))*w.RowH, w.Y(s)
	w.Follow = false
	if y < top || y+w.RowH > top+w.Height {
		w.place(s, min(max(y-math.Floor(w.Height/3/w.RowH)*w.RowH, 0), w.bottom(s)))
	}
	w.choose(s)
}
