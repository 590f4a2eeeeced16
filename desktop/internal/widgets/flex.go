package widgets

import (
	"math"

	"fyne.io/fyne/v2"
)

// Align says where a part stands across a flex.
type Align int

// Alignments; Centre is what HFlex does without being told, Stretch what VFlex does.
const (
	Centre Align = iota
	Start
	End
	Stretch
)

// item is an object with a wish for its place in a flex. It draws as its object.
type item struct {
	weight  float32
	fixed   float32
	isFixed bool
	align   Align
	aligned bool
}

// wish carries an object's place in a flex; the layout unpacks it, so it is never drawn itself.
type wish struct {
	fyne.CanvasObject
	item
}

func wishFor(o fyne.CanvasObject) wish {
	if w, ok := o.(wish); ok {
		return w
	}
	return wish{CanvasObject: o}
}

// Grow gives the object a share, by weight, of the room that is left along a flex.
func Grow(o fyne.CanvasObject, weight float32) fyne.CanvasObject {
	w := wishFor(o)
	w.weight = weight
	return w
}

// Fixed gives the object this length along a flex.
func Fixed(o fyne.CanvasObject, length float32) fyne.CanvasObject {
	w := wishFor(o)
	w.fixed, w.isFixed = length, true
	return w
}

// At aligns one object across a flex otherwise than the rest.
func At(o fyne.CanvasObject, align Align) fyne.CanvasObject {
	w := wishFor(o)
	w.align, w.aligned = align, true
	return w
}

// Spacer takes the room that is left.
func Spacer() fyne.CanvasObject { return Grow(newBlank(fyne.Size{}), 1) }

// Space is a gap of this length, in both directions.
func Space(length float32) fyne.CanvasObject { return newBlank(fyne.NewSquareSize(length)) }

// flex lays out along one direction.
type flex struct {
	box
	vertical bool
	gap      float32
	items    map[fyne.CanvasObject]item
}

var _ naturalLayout = (*flex)(nil)

// HFlex puts the children beside each other, centred across. Hidden children take no room.
func HFlex(gap float32, children ...fyne.CanvasObject) *fyne.Container {
	return newFlex(false, gap, children)
}

// VFlex puts the children below each other, each as wide as the flex.
func VFlex(gap float32, children ...fyne.CanvasObject) *fyne.Container {
	return newFlex(true, gap, children)
}

// Columns is HFlex with children as high as the row: cards beside each other.
func Columns(gap float32, children ...fyne.CanvasObject) *fyne.Container {
	for i, c := range children {
		if w := wishFor(c); !w.aligned {
			children[i] = At(c, Stretch)
		}
	}
	return newFlex(false, gap, children)
}

func newFlex(vertical bool, gap float32, children []fyne.CanvasObject) *fyne.Container {
	l := &flex{vertical: vertical, gap: gap}
	l.read(children)
	return contain(l, &l.box, children)
}

// read keeps the children's wishes.
func (l *flex) read(children []fyne.CanvasObject) {
	l.items = make(map[fyne.CanvasObject]item)
	for _, c := range children {
		if w, ok := c.(wish); ok {
			l.items[w.CanvasObject] = w.item
		}
	}
}

// SetChildren gives a container of HFlex or VFlex other children. It panics for any other container.
func SetChildren(c *fyne.Container, children ...fyne.CanvasObject) {
	l, ok := c.Layout.(*flex)
	if !ok {
		panic("widgets: SetChildren is for HFlex and VFlex")
	}
	l.read(children)
	c.Objects = c.Objects[:0:0]
	for _, o := range children {
		c.Objects = append(c.Objects, wishFor(o).CanvasObject)
	}
	if l.again(l) { // before anything is laid out: the layout around hears that the natural size is another
		c.Refresh()
	}
}

// Slot is room for an object that is not always there: an empty slot has no length, and no gap beside it.
func Slot() *fyne.Container {
	c := VFlex(0)
	c.Hide()
	return c
}

// FillSlot puts an object into a slot, or nil to empty it.
func FillSlot(c *fyne.Container, o fyne.CanvasObject) {
	c.Hidden = o == nil
	if o == nil {
		SetChildren(c)
		return
	}
	SetChildren(c, o)
}

// main and cross are the lengths along and across the flex.
func (l *flex) main(s fyne.Size) float32 {
	if l.vertical {
		return s.Height
	}
	return s.Width
}

func (l *flex) cross(s fyne.Size) float32 {
	if l.vertical {
		return s.Width
	}
	return s.Height
}

func (l *flex) size(main, cross float32) fyne.Size {
	if l.vertical {
		return fyne.NewSize(cross, main)
	}
	return fyne.NewSize(main, cross)
}

