package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Icon is a line icon in a colour of the theme.
type Icon struct {
	part
	name  icons.Name
	color fyne.ThemeColorName
	size  float32
	image *canvas.Image
}

// NewIcon makes an icon, as wide and as high as size.
func NewIcon(name icons.Name, color fyne.ThemeColorName, size float32) *Icon {
	i := &Icon{name: name, color: color, size: size, image: canvas.NewImageFromResource(theme.Icon(name, color))}
	i.image.FillMode = canvas.ImageFillContain
	i.objects = []fyne.CanvasObject{i.image}
	i.layout = func(s fyne.Size) {
		i.image.Move(fyne.NewPos((s.Width-i.size)/2, (s.Height-i.size)/2))
		i.image.Resize(fyne.NewSquareSize(i.size))
	}
	i.min = func() fyne.Size { return fyne.NewSquareSize(i.size) }
	i.paint = func() { i.image.Resource = theme.Icon(i.name, i.color) }
	i.be(i)
	return i
}

// Set shows another icon or colour.
func (i *Icon) Set(name icons.Name, color fyne.ThemeColorName) {
	if name == i.name && color == i.color {
		return
	}
	i.name, i.color = name, color
	i.image.Resource = theme.Icon(name, color)
	i.image.Refresh()
}
