package dispatch

import (
	"slices"
	"time"
)

const (
	formerKept = 3           // incarnations remembered beside the present one
	quietReset = time.Minute // after so long without a return they are counted anew
	returnsSay = 3           // so many returns are said in the log: a connection that a slow network held up makes two
	returnsMax = 8           // so many, and the host is refused for a while
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

// came notes a session of an incarnation. clone says that two agents seem to use the identity, refused that the session may not
// be.
func (l *lineage) came(incarnation string, now time.Time, quarantine time.Duration) (clone, refused bool) {
	if now.Before(l.refuseTo) {
		return false, true
	}
	if incarnation == l.current {
		return false, false
	}
	back := slices.Contains(l.former, incarnation)
	if l.current != "" {
		l.former = append(slices.DeleteFunc(l.former, func(f string) bool { return f == l.current }), l.current)
	}
	l.current = incarnation
	if over := len(l.former) - formerKept; over > 0 {
		l.former = slices.Delete(l.former, 0, over)
	}
	if !back {
		return false, false
	}
	if now.Sub(l.last) > quietReset {
		l.returns = 0
	}
	l.last = now
	l.returns++
	if l.returns >= returnsMax {
		l.returns, l.refuseTo = 0, now.Add(quarantine)
		return true, true
	}
	return l.returns == returnsSay, false
}
