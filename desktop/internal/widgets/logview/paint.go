package logview

import (
	"image"
	"math"
	"strconv"
	"time"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

// generate is the raster's painter. The picture is used again, Fyne copies it at once.
func (v *View) generate(w, h int) image.Image {
	if v.img == nil || v.img.Rect.Dx() != w || v.img.Rect.Dy() != h {
		v.img = image.NewRGBA(image.Rect(0, 0, w, h))
	}
	if w == 0 || h == 0 {
		return v.img
	}
	if v.recolour {
		v.colours, v.recolour = readPalette(), false
	}
	if v.closed {
		fill(v.img, 0, 0, w, h, v.colours.ground)
		return v.img
	}
	v.measure(w, h)
	v.win.Settle(v.store)
	fill(v.img, 0, 0, w, h, v.colours.ground)
	v.paintRows()
	v.paintBars()
	if v.cfg.Corner > 0 {
		round(v.img, float64(v.cfg.Corner)*v.geo.scale)
	}
	return v.img
}

func (v *View) paintRows() {
	if v.store.Rows() == 0 {
		return
	}
	p, y := v.win.Top.Pos, -int(math.Round(v.win.Top.Part*v.win.RowH))
	for ok := true; ok && y < v.geo.h; p.ID, ok = v.store.Next(p.ID) {
		l, rows := v.store.At(p.ID), v.store.RowsOf(p.ID)
		for ; p.Row < rows && y < v.geo.h; p.Row++ {
			v.paintRow(p, &l, y)
			y += v.atlas.rowH
		}
		p.Row = 0
	}
}

func (v *View) paintRow(p logstore.Pos, l *logstore.Line, y int) {
	c, g, rowH := &v.colours, &v.geo, v.atlas.rowH
	whole := v.sel.whole(p.ID)
	if whole {
		fill(v.img, 0, y, g.barX, y+rowH, c.selected)
	} else if c.marked[l.Level] {
		fill(v.img, 0, y, g.w, y+rowH, c.row[l.Level])
	}
	if c.marked[l.Level] {
		fill(v.img, g.dip(2), y, g.dip(4), y+rowH, c.edge[l.Level])
	}
	if p.Row == 0 {
		v.paintGutter(l, y)
	}
	v.paintText(p, l, y, whole)
}

// paintGutter writes what stands before the text.
func (v *View) paintGutter(l *logstore.Line, y int) {
	c, g, cell := &v.colours, &v.geo, v.atlas.cellW
	buf := strconv.AppendInt(v.buf[:0], l.Seq, 10)
	v.write(buf, g.timeX-(len(buf)+1)*cell, y, regular, c.number)
	buf = time.UnixMilli(l.MS).In(v.cfg.Location).AppendFormat(buf[:0], "15:04:05.000")
	v.write(buf, g.timeX, y, regular, c.time)
	word, weight := c.word[l.Level], regular
	if l.Good {
		word = c.good
	}
	if c.marked[l.Level] {
		weight = bold
	}
	buf = append(buf[:0], levelWords[l.Level]...)
	v.write(buf, g.levelX, y, weight, word)
	buf = append(buf[:0], l.Source...)
	v.write(buf[:min(len(buf), sourceCols)], g.sourceX, y, regular, c.source)
	v.buf = buf
}

// levelWords are technical words, the same in every language, as in the logs of other programs.
var levelWords = [levels]string{logline.Debug: "DEBUG", logline.Info: "INFO", logline.Warn: "WARN", logline.Error: "ERROR"}

// write paints ASCII text.
func (v *View) write(text []byte, x, y, weight int, c rgb) {
	for _, b := range text {
		if g := v.atlas.char(weight, b); g != nil {
			g.draw(v.img, x, y, 0, v.geo.barX, c)
		}
		x += v.atlas.cellW
	}
}

// strip is the part of a line's text that one row shows.
type strip struct {
	id       logstore.ID
	line     *logstore.Line
	from, to int // columns
	x, y     int // of column from
	cells    []logstore.Cell
}

// paintText writes the part of the text that is in row p.
func (v *View) paintText(p logstore.Pos, l *logstore.Line, y int, whole bool) {
	g, cell := &v.geo, v.atlas.cellW
	s := strip{id: p.ID, line: l, x: g.textX, y: y}
	if wrap := v.store.Wrap(); wrap > 0 {
		s.from = int(p.Row) * wrap
		s.to = min(s.from+wrap, l.Cols)
	} else {
		s.from = v.shift / cell
		s.x -= v.shift % cell
		s.to = min(s.from+(g.textEnd-s.x)/cell+1, l.Cols)
	}
	if s.from > s.to || s.from == l.Cols && l.Cols > 0 && !whole {
		return
	}
	if !l.ASCII {
		s.cells = v.cellsBetween(&s)
	}
	if !whole {
		v.paintSelection(&s)
	}
	v.paintHits(&s)
	colour := v.colours.text[l.Level]
	if whole && l.Level == logline.Debug {
		colour = v.colours.picked
	}
	if l.ASCII {
		for i := s.from; i < s.to; i++ {
			if ch := v.atlas.char(regular, l.Text[i]); ch != nil {
				ch.draw(v.img, s.x+(i-s.from)*cell, y, g.textX, g.textEnd, v.over(colour, i))
			}
		}
		return
	}
	edge := g.textEnd
	if v.store.Wrap() > 0 {
		edge += cell // a wide character may hang over
	}
	for _, c := range s.cells {
		if c.Size == 1 && l.Text[c.Off] <= '~' {
			if ch := v.atlas.char(regular, l.Text[c.Off]); ch != nil {
				ch.draw(v.img, s.x+(c.Col-s.from)*cell, y, g.textX, edge, v.over(colour, c.Off))
			}
			continue
		}
		ch := v.atlas.cluster(regular, l.Text[c.Off:c.Off+c.Size], c.Cols)
		ch.draw(v.img, s.x+(c.Col-s.from)*cell, y, g.textX, edge, v.over(colour, c.Off))
	}
}
