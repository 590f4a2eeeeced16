package widgets

import (
	"fyne.io/fyne/v2"
)

// KPI is a card's large figure: its name above, a unit on the same base line, a line below, and something at the right, a Spark
// (nil for nothing).
type KPI struct {
	part
	name, value, unit, below *Label
	right                    fyne.CanvasObject
}

// NewKPI makes a figure for a Card.
func NewKPI(name, value, unit, below string, right fyne.CanvasObject) *KPI {
	k := &KPI{name: NewLabel(name, CaptionMedium), value: NewLabel(value, KPIFigure), unit: NewLabel(unit, Body3), below: NewLabel(below, Caption), right: right}
	k.objects = []fyne.CanvasObject{k.name, k.value, k.unit, k.below}
	if right != nil {
		k.objects = append(k.objects, right)
	}
	k.layout = k.lay
	k.min = func() fyne.Size { return fyne.NewSize(150, kpiHeight) }
	k.be(k)
	return k
}

const (
	kpiHeight = 73
	kpiGap    = 5
)

// NaturalSize is the texts' and what is at the right.
func (k *KPI) NaturalSize() fyne.Size {
	width := k.value.NaturalSize().Width + kpiGap + k.unit.NaturalSize().Width
	if k.right != nil {
		width += 16 + naturalSize(k.right).Width
	}
	return fyne.NewSize(max(width, k.below.NaturalSize().Width), kpiHeight)
}

// Set shows another figure.
func (k *KPI) Set(value, unit, below string) {
	k.value.Set(value)
	k.unit.Set(unit)
	k.below.Set(below)
	k.lay(k.Size())
}

func (k *KPI) lay(s fyne.Size) {
	room := s.Width
	if k.right != nil {
		want := naturalSize(k.right)
		k.right.Move(fyne.NewPos(s.Width-want.Width, (s.Height-want.Height)/2+1))
		k.right.Resize(want)
		room -= want.Width + 10
	}
	k.name.Resize(fyne.NewSize(s.Width, k.name.NaturalSize().Height))
	value := k.value.NaturalSize()
	top := float32(21)
	width := min(value.Width+1, room)
	k.value.Move(fyne.NewPos(0, top))
	k.value.Resize(fyne.NewSize(width, value.Height))
	base := top + k.value.face.baseline() - k.unit.face.baseline()
	k.unit.Move(fyne.NewPos(width+kpiGap, base))
	k.unit.Resize(fyne.NewSize(max(room-width-kpiGap, 0), k.unit.NaturalSize().Height))
	low := k.below.NaturalSize().Height
	k.below.Move(fyne.NewPos(0, s.Height-low))
	k.below.Resize(fyne.NewSize(s.Width, low))
}
