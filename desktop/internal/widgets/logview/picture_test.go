package logview_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
)

// stage is a view on a software canvas. Post collects what other goroutines want done.
type stage struct {
	t      *testing.T
	view   *logview.View
	canvas software.WindowlessCanvas
	posted chan func()
}

func config(posted chan func()) logview.Config {
	return logview.Config{
		Post:       func(f func()) { posted <- f },
		FollowText: func(n int) string { return fmt.Sprintf("Follow · %d new", n) },
	}
}

func newStage(t *testing.T, mode theme.Mode, scale float32, size fyne.Size, change func(*logview.Config)) *stage {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(mode, theme.Comfortable))
	s := &stage{t: t, posted: make(chan func(), 100)}
	cfg := config(s.posted)
	if change != nil {
		change(&cfg)
	}
	s.view = logview.New(cfg)
	t.Cleanup(s.view.Close)
	s.canvas = software.NewCanvas()
	s.canvas.SetPadded(false)
	s.canvas.SetScale(scale)
	s.canvas.SetContent(s.view)
	s.canvas.Resize(size)
	return s
}

// paint lets the view paint as Fyne would, without the rest of the window: a tenth of the time.
func (s *stage) paint() {
	size, scale := s.view.Size(), s.canvas.Scale()
	s.view.Generate(int(math.Round(float64(size.Width*scale))), int(math.Round(float64(size.Height*scale))))
}

// picture paints, and keeps the picture where BACKSTAY_GALLERY names a folder.
func (s *stage) picture(name string) image.Image {
	s.t.Helper()
	img := s.canvas.Capture()
	if folder := os.Getenv("BACKSTAY_GALLERY"); folder != "" && name != "" {
		f, err := os.Create(filepath.Join(folder, name+".png"))
		if err != nil {
			s.t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, img); err != nil {
			s.t.Fatal(err)
		}
	}
	return img
}

// colours counts the colours of a picture.
func colours(img image.Image) int {
	seen := map[color.Color]bool{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			seen[img.At(x, y)] = true
		}
	}
	return len(seen)
}

// searched runs what is posted until the search is over.
func (s *stage) searched() {
	s.t.Helper()
	for s.view.SearchState().Running {
		(<-s.posted)()
	}
}

// The log's place on the mockups is 889 by 516.
var panel = fyne.NewSize(889, 516)

func TestPictures(t *testing.T) {
	scales, lines := []float32{1}, 2000
	if os.Getenv("BACKSTAY_GALLERY") != "" {
		scales, lines = []float32{1, 1.5, 2}, 48_214
	}
	for _, mode := range []theme.Mode{theme.Light, theme.Dark} {
		for _, scale := range scales {
			name := fmt.Sprintf("%s-%v", mode, scale)
			s := newStage(t, mode, scale, panel, nil)
			s.view.Append(backupLines(148_214-int64(lines), lines))
			s.view.Append(ending(148_214, true))
			if n := colours(s.picture("fail-" + name)); n < 100 {
				t.Errorf("%s: a picture of %d colours", name, n)
			}
			s.view.SetLive(true)
			s.view.Reveal(148_100)
			s.view.Append(backupLines(148_217, 128))
			s.settle()
			s.picture("detached-" + name)
			s.view.SetWrap(true)
			s.view.Search("mail")
			s.searched()
			s.picture("wrapped-" + name)
		}
		s := newStage(t, mode, 2, panel, func(c *logview.Config) { c.Corner = 9 })
		for i, text := range hostile {
			s.view.Append([]logline.Line{{Seq: int64(i + 1), Time: noon, Level: logline.Level(i % 4), Source: logline.Restic, Text: text}})
		}
		s.picture("hostile-" + string(mode))
		s.view.SelectAll()
		s.picture("selected-" + string(mode))
	}
}
