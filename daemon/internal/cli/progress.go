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

// figures are the parts of the progress, the most telling ones first.
func (m *meter) figures() []string {
	p := m.last
	var all []string
	if p.BytesTotal > 0 {
		all = append(all, size(p.BytesDone)+" of "+size(p.BytesTotal))
	} else if p.BytesDone > 0 {
		all = append(all, size(p.BytesDone))
	}
	if p.FilesTotal > 0 {
		all = append(all, count(p.FilesDone)+" of "+items(p.FilesTotal, "file", "files"))
	} else if p.FilesDone > 0 {
		all = append(all, items(p.FilesDone, "file", "files"))
	}
	if m.speed >= 1 {
		all = append(all, size(int64(m.speed))+"/s")
	}
	if p.RemainingMS > 0 {
		all = append(all, clock(time.Duration(p.RemainingMS)*time.Millisecond)+" left")
	}
	if p.Errors > 0 {
		all = append(all, items(p.Errors, "error", "errors"))
	}
	return all
}

// counted tells whether there is something to draw a bar from.
func (m *meter) counted() bool {
	return m.seen && m.last.BytesTotal > 0 && m.last.Phase != fleet.PhaseScanning
}

const barWidth = 20

// line is the status for a terminal of so many columns: what does not fit is left out from the end, errors last.
func (m *meter) line(width int) string {
	if m.note != "" {
		return m.title + "  " + m.note
	}
	var parts []string
	if m.counted() {
		parts = append(parts, bar(m.last.Percent, barWidth)+" "+percent(m.last.Percent))
	}
	if text, ok := phases[m.last.Phase]; ok && m.seen {
		parts = append(parts, text)
	}
	figures := m.figures()
	errors := ""
	if m.last.Errors > 0 {
		errors = figures[len(figures)-1]
		figures = figures[:len(figures)-1]
	}
	parts = append(parts, figures...)
	for {
		all := parts
		if errors != "" {
			all = append(append([]string{}, parts...), errors)
		}
		text := strings.Join(append([]string{m.title}, all...), "  ")
		if plaintext.Width(text) < width || len(parts) <= 1 {
			return text
		}
		parts = parts[:len(parts)-1]
	}
}

// plain is the progress as a line of its own, where there is no status line.
func (m *meter) plain() string {
	var parts []string
	if m.counted() {
		parts = append(parts, percent(m.last.Percent))
	}
	if text, ok := phases[m.last.Phase]; ok {
		parts = append(parts, text)
	}
	return "[backstay] " + strings.Join(append(parts, m.figures()...), ", ")
}
