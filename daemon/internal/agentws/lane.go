package agentws

import (
	"context"
	"sync"
)

// laneRoom is how many calls may wait in a lane. A lane that is full means that the store is far behind: the session is closed,
// and the agent, which has everything on its own disk, comes back and sends it again.
const laneRoom = 1024

// lane carries out a session's calls to the store, one after the other in the order they came, off the read loop. Its goroutine
// is there only while there are calls.
type lane struct {
	ctx context.Context
	wg  *sync.WaitGroup // of the session

	mu      sync.Mutex
	calls   []func(context.Context)
	running bool
	closed  bool
}

// add has f called; false means that the lane is full.
func (l *lane) add(f func(context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return true // the session is over: nobody cares
	}
	if len(l.calls) >= laneRoom {
		return false
	}
	l.calls = append(l.calls, f)
	if !l.running {
		l.running = true
		l.wg.Go(l.run)
	}
	return true
}

func (l *lane) run() {
	for {
		f := l.next()
		if f == nil {
			return
		}
		f(l.ctx)
	}
}

func (l *lane) next() func(context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.calls) == 0 || l.closed {
		l.running, l.calls = false, nil
		return nil
	}
	f := l.calls[0]
	l.calls[0] = nil
	l.calls = l.calls[1:]
	return f
}

// close drops what waits; the agent sends it again in its next session.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}
