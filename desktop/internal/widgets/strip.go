package widgets

import (
	"image"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Strip shows how the last runs ended: one bar each, the newest at the right. A Muted mark is a run that did not happen.
type Strip struct {
	plot
	slots int
	pitch float32 // 0: as the room is
	marks []Tone
}

// NewStrip makes a strip of this many bars for a table's cell, 8 apart and 18 high.
func NewStrip(slots int) *Strip { return newStrip(slots, 8, 18) }

// NewWideStrip makes a strip that shares the room among its bars.
func NewWideStrip(slots int, height float32) *Strip { return newStrip(slots, 0, height) }

func newStrip(slots int, pitch, height float32) *Strip {
	s := &Strip{slots: max(slots, 1), pitch: pitch}
	s.init(s.paintMarks)
	s.min = func() fyne.Size { return fyne.NewSize(max(pitch*float32(s.slots)-stripGap, 40), height) }
	s.be(s)
	return s
}

const stripGap = 3

// Set shows other marks, the newest last. Marks that are missing at the front did not happen; more than there are bars for are left out.
func (s *Strip) Set(marks []Tone) {
	if n := len(marks); n > s.slots {
		marks = marks[n-s.slots:]
	}
	if slices.Equal(marks, s.marks) {
		return
	}
	s.marks = append(s.marks[:0], marks...)
	s.again()
}

func (s *Strip) paintMarks(p *pen) {
	pitch := s.pitch
	if pitch == 0 {
		pitch = (p.width + stripGap) / float32(s.slots)
	}
	wide := max(pitch-stripGap, 1)
	if s.pitch == 0 {
		wide = max(min(wide, pitch*0.6), pitch*0.55, 1)
	}
	missing := s.slots - len(s.marks)
	var colors [len(stripTones)]image.Image
	for i := range s.slots {
		mark := Muted
		if i >= missing {
			mark = s.marks[i-missing]
		}
		at := slices.Index(stripTones[:], mark)
		if at < 0 {
			continue
		}
		if colors[at] == nil {
			colors[at] = image.NewUniform(stripColor(mark))
		}
		height := p.height
		if mark == Muted {
			height = 4
		}
		p.fillBar(p.snap(float32(i)*pitch), p.height-height, p.snap(wide), height, 1.5, colors[at])
	}
}

// stripTones are the tones that a mark may have.
var stripTones = [...]Tone{Muted, Ok, Warn, Error, Running}

func stripColor(tone Tone) color.Color {
	switch tone {
	case Muted:
		return toneColor(theme.BorderStrong, 1)
	case Ok:
		return toneColor(tone.Fill(), 0.88) // many of them: quieter than what went wrong
	}
	return toneColor(tone.Fill(), 1)
}
