package vm

import "time"

// seriesLength is how many seconds of throughput are kept.
const seriesLength = 300

// series is bytes a second, second by second, from counts of bytes at times of one clock. Bytes between two counts are spread
// evenly over the time between them.
type series struct {
	begun  bool
	first  time.Time // start of values[0]
	values []float64 // the last one is still being filled
	at     time.Time
	bytes  int64
}

func (s *series) add(at time.Time, bytes int64) {
	switch {
	case !s.begun:
		s.begun, s.first, s.values = true, at, append(s.values[:0], 0)
	case at.Sub(s.at) > seriesLength*time.Second:
		s.first, s.values = at, append(s.values[:0], 0)
	case at.After(s.at) && bytes >= s.bytes:
		s.spread(at, float64(bytes-s.bytes)/at.Sub(s.at).Seconds())
	case at.Before(s.at): // the host's clock was set back
		return
	}
	s.at, s.bytes = at, bytes
}

// spread adds a rate from the last count on until a time.
func (s *series) spread(until time.Time, rate float64) {
	for from := s.at; from.Before(until); {
		i := int(from.Sub(s.first) / time.Second)
		for len(s.values) <= i {
			s.values = append(s.values, 0)
		}
		end := s.first.Add(time.Duration(i+1) * time.Second)
		if end.After(until) {
			end = until
		}
		s.values[i] += rate * end.Sub(from).Seconds()
		from = end
	}
	if more := len(s.values) - 1 - seriesLength; more > 0 {
		s.values = append(s.values[:0], s.values[more:]...)
		s.first = s.first.Add(time.Duration(more) * time.Second)
	}
}

// whole gives the seconds that are over, oldest first.
func (s *series) whole() []float64 {
	if len(s.values) == 0 {
		return nil
	}
	return s.values[:len(s.values)-1]
}

// smooth gives the mean of each value and those around it, width in all; fewer at the ends.
func smooth(values []float64, width int) []float64 {
	out := make([]float64, len(values))
	for i := range values {
		half := min(width/2, i, len(values)-1-i)
		sum := 0.0
		for _, v := range values[i-half : i+half+1] {
			sum += v
		}
		out[i] = sum / float64(2*half+1)
	}
	return out
}
