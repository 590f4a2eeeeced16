package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Stat is a figure with its name above it and what it is measured against below.
type Stat struct {
	part
	name, value, below *Label
	whole              *fyne.Container
}

// NewStat makes a figure. below may be empty.
func NewStat(name, value, below string) *Stat {
	s := &Stat{name: NewLabel(name, Caption), value: NewLabel(value, Figure), below: NewLabel(below, Caption)}
	s.whole = VFlex(3, s.name, s.value, s.below)
	s.objects = []fyne.CanvasObject{s.whole}
	s.layout = s.whole.Resize
	s.min = func() fyne.Size { return s.whole.MinSize() }
	s.be(s)
	watch(s.whole, s.grew)
	return s
}

// NaturalSize is the texts'.
func (s *Stat) NaturalSize() fyne.Size { return naturalSize(s.whole) }

// Set shows another figure.
func (s *Stat) Set(value, below string) {
	s.value.Set(value)
	s.below.Set(below)
}

// SetColor shows the figure in another colour: errors that there are.
func (s *Stat) SetColor(color fyne.ThemeColorName) { s.value.SetColor(color) }

// Stats puts figures beside each other, with a hairline between them.
func Stats(stats ...*Stat) *fyne.Container {
	var children []fyne.CanvasObject
	for i, s := range stats {
		if i > 0 {
			children = append(children, At(VDivider(), Stretch))
		}
		children = append(children, Grow(s, 1))
	}
	return HFlex(18, children...)
}

// Legend says what a colour in a chart stands for, with a value ("" for none).
type Legend struct {
	part
	tone  Tone
	dot   *canvas.Circle
	name  *Label
	value *Label
}

// NewLegend makes one entry of a legend.
func NewLegend(tone Tone, name, value string) *Legend {
	l := &Legend{tone: tone, dot: canvas.NewCircle(theme.Color(tone.Fill())), name: NewLabel(name, Cell), value: NewLabel(value, CellMedium)}
	l.objects = []fyne.CanvasObject{l.dot, l.name, l.value}
	l.layout = func(s fyne.Size) {
		l.dot.Move(fyne.NewPos(0, (s.Height-legendDot)/2))
		l.dot.Resize(fyne.NewSquareSize(legendDot))
		name := l.name.NaturalSize().Width
		l.name.Move(fyne.NewPos(legendDot+7, 0))
		l.name.Resize(fyne.NewSize(name+1, s.Height))
		l.value.Move(fyne.NewPos(legendDot+7+name+7, 0))
		l.value.Resize(fyne.NewSize(l.value.NaturalSize().Width+1, s.Height))
	}
	l.min = l.NaturalSize
	l.paint = func() { l.dot.FillColor = theme.Color(l.tone.Fill()) }
	l.be(l)
	return l
}

const legendDot = 8

// NaturalSize is the dot's and the texts'.
func (l *Legend) NaturalSize() fyne.Size {
	name := l.name.NaturalSize()
	return fyne.NewSize(legendDot+7+name.Width+7+l.value.NaturalSize().Width+1, name.Height)
}

// Set shows another value.
func (l *Legend) Set(value string) {
	if value == l.value.Text() {
		return
	}
	l.value.Set(value)
	l.grew()
}

// StepState is how far one step is.
type StepState int

// Step states.
const (
	StepWaiting StepState = iota
	StepRunning
	StepDone
	StepWarned
	StepFailed
	StepSkipped
)

// Step is one of the steps of a job.
type Step struct {
	State StepState
	Name  string
	Right string // how long it took, or why it did not run
}

// Steps are what a job does, one after the other.
type Steps struct {
	part
	steps []Step
	rows  []stepRow
}

type stepRow struct {
	icon        *Icon
	name, right *Label
	line        *canvas.Rectangle
}

const (
	stepHeight = 39
	stepIcon   = 18
)

// NewSteps makes a list without steps.
func NewSteps() *Steps {
	s := &Steps{}
	s.layout = s.lay
	s.min = func() fyne.Size {
		return fyne.NewSize(140, max(float32(len(s.steps))*stepHeight-(stepHeight-stepIcon)+2, stepIcon))
	}
	s.paint = func() {
		for _, r := range s.rows {
			r.line.FillColor = theme.Color(theme.BorderStrong)
		}
	}
	s.be(s)
	return s
}

// Set shows other steps.
func (s *Steps) Set(steps []Step) {
	for len(s.rows) < len(steps) {
		s.rows = append(s.rows, stepRow{icon: NewIcon(icons.CircleDot, theme.Text3, stepIcon), name: NewLabel("", Body), right: NewLabel("", Cell).Colored(theme.Text3),
			line: canvas.NewRectangle(theme.Color(theme.BorderStrong))})
	}
	count := len(s.steps)
	s.steps = append(s.steps[:0], steps...)
	for i, st := range steps {
		icon, color, text := st.State.look()
		s.rows[i].icon.Set(icon, color)
		s.rows[i].name.Set(st.Name)
		s.rows[i].name.SetStyle(BodyMedium)
		if st.State == StepWaiting || st.State == StepSkipped {
			s.rows[i].name.SetStyle(Body)
		}
		s.rows[i].name.SetColor(text)
		s.rows[i].right.Set(st.Right)
	}
	if len(steps) != count {
		s.objects = s.objects[:0:0]
		for i, r := range s.rows[:len(steps)] {
			s.objects = append(s.objects, r.icon, r.name, r.right)
			if i > 0 {
				s.objects = append(s.objects, r.line)
			}
		}
		s.grew()
	}
	s.lay(s.Size())
	if len(steps) != count {
		canvas.Refresh(s)
	}
}

func (s StepState) look() (icon icons.Name, color, text fyne.ThemeColorName) {
	switch s {
	case StepRunning:
		return icons.Loader, theme.Running, theme.Text
	case StepDone:
		return icons.CircleCheck, theme.Ok, theme.Text
	case StepWarned:
		return icons.TriangleAlert, theme.Warn, theme.Text
	case StepFailed:
		return icons.CircleX, theme.Error, theme.Text
	case StepSkipped:
		return icons.CircleDashed, theme.Text3, theme.Text3
	default:
		return icons.CircleDot, theme.BorderStrong, theme.Text3
	}
}

func (s *Steps) lay(size fyne.Size) {
	for i, r := range s.rows[:len(s.steps)] {
		y := float32(i) * stepHeight
		r.icon.Move(fyne.NewPos(0, y))
		r.icon.Resize(fyne.NewSquareSize(stepIcon))
		right := r.right.NaturalSize().Width
		r.name.Move(fyne.NewPos(28, y))
		r.name.Resize(fyne.NewSize(max(size.Width-28-right-8, 0), stepIcon))
		r.right.Move(fyne.NewPos(size.Width-right, y))
		r.right.Resize(fyne.NewSize(right+1, stepIcon))
		r.line.Move(fyne.NewPos(stepIcon/2-0.75, y-(stepHeight-stepIcon)+4))
		r.line.Resize(fyne.NewSize(1.5, stepHeight-stepIcon-8))
	}
}
