package dispatch

import (
	"slices"
	"time"
)

const (
	formerKept = 3                // incarnations remembered beside the present one
	quietReset = 10 * time.Minute // returns longer ago do not count any more
	returnsMax = 2                // so many returns, and the host is refused for a while
)

// lineage remembers which processes of a host's agent were there. A process has a random incarnation; one that comes back after
// another took over has never ended, so two of them live.
type lineage struct {
	current  string
	former   []string
	returns  int
	last     time.Time // of the last return
	refuseTo time.Time
}

// came notes a session of an incarnation. twice says that two agents use the identity, refused that the session may not be.
func (l *lineage) came(incarnation string, now time.Time, quarantine time.Duration) (twice, refused bool) {
	if now.Before(l.refuseTo) {
		return false, true
	}
	if incarnation == l.current {
		return false, false
	}
	twice = slices.Contains(l.former, incarnation)
	if l.current != "" {
		l.former = append(slices.DeleteFunc(l.former, func(f string) bool { return f == l.current }), l.current)
	}
	l.current = incarnation
	if over := len(l.former) - formerKept; over > 0 {
		l.former = slices.Delete(l.former, 0, over)
	}
	if !twice {
		return false, false
	}
	if now.Sub(l.last) > quietReset {
		l.returns = 0
	}
	l.last = now
	l.returns++
	if l.returns >= returnsMax {
		l.returns, l.refuseTo = 0, now.Add(quarantine)
	}
	return true, now.Before(l.refuseTo)
}
