package cli

import (
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// meter turns progress into the status line.
type meter struct {
	title string // what runs where
	last  fleet.Progress
	seen  bool
	speed float64 // bytes read a second, smoothed
	note  string  // in the place of the figures: the connection is lost
}

// smoothing is the weight of the newest second of speed.
const smoothing = 0.3

func (m *meter) take(p fleet.Progress) {
	if m.seen && p.ElapsedMS > m.last.ElapsedMS && p.BytesDone >= m.last.BytesDone {
		now := float64(p.BytesDone-m.last.BytesDone) / (float64(p.ElapsedMS-m.last.ElapsedMS) / 1000)
		if m.speed == 0 {
			m.speed = now
		} else {
			m.speed += smoothing * (now - m.speed)
		}
	} else if !m.seen && p.ElapsedMS > 0 {
		m.speed = float64(p.BytesDone) / (float64(p.ElapsedMS) / 1000)
	}
	m.last, m.seen = p, true
}

// phases say what goes on beside the figures.
var phases = map[fleet.Phase]string{
	fleet.PhaseWaiting:   "waiting for the repository to be free",
	fleet.PhaseStarting:  "restic is starting",
	fleet.PhaseScanning:  "counting",
	fleet.PhaseRetrying:  "the repository does not answer, restic tries again",
	fleet.PhaseStopping:  "stopping",
	fleet.PhaseUnlocking: "unlocking",
}

// figure is a part of the status; the one with the highest rank is left out first where there is no room.
type figure struct {
	rank int
	text string
}

// figures are the parts of the progress in the order they are shown.
func (m *meter) figures() []figure {
	p := m.last
	var all []figure
	add := func(rank int, text string) { all = append(all, figure{rank, text}) }
	if text, ok := phases[p.Phase]; ok && m.seen {
		add(1, text)
	}
	if p.BytesTotal > 0 {
		add(2, size(p.BytesDone)+" of "+size(p.BytesTotal))
	} else if p.BytesDone > 0 {
		add(2, size(p.BytesDone))
	}
	if p.FilesTotal > 0 {
		add(5, count(p.FilesDone)+" of "+items(p.FilesTotal, "file", "files"))
	} else if p.FilesDone > 0 {
		add(5, items(p.FilesDone, "file", "files"))
	}
	if m.speed >= 1 {
		add(4, size(int64(m.speed))+"/s")
	}
	if p.RemainingMS > 0 {
		add(3, clock(time.Duration(p.RemainingMS)*time.Millisecond)+" left")
	}
	if p.Errors > 0 {
		add(1, items(p.Errors, "error", "errors"))
	}
	return all
}

// counted tells whether there is something to draw a bar from.
func (m *meter) counted() bool {
	return m.seen && m.last.BytesTotal > 0 && m.last.Phase != fleet.PhaseScanning
}

// Widths of the bar: it takes the room that the figures leave.
const (
	shortBar = 10
	longBar  = 20
)

// line is the status for a terminal of so many columns. Where there is no room the bar gets shorter, then figures go, by rank.
func (m *meter) line(width int) string {
	if m.note != "" {
		return m.title + "  " + m.note
	}
	all := m.figures()
	for rank := 5; ; rank-- {
		room := width - 1 - plaintext.Width(m.compose(all, rank, 0))
		if room >= shortBar || rank == 0 || room >= 0 && !m.counted() {
			return m.compose(all, rank, min(max(room, shortBar), longBar))
		}
	}
}

// compose puts the bar and the figures up to a rank together.
func (m *meter) compose(all []figure, rank, barWidth int) string {
	parts := []string{m.title}
	if m.counted() {
		parts = append(parts, bar(m.last.Percent, barWidth)+" "+percent(m.last.Percent))
	}
	for _, f := range all {
		if f.rank <= rank {
			parts = append(parts, f.text)
		}
	}
	return strings.Join(parts, "  ")
}

// plain is the progress as a line of its own, where there is no status line.
func (m *meter) plain() string {
	var parts []string
	if m.counted() {
		parts = append(parts, percent(m.last.Percent))
	}
	for _, f := range m.figures() {
		parts = append(parts, f.text)
	}
	return fleet.NotePrefix + strings.Join(parts, ", ")
}
