package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// newBlank is nothing, of a size.
func newBlank(size fyne.Size) *canvas.Rectangle {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(size)
	return r
}

// pad keeps distance around one object.
type pad struct {
	box
	top, right, bottom, left float32
}

var _ naturalLayout = (*pad)(nil)

// Pad keeps distance around an object: top, right, bottom, left.
func Pad(o fyne.CanvasObject, top, right, bottom, left float32) *fyne.Container {
	l := &pad{top: top, right: right, bottom: bottom, left: left}
	return contain(l, &l.box, []fyne.CanvasObject{o})
}

// PadAll keeps the same distance on all sides.
func PadAll(o fyne.CanvasObject, by float32) *fyne.Container { return Pad(o, by, by, by, by) }

func (l *pad) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().AddWidthHeight(l.left+l.right, l.top+l.bottom)
}

func (l *pad) natural(objects []fyne.CanvasObject) fyne.Size {
	return naturalSize(objects[0]).AddWidthHeight(l.left+l.right, l.top+l.bottom)
}

func (l *pad) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	return naturalIn(objects[0], width-l.left-l.right).AddWidthHeight(l.left+l.right, l.top+l.bottom)
}

func (l *pad) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(l.left, l.top))
	objects[0].Resize(size.SubtractWidthHeight(l.left+l.right, l.top+l.bottom))
	l.settle(l, objects)
}

// stack lays all objects over each other.
type stack struct{ box }

var _ naturalLayout = (*stack)(nil)

// Stack lays the objects over each other, each as large as the stack; the first is at the bottom.
func Stack(objects ...fyne.CanvasObject) *fyne.Container {
	l := &stack{}
	return contain(l, &l.box, objects)
}

func (l *stack) largest(objects []fyne.CanvasObject, of func(fyne.CanvasObject) fyne.Size) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			size = size.Max(of(o))
		}
	}
	return size
}

func (l *stack) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return l.largest(objects, fyne.CanvasObject.MinSize)
}

func (l *stack) natural(objects []fyne.CanvasObject) fyne.Size {
	return l.largest(objects, naturalSize)
}

func (l *stack) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	return l.largest(objects, func(o fyne.CanvasObject) fyne.Size { return naturalIn(o, width) })
}

func (l *stack) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
	l.settle(l, objects)
}

// center keeps one object at its natural size in the middle.
type center struct{ box }

var _ naturalLayout = (*center)(nil)

// Center puts an object at its natural size in the middle of the room.
func Center(o fyne.CanvasObject) *fyne.Container {
	l := &center{}
	return contain(l, &l.box, []fyne.CanvasObject{o})
}

func (l *center) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }

func (l *center) natural(objects []fyne.CanvasObject) fyne.Size { return naturalSize(objects[0]) }

func (l *center) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	return naturalIn(objects[0], width)
}

func (l *center) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	s := naturalIn(objects[0], size.Width)
	s = fyne.NewSize(min(s.Width, size.Width), min(s.Height, size.Height))
	objects[0].Move(fyne.NewPos(whole((size.Width-s.Width)/2), whole((size.Height-s.Height)/2)))
	objects[0].Resize(s)
	l.settle(l, objects)
}

// maxWidth keeps one object from growing too wide.
type maxWidth struct {
	box
	width float32
}

var _ naturalLayout = (*maxWidth)(nil)

// MaxWidth keeps an object at most this wide, at the left of the room.
func MaxWidth(o fyne.CanvasObject, width float32) *fyne.Container {
	l := &maxWidth{width: width}
	return contain(l, &l.box, []fyne.CanvasObject{o})
}

func (l *maxWidth) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }

func (l *maxWidth) natural(objects []fyne.CanvasObject) fyne.Size {
	s := naturalSize(objects[0])
	return fyne.NewSize(min(s.Width, l.width), s.Height)
}

func (l *maxWidth) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	s := naturalIn(objects[0], min(width, l.width))
	return fyne.NewSize(min(s.Width, l.width), s.Height)
}

func (l *maxWidth) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.Position{})
	objects[0].Resize(fyne.NewSize(min(size.Width, l.width), size.Height))
	l.settle(l, objects)
}

