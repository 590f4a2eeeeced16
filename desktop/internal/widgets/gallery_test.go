package widgets_test

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
)

// save paints an object and, where BACKSTAY_GALLERY names a folder, keeps the picture there.
func save(t *testing.T, name string, mode theme.Mode, scale float32, size fyne.Size, build func() fyne.CanvasObject) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(mode, theme.Comfortable))
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetScale(scale)
	c.SetContent(build())
	c.Resize(size)
	img := c.Capture()
	folder := os.Getenv("BACKSTAY_GALLERY")
	if folder == "" {
		return
	}
	f, err := os.Create(filepath.Join(folder, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func TestGallery(t *testing.T) {
	for _, mode := range []theme.Mode{theme.Light, theme.Dark} {
		save(t, "basics-"+string(mode), mode, 1, fyne.NewSize(1160, 500), func() fyne.CanvasObject {
			kpi := widgets.Card(widgets.VFlex(2,
				widgets.NewLabel("Protected hosts", widgets.CaptionMedium),
				widgets.HFlex(6, widgets.NewLabel("1,948", widgets.KPI), widgets.NewLabel("of 2,000", widgets.Body).Colored(theme.Text3)),
				widgets.NewLabel("52 need attention", widgets.Caption)))
			bar := widgets.NewProgress(8)
			bar.Set(0.63)
			return widgets.Backdrop(theme.Bg, 0, widgets.Pad(widgets.VFlex(14,
				widgets.HFlex(8, widgets.NewLabel("db-04.prod-eu", widgets.Title), widgets.NewPill(widgets.Running, "Running"), widgets.NewBadge("prod-eu"),
					widgets.Spacer(),
					widgets.NewIconButton(icons.Refresh, "Refresh", nil).Framed(),
					widgets.NewButton(widgets.Secondary, icons.FolderOpen, "Browse", func() {}),
					widgets.NewButton(widgets.Danger, icons.Ban, "Cancel job", func() {}),
					widgets.NewButton(widgets.Ghost, icons.Terminal, "Open log", func() {}),
					widgets.NewButton(widgets.Primary, icons.Play, "Back up now", func() {})),
				widgets.HFlex(14, widgets.Grow(kpi, 1), widgets.Grow(widgets.Card(widgets.NewLabel("x", widgets.Body)), 1)),
				widgets.Card(bar),
				widgets.HFlex(8, widgets.NewPill(widgets.Ok, "Protected"), widgets.NewPill(widgets.Warn, "Succeeded with warnings"), widgets.NewPill(widgets.Error, "Failed"), widgets.NewPill(widgets.Muted, "Queued"), widgets.NewBadge("7").Toned(widgets.Error).Round(), widgets.NewBadge("2,000").Round()),
			), 18, 24, 18, 24))
		})
	}
}
