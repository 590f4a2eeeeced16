package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Select is a choice of many: a field that opens a list.
type Select struct {
	press
	options     []string
	selected    int
	placeholder string
	onChange    func(int)
	bg          *canvas.Rectangle
	label       *Label
	arrow       *Icon
	ring        ring
}

// NewSelect makes the field with one option chosen, or the placeholder for -1.
func NewSelect(placeholder string, options []string, selected int, onChange func(int)) *Select {
	s := &Select{options: options, selected: selected, placeholder: placeholder, onChange: onChange,
		bg: canvas.NewRectangle(theme.Color(theme.Surface)), label: NewLabel("", Body), arrow: NewIcon(icons.ChevronDown, theme.Text2, 14), ring: newRing(theme.RadiusControl)}
	s.onTap = s.open
	s.bg.CornerRadius, s.bg.StrokeWidth = theme.RadiusControl, theme.Hairline
	s.objects = []fyne.CanvasObject{s.bg, s.label, s.arrow, s.ring.rect}
	s.layout = func(size fyne.Size) {
		frame(s.bg, size)
		s.ring.layout(size)
		s.label.Move(fyne.NewPos(9, 0))
		s.label.Resize(fyne.NewSize(max(size.Width-9-30, 0), size.Height))
		s.arrow.Move(fyne.NewPos(size.Width-25, 0))
		s.arrow.Resize(fyne.NewSize(14, size.Height))
	}
	s.min = func() fyne.Size { return fyne.NewSize(80, theme.ControlH) }
	s.paint = s.repaint
	s.changed = func() { s.repaint(); s.Refresh() }
	s.be(s)
	s.write()
	s.repaint()
	return s
}

// NaturalSize is wide enough for the longest option.
func (s *Select) NaturalSize() fyne.Size {
	width := s.label.face.measure(s.placeholder).Width
	for _, o := range s.options {
		width = max(width, s.label.face.measure(o).Width)
	}
	return fyne.NewSize(min(max(width+44, 120), 360), theme.ControlH)
}

// Selected is the place of the chosen option, -1 for none.
func (s *Select) Selected() int { return s.selected }

// Select chooses without telling.
func (s *Select) Select(i int) {
	if i == s.selected || i < -1 || i >= len(s.options) {
		return
	}
	s.selected = i
	s.write()
}

// SetOptions offers others, with one chosen or -1.
func (s *Select) SetOptions(options []string, selected int) {
	if selected == s.selected && equal(options, s.options) {
		return
	}
	s.options, s.selected = options, selected
	s.write()
	s.grew()
}

// SetEnabled lets people choose or not.
func (s *Select) SetEnabled(enabled bool) { s.setDisabled(!enabled) }

// TypedKey implements fyne.Focusable: the down arrow opens the list too.
func (s *Select) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyDown {
		s.fire()
		return
	}
	s.press.TypedKey(e)
}

func (s *Select) open() {
	items := make([]MenuItem, len(s.options))
	for i, o := range s.options {
		items[i] = MenuItem{Label: o, Checked: i == s.selected, OnTap: func() {
			if i != s.selected {
				s.Select(i)
				if s.onChange != nil {
					s.onChange(i)
				}
			}
		}}
	}
	showMenu(s, items, s.selected, nil)
}

func (s *Select) write() {
	if s.selected < 0 || s.selected >= len(s.options) {
		s.label.Set(s.placeholder)
		s.label.SetColor(theme.Text3)
		return
	}
	s.label.Set(s.options[s.selected])
	s.label.SetColor(theme.Text)
}

func (s *Select) repaint() {
	s.bg.FillColor, s.bg.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.BorderStrong)
	if s.hovered && !s.disabled || s.disabled {
		s.bg.FillColor = theme.Color(theme.Raised)
	}
	s.ring.show(s.focused)
}

// Checkbox is yes or no.
type Checkbox struct {
	press
	checked  bool
	onChange func(bool)
	box      *canvas.Rectangle
	check    *Icon
	label    *Label
	ring     ring
}

const boxSize = 16

// NewCheckbox makes a checkbox with what it says beside it.
func NewCheckbox(label string, checked bool, onChange func(bool)) *Checkbox {
	c := &Checkbox{checked: checked, onChange: onChange, box: canvas.NewRectangle(theme.Color(theme.Surface)), check: NewIcon(icons.Check, theme.OnAccent, 12),
		label: NewLabel(label, Body), ring: newRing(4)}
	c.onTap = func() {
		c.SetChecked(!c.checked)
		if c.onChange != nil {
			c.onChange(c.checked)
		}
	}
	c.box.CornerRadius = 4
	c.objects = []fyne.CanvasObject{c.box, c.check, c.label, c.ring.rect}
	c.layout = func(s fyne.Size) {
		at := fyne.NewPos(0, (s.Height-boxSize)/2)
		c.box.Move(at)
		c.box.Resize(fyne.NewSquareSize(boxSize))
		c.check.Move(at)
		c.check.Resize(fyne.NewSquareSize(boxSize))
		c.ring.rect.Move(at.SubtractXY(2, 2))
		c.ring.rect.Resize(fyne.NewSquareSize(boxSize + 4))
		c.label.Move(fyne.NewPos(boxSize+9, 0))
		c.label.Resize(fyne.NewSize(max(s.Width-boxSize-9, 0), s.Height))
	}
	c.min = func() fyne.Size { return fyne.NewSize(boxSize+9+c.label.MinSize().Width, 24) }
	c.paint = c.repaint
	c.changed = func() { c.repaint(); c.Refresh() }
	c.be(c)
	c.repaint()
	return c
}

// NaturalSize is the box's and the label's.
func (c *Checkbox) NaturalSize() fyne.Size {
	return fyne.NewSize(boxSize+9+c.label.NaturalSize().Width+1, 24)
}

// Checked tells yes or no.
func (c *Checkbox) Checked() bool { return c.checked }

// SetChecked says yes or no without telling.
func (c *Checkbox) SetChecked(checked bool) {
	if checked == c.checked {
		return
	}
	c.checked = checked
	c.changed()
}

// SetEnabled lets people choose or not.
func (c *Checkbox) SetEnabled(enabled bool) { c.setDisabled(!enabled) }

func (c *Checkbox) repaint() {
	c.box.StrokeWidth = 1.5
	c.box.FillColor, c.box.StrokeColor = theme.Color(theme.Surface), theme.Color(theme.BorderStrong)
	if c.checked {
		c.box.FillColor, c.box.StrokeColor = theme.Color(theme.Accent), theme.Color(theme.Accent)
	} else if c.hovered {
		c.box.StrokeColor = theme.Color(theme.Text3)
	}
	c.check.Hidden = !c.checked
	color := theme.Text
	if c.disabled {
		color = theme.Text3
	}
	c.label.SetColor(color)
	c.ring.show(c.focused)
}