func (l *flex) sum(objects []fyne.CanvasObject, of func(fyne.CanvasObject) fyne.Size) fyne.Size {
	var main, cross float32
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		s := of(o)
		if it := l.items[o]; it.isFixed {
			main += it.fixed
		} else {
			main += l.main(s)
		}
		cross = max(cross, l.cross(s))
		shown++
	}
	return l.size(main+l.gap*float32(max(shown-1, 0)), cross)
}

// MinSize implements fyne.Layout.
func (l *flex) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return l.sum(objects, fyne.CanvasObject.MinSize)
}

func (l *flex) natural(objects []fyne.CanvasObject) fyne.Size { return l.sum(objects, naturalSize) }

func (l *flex) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	if l.vertical {
		return l.sum(objects, func(o fyne.CanvasObject) fyne.Size { return naturalIn(o, width) })
	}
	size := l.natural(objects)
	lengths := l.lengths(objects, fyne.NewSize(width, size.Height))
	size.Height = 0
	for i, o := range objects {
		if o.Visible() {
			size.Height = max(size.Height, naturalIn(o, lengths[i]).Height)
		}
	}
	return size
}

// wants is the length that an object would like along a flex of this size.
func (l *flex) wants(o fyne.CanvasObject, size fyne.Size) float32 {
	if l.vertical {
		return naturalIn(o, size.Width).Height
	}
	return naturalSize(o).Width
}

// Layout implements fyne.Layout.
func (l *flex) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	lengths := l.lengths(objects, size)
	var at float32
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		offset, cross := l.across(o, lengths[i], l.cross(size))
		from, length := whole(at), lengths[i]
		if l.vertical || l.items[o].weight > 0 { // a text that has just the width it needs keeps it
			length = whole(at+length) - from
		}
		if l.vertical {
			o.Move(fyne.NewPos(offset, from))
		} else {
			o.Move(fyne.NewPos(from, whole(offset)))
		}
		o.Resize(l.size(length, cross))
		at += lengths[i] + l.gap
	}
	l.settle(l, objects)
}

// whole rounds a place to the pixels of a window of scale one: hairlines stay sharp, and pictures made pixel by pixel lose no row.
func whole(v float32) float32 { return float32(math.Round(float64(v))) }

func up(v float32) float32 { return float32(math.Ceil(float64(v))) }

// across gives where an object lies across the flex, and how far it reaches.
func (l *flex) across(o fyne.CanvasObject, along, room float32) (offset, length float32) {
	align := Centre
	if l.vertical {
		align = Stretch
	}
	if it := l.items[o]; it.aligned {
		align = it.align
	}
	want := naturalSize(o)
	if !l.vertical {
		want = naturalIn(o, along)
	}
	length = min(l.cross(want), room)
	switch align {
	case Stretch:
		return 0, room
	case End:
		return room - length, length
	case Centre:
		return (room - length) / 2, length
	default:
		return 0, length
	}
}

// lengths shares out the room along the flex: natural lengths, what is left by weight; too little room shrinks those that can.
func (l *flex) lengths(objects []fyne.CanvasObject, size fyne.Size) []float32 {
	lengths := make([]float32, len(objects))
	mins := make([]float32, len(objects))
	var used, weights, give float32
	shown := 0
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		shown++
		it := l.items[o]
		switch {
		case it.isFixed:
			lengths[i], mins[i] = it.fixed, it.fixed
		case it.weight > 0:
			mins[i] = l.main(o.MinSize())
			if l.vertical {
				mins[i] = min(mins[i], l.wants(o, size)) // text knows its height for another width
			}
			lengths[i] = mins[i]
			weights += it.weight
		default:
			lengths[i] = l.wants(o, size)
			mins[i] = min(l.main(o.MinSize()), lengths[i])
		}
		used += lengths[i]
		give += lengths[i] - mins[i]
	}
	left := l.main(size) - used - l.gap*float32(max(shown-1, 0))
	if left < 0 && give > 0 {
		share := min(-left/give, 1)
		for i := range lengths {
			lengths[i] -= (lengths[i] - mins[i]) * share
		}
		return lengths
	}
	if left > 0 && weights > 0 {
		l.share(objects, lengths, mins, left, weights)
	}
	return lengths
}

// share gives what is left to those that grow, so that equal weights end up equally long where their minimums allow it.
func (l *flex) share(objects []fyne.CanvasObject, lengths, mins []float32, left, weights float32) {
	room := left
	for i, o := range objects {
		if o.Visible() && l.items[o].weight > 0 {
			room += mins[i]
		}
	}
	settled := make([]bool, len(objects))
	for again := true; again; {
		again = false
		for i, o := range objects {
			weight := l.items[o].weight
			if settled[i] || !o.Visible() || weight <= 0 || weights <= 0 {
				continue
			}
			if room*weight/weights < mins[i] {
				settled[i], again = true, true
				room -= mins[i]
				weights -= weight
			}
		}
	}
	for i, o := range objects {
		if weight := l.items[o].weight; weight > 0 && o.Visible() && !settled[i] {
			lengths[i] = room * weight / weights
		}
	}
}