// grid is columns of the same width.
type grid struct {
	box
	cols int
	gap  float32
}

var _ naturalLayout = (*grid)(nil)

// Grid puts the objects into columns of the same width; a row is as high as its highest object.
func Grid(cols int, gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	l := &grid{cols: max(cols, 1), gap: gap}
	return contain(l, &l.box, objects)
}

func (l *grid) rows(objects []fyne.CanvasObject, of func(fyne.CanvasObject) fyne.Size) (heights []float32, widest float32) {
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		if shown%l.cols == 0 {
			heights = append(heights, 0)
		}
		s := of(o)
		row := len(heights) - 1
		heights[row] = max(heights[row], s.Height)
		widest = max(widest, s.Width)
		shown++
	}
	return heights, widest
}

func (l *grid) sum(objects []fyne.CanvasObject, of func(fyne.CanvasObject) fyne.Size) fyne.Size {
	heights, widest := l.rows(objects, of)
	height := l.gap * float32(max(len(heights)-1, 0))
	for _, h := range heights {
		height += h
	}
	return fyne.NewSize(widest*float32(l.cols)+l.gap*float32(l.cols-1), height)
}

func (l *grid) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return l.sum(objects, fyne.CanvasObject.MinSize)
}

func (l *grid) natural(objects []fyne.CanvasObject) fyne.Size { return l.sum(objects, naturalSize) }

func (l *grid) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	width = l.column(width)
	return l.sum(objects, func(o fyne.CanvasObject) fyne.Size { return naturalIn(o, width) })
}

// column is a column's width in a grid this wide.
func (l *grid) column(width float32) float32 {
	return (width - l.gap*float32(l.cols-1)) / float32(l.cols)
}

func (l *grid) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := l.column(size.Width)
	heights, _ := l.rows(objects, func(o fyne.CanvasObject) fyne.Size { return naturalIn(o, width) })
	extra := size.Height - l.naturalIn(objects, size.Width).Height
	var y float32
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		row, col := shown/l.cols, shown%l.cols
		if col == 0 && row > 0 {
			y += heights[row-1] + l.gap
		}
		height := heights[row]
		if row == len(heights)-1 {
			height += max(extra, 0)
		}
		o.Move(fyne.NewPos(float32(col)*(width+l.gap), y))
		o.Resize(fyne.NewSize(width, height))
		shown++
	}
	l.settle(l, objects)
}

// Divider is a hairline across, for a VFlex.
func Divider() fyne.CanvasObject { return newLine(false) }

// VDivider is a hairline from top to bottom, for an HFlex (At(…, Stretch)).
func VDivider() fyne.CanvasObject { return newLine(true) }

type line struct {
	part
	rect *canvas.Rectangle
}

func newLine(vertical bool) *line {
	l := &line{rect: canvas.NewRectangle(theme.Color(theme.Border))}
	l.objects = []fyne.CanvasObject{l.rect}
	l.layout = l.rect.Resize
	size := fyne.NewSize(0, theme.Hairline)
	if vertical {
		size = fyne.NewSize(theme.Hairline, 0)
	}
	l.min = func() fyne.Size { return size }
	l.paint = func() { l.rect.FillColor = theme.Color(theme.Border) }
	l.be(l)
	return l
}

// fix gives one object a least size.
type fix struct {
	box
	size fyne.Size
}

var _ naturalLayout = (*fix)(nil)

// Fix gives an object this size at least; 0 leaves a direction to the object.
func Fix(o fyne.CanvasObject, size fyne.Size) *fyne.Container {
	l := &fix{size: size}
	return contain(l, &l.box, []fyne.CanvasObject{o})
}

func (l *fix) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize().Max(l.size) }

func (l *fix) natural(objects []fyne.CanvasObject) fyne.Size {
	return naturalSize(objects[0]).Max(l.size)
}

func (l *fix) naturalIn(objects []fyne.CanvasObject, width float32) fyne.Size {
	return naturalIn(objects[0], width).Max(l.size)
}

func (l *fix) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.Position{})
	objects[0].Resize(size)
	l.settle(l, objects)
}
