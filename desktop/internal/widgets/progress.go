package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Progress is a bar that is filled from the left.
type Progress struct {
	part
	value  float64
	tone   Tone
	height float32
	track  *canvas.Rectangle
	fill   *canvas.Rectangle
}

// NewProgress makes an empty bar, this high: 4 in tables, 6 on cards, 8 on the page of a job.
func NewProgress(height float32) *Progress {
	p := &Progress{tone: Running, height: height, track: canvas.NewRectangle(theme.Color(theme.MutedSoft)), fill: canvas.NewRectangle(theme.Color(theme.RunningFill))}
	p.track.CornerRadius, p.fill.CornerRadius = height/2, height/2
	p.objects = []fyne.CanvasObject{p.track, p.fill}
	p.layout = p.lay
	p.min = func() fyne.Size { return fyne.NewSize(24, height) }
	p.paint = func() {
		p.track.FillColor, p.fill.FillColor = theme.Color(theme.MutedSoft), theme.Color(p.tone.Fill())
	}
	p.be(p)
	return p
}

// Set fills the bar: 0 is empty, 1 is full.
func (p *Progress) Set(value float64) {
	value = min(max(value, 0), 1)
	if value == p.value || value != value {
		return
	}
	p.value = value
	p.lay(p.Size())
}

// Value is what Set was given.
func (p *Progress) Value() float64 { return p.value }

// SetTone shows the bar in another tone.
func (p *Progress) SetTone(tone Tone) {
	if tone == p.tone {
		return
	}
	p.tone = tone
	p.fill.FillColor = theme.Color(tone.Fill())
	p.fill.Refresh()
}

func (p *Progress) lay(size fyne.Size) {
	y := (size.Height - p.height) / 2
	p.track.Move(fyne.NewPos(0, y))
	p.track.Resize(fyne.NewSize(size.Width, p.height))
	width := size.Width * float32(p.value)
	if p.value > 0 {
		width = max(width, p.height) // a dot at least: something is done
	}
	p.fill.Move(fyne.NewPos(0, y))
	p.fill.Resize(fyne.NewSize(width, p.height))
	p.fill.Hidden = width == 0
}
