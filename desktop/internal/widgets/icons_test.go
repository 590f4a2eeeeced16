package widgets_test

import (
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
)

func TestIconSheet(t *testing.T) {
	save(t, "icons", theme.Light, 2, fyne.NewSize(900, 560), func(fyne.Canvas) fyne.CanvasObject {
		var all []fyne.CanvasObject
		for _, n := range icons.All() {
			all = append(all, widgets.VFlex(2, widgets.NewIcon(n, theme.Text, 24), widgets.NewLabel(string(n), widgets.Caption).AlignCenter()))
		}
		return page(widgets.Grid(10, 6, all...))
	})
}
