package logview

import (
	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

// track is where the scroll bar's thumb moves.
type track struct {
	top, height  int
	thumbY, size int // of the thumb
	room         float64
}

// track measures the scroll bar, and is false when everything shows.
func (v *View) track() (track, bool) {
	t := track{top: v.geo.dip(2), height: v.geo.h - v.geo.dip(4)}
	total := v.win.Total(v.store)
	if total <= v.win.Height || t.height <= 0 {
		return t, false
	}
	t.size = min(max(int(float64(t.height)*v.win.Height/total), v.geo.dip(28)), t.height)
	t.room = total - v.win.Height
	t.thumbY = t.top + int(float64(t.height-t.size)*v.win.Y(v.store)/t.room+0.5)
	return t, true
}

// sideways is the thumb of the bar at the bottom, for lines that do not wrap.
func (v *View) sideways() (x0, x1, y0, y1 int, ok bool) {
	wide := v.maxShift()
	if wide == 0 {
		return 0, 0, 0, 0, false
	}
	room := v.geo.textEnd - v.geo.textX
	size := max(room*room/(room+wide), v.geo.dip(28))
	x0 = v.geo.textX + (room-size)*v.shift/wide
	return x0, x0 + size, v.geo.h - v.geo.dip(8), v.geo.h - v.geo.dip(2), true
}

func (v *View) paintBars() {
	t, moves := v.track()
	if moves {
		fill(v.img, v.geo.barX, t.top, v.geo.barEnd, t.top+t.height, v.colours.track)
		part := uint32(0x40)
		if v.mouse.over == onBar || v.mouse.down == onBar {
			part = 0x78
		}
		bar(v.img, v.geo.barX, t.thumbY, v.geo.barEnd, t.thumbY+t.size, v.colours.thumb, part)
	}
	v.paintMarks(t, moves)
	if x0, x1, y0, y1, ok := v.sideways(); ok && (v.mouse.inside || v.mouse.down == onSideways) {
		part := uint32(0x60)
		if v.mouse.over == onSideways || v.mouse.down == onSideways {
			part = 0xa0
		}
		blend(v.img, x0, y0, x1, y1, v.colours.thumb, part)
	}
	if v.mouse.ring {
		c, n := mix(v.colours.ground, v.colours.hot, 0.5), v.geo.dip(2)
		fill(v.img, 0, 0, v.geo.w, n, c)
		fill(v.img, 0, v.geo.h-n, v.geo.w, v.geo.h, c)
		fill(v.img, 0, 0, n, v.geo.h, c)
		fill(v.img, v.geo.w-n, 0, v.geo.w, v.geo.h, c)
	}
}

// paintMarks shows where errors, warnings and hits are, over the height of the bar, or of the rows when they do not fill it.
func (v *View) paintMarks(t track, moves bool) {
	step := max(v.geo.dip(2), 1)
	height := t.height
	if !moves {
		height = min(int(v.win.Total(v.store)), height)
	}
	n := height / step
	if n <= 0 {
		return
	}
	if cap(v.marks) < n {
		v.marks = make([]logstore.Mark, n)
	}
	v.marks = v.marks[:n]
	v.store.Marks(v.marks, v.search.hits)
	x0, x1 := v.geo.barX, v.geo.barEnd
	for i, m := range v.marks {
		y := t.top + i*step
		switch {
		case m&logstore.MarkError != 0:
			fill(v.img, x0, y, x1, y+step, v.colours.err)
		case m&logstore.MarkWarn != 0:
			fill(v.img, x0+v.geo.dip(2), y, x1, y+step, v.colours.warn)
		}
		if m&logstore.MarkHit != 0 {
			fill(v.img, x0, y, x0+v.geo.dip(5), y+step, v.colours.hot)
		}
	}
}
