package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// choice is the common of controls that have one of several chosen: arrows move, a click chooses.
type choice struct {
	part
	options  []*choiceOption
	selected int
	focused  bool
	onChange func(int)
	painted  func()
}

// Selected is the place of the chosen one.
func (c *choice) Selected() int { return c.selected }

// Select chooses without telling.
func (c *choice) Select(i int) {
	if i == c.selected || i < 0 || i >= len(c.options) {
		return
	}
	c.selected = i
	c.painted()
}

func (c *choice) choose(i int) {
	i = min(max(i, 0), len(c.options)-1)
	if i == c.selected {
		return
	}
	c.Select(i)
	if c.onChange != nil {
		c.onChange(i)
	}
}

// FocusGained implements fyne.Focusable.
func (c *choice) FocusGained() { c.focused = true; c.painted() }

// FocusLost implements fyne.Focusable.
func (c *choice) FocusLost() { c.focused = false; c.painted() }

// TypedRune implements fyne.Focusable.
func (c *choice) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (c *choice) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyUp:
		c.choose(c.selected - 1)
	case fyne.KeyRight, fyne.KeyDown:
		c.choose(c.selected + 1)
	case fyne.KeyHome:
		c.choose(0)
	case fyne.KeyEnd:
		c.choose(len(c.options) - 1)
	default:
		forward(c.me, e)
	}
}

// choiceOption is one of several: a label that can be clicked, but has no place of its own in the order of the keyboard.
type choiceOption struct {
	part
	pointed
	label *Label
	onTap func()
}

func newChoiceOption(text string, style Style, onTap func()) *choiceOption {
	o := &choiceOption{label: NewLabel(text, style).AlignCenter(), onTap: onTap}
	o.objects = []fyne.CanvasObject{o.label}
	o.layout = o.label.Resize
	o.min = o.label.MinSize
	o.be(o)
	return o
}

// Tapped implements fyne.Tappable.
func (o *choiceOption) Tapped(*fyne.PointEvent) { o.onTap() }

// Segmented is a choice of few, beside each other on one ground.
type Segmented struct {
	choice
	bg    *canvas.Rectangle
	thumb *canvas.Rectangle
	ring  ring
}

const (
	segmentHeight = 27
	segmentPad    = 11
	segmentInset  = 2
)

// NewSegmented makes the control with one option chosen.
func NewSegmented(options []string, selected int, onChange func(int)) *Segmented {
	s := &Segmented{bg: canvas.NewRectangle(theme.Color(theme.Raised)), thumb: canvas.NewRectangle(theme.Color(theme.Thumb)), ring: newRing(theme.RadiusControl)}
	s.selected, s.onChange = selected, onChange
	s.bg.CornerRadius, s.thumb.CornerRadius = theme.RadiusControl, theme.RadiusControl-2
	s.objects = []fyne.CanvasObject{s.bg, s.thumb}
	for i, text := range options {
		o := newChoiceOption(text, CaptionMedium, func() { s.choose(i) })
		o.changed = s.repaint
		s.options = append(s.options, o)
		s.objects = append(s.objects, o)
	}
	s.objects = append(s.objects, s.ring.rect)
	s.layout = s.lay
	s.min = s.natural
	s.paint = s.repaint
	s.painted = func() { s.repaint(); s.lay(s.Size()); s.Refresh() }
	s.be(s)
	s.repaint()
	return s
}

func (s *Segmented) width(i int) float32 {
	return s.options[i].label.NaturalSize().Width + 2*segmentPad
}

func (s *Segmented) natural() fyne.Size {
	width := float32(2 * segmentInset)
	for i := range s.options {
		width += s.width(i)
	}
	return fyne.NewSize(width, segmentHeight)
}

func (s *Segmented) lay(size fyne.Size) {
	s.bg.Resize(size)
	s.ring.layout(size)
	x := float32(segmentInset)
	for i, o := range s.options {
		w := s.width(i)
		o.Move(fyne.NewPos(x, 0))
		o.Resize(fyne.NewSize(w, size.Height))
		if i == s.selected {
			s.thumb.Move(fyne.NewPos(x, segmentInset))
			s.thumb.Resize(fyne.NewSize(w, size.Height-2*segmentInset))
		}
		x += w
	}
}

func (s *Segmented) repaint() {
	s.bg.FillColor, s.thumb.FillColor = theme.Color(theme.Segment), theme.Color(theme.Thumb)
	s.thumb.Shadow = canvas.Shadow{Color: theme.Color(theme.Shadow), BlurRadius: 2, Offset: fyne.NewPos(0, 1)}
	for i, o := range s.options {
		color := theme.Text2
		if i == s.selected || o.hovered {
			color = theme.Text
		}
		o.label.SetColor(color)
	}
	s.ring.show(s.focused)
}

// Tabs are the parts of a page, with a line below the chosen one.
type Tabs struct {
	choice
	under *canvas.Rectangle
	bar   *canvas.Rectangle
	ring  ring
}

const (
	tabHeight = 36
	tabGap    = 24
)

// NewTabs makes the tabs with one chosen.
func NewTabs(labels []string, selected int, onChange func(int)) *Tabs {
	t := &Tabs{under: canvas.NewRectangle(theme.Color(theme.Border)), bar: canvas.NewRectangle(theme.Color(theme.Accent)), ring: newRing(4)}
	t.selected, t.onChange = selected, onChange
	t.bar.CornerRadius = 1
	t.objects = []fyne.CanvasObject{t.under}
	for i, text := range labels {
		o := newChoiceOption(text, BodyMedium, func() { t.choose(i) })
		o.changed = t.repaint
		t.options = append(t.options, o)
		t.objects = append(t.objects, o)
	}
	t.objects = append(t.objects, t.bar, t.ring.rect)
	t.layout = t.lay
	t.min = t.natural
	t.paint = t.repaint
	t.painted = func() { t.repaint(); t.lay(t.Size()); t.Refresh() }
	t.be(t)
	t.repaint()
	return t
}

// SetLabel names a tab otherwise: a count that changed.
func (t *Tabs) SetLabel(i int, text string) {
	if t.options[i].label.Text() == text {
		return
	}
	t.options[i].label.Set(text)
	t.lay(t.Size())
}

func (t *Tabs) natural() fyne.Size {
	var width float32
	for _, o := range t.options {
		width += o.label.NaturalSize().Width + tabGap
	}
	return fyne.NewSize(width, tabHeight)
}

func (t *Tabs) lay(size fyne.Size) {
	t.under.Move(fyne.NewPos(0, size.Height-theme.Hairline))
	t.under.Resize(fyne.NewSize(size.Width, theme.Hairline))
	x := float32(2)
	for i, o := range t.options {
		w := o.label.NaturalSize().Width
		o.Move(fyne.NewPos(x, 0))
		o.Resize(fyne.NewSize(w+1, size.Height-2))
		if i == t.selected {
			t.bar.Move(fyne.NewPos(x-2, size.Height-2))
			t.bar.Resize(fyne.NewSize(w+4, 2))
			t.ring.rect.Move(fyne.NewPos(x-6, 4))
			t.ring.rect.Resize(fyne.NewSize(w+12, size.Height-10))
		}
		x += w + tabGap
	}
}

func (t *Tabs) repaint() {
	t.under.FillColor, t.bar.FillColor = theme.Color(theme.Border), theme.Color(theme.Accent)
	for i, o := range t.options {
		color := theme.Text2
		if i == t.selected || o.hovered {
			color = theme.Text
		}
		o.label.SetColor(color)
	}
	t.ring.show(t.focused)
}
