package widgets

import (
	"fyne.io/fyne/v2"
)

// Headline is a card's large figure: its name above, a unit on the same base line, a line below, and something at the right where there
// is room for it, a Spark (nil for nothing).
type Headline struct {
	part
	name, value, unit, below *Label
	right                    fyne.CanvasObject
}

// NewHeadline makes a figure for a Card.
func NewHeadline(name, value, unit, below string, right fyne.CanvasObject) *Headline {
	k := &Headline{name: NewLabel(name, CaptionMedium), value: NewLabel(value, KPI), unit: NewLabel(unit, Body3), below: NewLabel(below, Caption), right: right}
	k.objects = []fyne.CanvasObject{k.name, k.value, k.unit, k.below}
	if right != nil {
		k.objects = append(k.objects, right)
	}
	k.layout = k.lay
	k.min = func() fyne.Size { return fyne.NewSize(120, headHeight) }
	k.be(k)
	return k
}

const (
	headHeight = 73
	headGap    = 5
	headRight  = 10
	headSlack  = 3  // texts stand on whole units
	headLeast  = 40 // narrower than that, what is at the right is left out
)

// NaturalSize is the texts' and what is at the right.
func (k *Headline) NaturalSize() fyne.Size {
	width := k.value.NaturalSize().Width + headGap + k.unit.NaturalSize().Width
	if k.right != nil {
		width += 16 + naturalSize(k.right).Width
	}
	return fyne.NewSize(max(width, k.below.NaturalSize().Width), headHeight)
}

// Set shows another figure.
func (k *Headline) Set(value, unit, below string) {
	k.value.Set(value)
	k.unit.Set(unit)
	k.below.Set(below)
	k.lay(k.Size())
}

func (k *Headline) lay(s fyne.Size) {
	room := s.Width
	if k.right != nil {
		want := naturalSize(k.right)
		want.Width = min(want.Width, s.Width-k.value.NaturalSize().Width-k.unit.NaturalSize().Width-headGap-headRight-headSlack)
		if want.Width < headLeast { // the figure goes first
			k.right.Hide()
		} else {
			k.right.Show()
			k.right.Move(fyne.NewPos(s.Width-want.Width, (s.Height-want.Height)/2+1))
			k.right.Resize(want)
			room -= want.Width + headRight
		}
	}
	k.name.Resize(fyne.NewSize(s.Width, k.name.NaturalSize().Height))
	value := k.value.NaturalSize()
	top := float32(21)
	width := min(value.Width+1, room)
	k.value.Move(fyne.NewPos(0, top))
	k.value.Resize(fyne.NewSize(width, value.Height))
	base := top + k.value.face.baseline() - k.unit.face.baseline()
	k.unit.Move(fyne.NewPos(width+headGap, base))
	k.unit.Resize(fyne.NewSize(max(room-width-headGap, 0), k.unit.NaturalSize().Height))
	low := k.below.NaturalSize().Height
	k.below.Move(fyne.NewPos(0, s.Height-low))
	k.below.Resize(fyne.NewSize(s.Width, low))
}
