package model

import "time"

// SpeedWindow is over how long a speed is smoothed.
const SpeedWindow = 5 * time.Second

// meterSamples bounds what a Meter keeps: at ten samples a second it covers the window.
const meterSamples = 64

// Meter measures a speed from counts of bytes at times of one clock. Its zero value is ready.
type Meter struct {
	samples []sample // oldest first, those of the window and the one before it
	peak    float64
}

type sample struct {
	at    time.Time
	bytes int64
}

// Add takes a count. One that is lower than before, or of an earlier time, begins anew: the job started over.
func (m *Meter) Add(at time.Time, bytes int64) {
	if n := len(m.samples); n > 0 {
		last := m.samples[n-1]
		switch {
		case bytes < last.bytes || at.Before(last.at):
			m.samples = m.samples[:0]
		case at.Equal(last.at):
			m.samples[n-1].bytes = bytes
			return
		case n == meterSamples: // more often than the window needs: the newest moves on
			m.samples[n-1] = sample{at, bytes}
		}
	}
	if n := len(m.samples); n == 0 || m.samples[n-1].at.Before(at) {
		m.samples = append(m.samples, sample{at, bytes})
	}
	from := at.Add(-SpeedWindow)
	for len(m.samples) > 2 && !m.samples[1].at.After(from) {
		m.samples = append(m.samples[:0], m.samples[1:]...)
	}
	if r, long := m.rate(); long {
		m.peak = max(m.peak, r)
	}
}

// Rate gives bytes a second over the window, 0 before there are two counts.
func (m *Meter) Rate() float64 {
	r, _ := m.rate()
	return r
}

// Peak gives the highest Rate that was measured over a second at least.
func (m *Meter) Peak() float64 { return m.peak }

func (m *Meter) rate() (r float64, long bool) {
	n := len(m.samples)
	if n < 2 {
		return 0, false
	}
	first, last := m.samples[0], m.samples[n-1]
	d := last.at.Sub(first.at)
	return float64(last.bytes-first.bytes) / d.Seconds(), d >= time.Second
}
