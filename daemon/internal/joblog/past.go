package joblog

import (
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// past is how far a job was in the last minutes, oldest first: at most maxPast points, 2 KiB for a job that runs for long. When it is
// full the oldest point goes.
type past []fleet.ProgressPoint

const (
	pastEvery = 5 * time.Second
	maxPast   = 60 // points: five minutes
)

// add keeps a progress, unless the newest point is of the last seconds. A job that begins anew, or whose host's clock was set back,
// has no past.
func (p past) add(now fleet.Progress) past {
	switch n := len(p); {
	case n == 0:
	case now.At.Before(p[n-1].At) || now.BytesDone < p[n-1].BytesDone:
		p = p[:0]
	case now.At.Sub(p[n-1].At) < pastEvery:
		return p
	case n == maxPast:
		copy(p, p[1:])
		p = p[:n-1]
	}
	return append(p, fleet.ProgressPoint{At: now.At, BytesDone: now.BytesDone})
}
