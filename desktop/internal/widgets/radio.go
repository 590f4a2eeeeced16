package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Radio is a choice of few, below each other.
type Radio struct {
	choice
	rows []*radioRow
}

// radioRow is one of them as it is drawn.
type radioRow struct {
	outer, inner *canvas.Circle
	ring         *canvas.Circle
}

const radioHeight = 28

// NewRadio makes the choice with one option chosen.
func NewRadio(options []string, selected int, onChange func(int)) *Radio {
	r := &Radio{}
	r.selected, r.onChange = selected, onChange
	for i, text := range options {
		o := newChoiceOption(text, Body, func() { r.choose(i) })
		o.label.text.Alignment = fyne.TextAlignLeading
		o.layout = func(s fyne.Size) {
			o.label.Move(fyne.NewPos(boxSize+9, 0))
			o.label.Resize(s.SubtractWidthHeight(boxSize+9, 0))
		}
		o.changed = r.repaint
		row := &radioRow{outer: &canvas.Circle{StrokeWidth: 1.5}, inner: &canvas.Circle{}, ring: &canvas.Circle{StrokeWidth: 2}}
		r.options, r.rows = append(r.options, o), append(r.rows, row)
		r.objects = append(r.objects, row.outer, row.inner, row.ring, o)
	}
	r.layout = r.lay
	r.min = func() fyne.Size {
		var width float32
		for _, o := range r.options {
			width = max(width, o.label.NaturalSize().Width)
		}
		return fyne.NewSize(boxSize+10+width, radioHeight*float32(len(r.options)))
	}
	r.paint = r.repaint
	r.painted = func() { r.repaint(); r.Refresh() }
	r.be(r)
	r.repaint()
	return r
}

func (r *Radio) lay(s fyne.Size) {
	for i, o := range r.options {
		y := float32(i) * radioHeight
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(s.Width, radioHeight))
		at := fyne.NewPos(0, y+(radioHeight-boxSize)/2)
		place(r.rows[i].outer, at, boxSize)
		place(r.rows[i].inner, at.AddXY(5, 5), boxSize-10)
		place(r.rows[i].ring, at.SubtractXY(2, 2), boxSize+4)
	}
}

func place(o fyne.CanvasObject, at fyne.Position, size float32) {
	o.Move(at)
	o.Resize(fyne.NewSquareSize(size))
}

func (r *Radio) repaint() {
	for i, row := range r.rows {
		chosen := i == r.selected
		row.outer.FillColor, row.outer.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.BorderStrong)
		switch {
		case chosen:
			row.outer.FillColor, row.outer.StrokeColor = theme.Color(theme.Accent), theme.Color(theme.Accent)
		case r.options[i].hovered:
			row.outer.StrokeColor = theme.Color(theme.Text3)
		}
		row.inner.FillColor, row.inner.Hidden = theme.Color(theme.OnAccent), !chosen
		row.ring.FillColor, row.ring.StrokeColor = theme.Color(theme.Transparent), theme.Color(theme.FocusRing)
		row.ring.Hidden = !chosen || !r.focused
		row.outer.Refresh()
	}
}
