package sqlite

import (
	"context"
	"slices"
	"sync"
)

// line is the order in which Updates take the one writer. It is bounded by the requests under way, which wait in it.
type line struct {
	mu      sync.Mutex
	busy    bool
	waiting []chan *group // the longest waiting first; each holds one
}

// join waits for the writer and gives the group to go on with. Each join is followed by pass, and when that found nobody by free.
func (l *line) join(ctx context.Context) (*group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	if !l.busy {
		l.busy = true
		l.mu.Unlock()
		return newGroup(), nil
	}
	turn := make(chan *group, 1)
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case g := <-turn:
		return g, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, turn); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		return nil, ctx.Err()
	}
	return <-turn, nil // it was this one's turn already: there is the group
}

// pass hands the group to who waits longest; false when nobody waits.
func (l *line) pass(g *group) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.passLocked(g)
}

func (l *line) passLocked(g *group) bool {
	if len(l.waiting) == 0 {
		return false
	}
	l.waiting[0] <- g
	l.waiting = slices.Delete(l.waiting, 0, 1)
	return true
}

// free begins a new group with who waits longest, or leaves the writer to whoever comes.
func (l *line) free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = l.passLocked(newGroup())
}
