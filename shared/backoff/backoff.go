// Package backoff computes the pauses between tries: exponential with full jitter, so that ten thousand agents do not come back
// in the same second. It has no state, no clock and no randomness of its own.
package backoff

import (
	"math"
	"time"
)

// Backoff describes a series of pauses that grows by Factor from Min to Max.
type Backoff struct {
	Min    time.Duration
	Max    time.Duration
	Factor float64 // 2 when 0
}

// Next gives the pause before try number attempt (0 is the first retry): between Min and the grown bound. rnd gives numbers in [0,1).
func (b Backoff) Next(attempt int, rnd func() float64) time.Duration {
	factor := b.Factor
	if factor == 0 {
		factor = 2
	}
	bound := float64(b.Min) * math.Pow(factor, float64(max(attempt, 0)+1))
	if bound > float64(b.Max) || math.IsInf(bound, 0) {
		bound = float64(b.Max)
	}
	if bound < float64(b.Min) {
		return b.Min
	}
	return b.Min + time.Duration(rnd()*(bound-float64(b.Min)))
}
