package app

import (
	"net"
	"net/http"
	"sync"
)

// quietConns are the server's connections without a request under way. http.Server.Shutdown alone waits for them: a second for each
// of HTTP/2, five for one that has said nothing yet. Here they go at once, and Shutdown waits for requests only.
type quietConns struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
	over bool
}

// note is the server's ConnState.
func (q *quietConns) note(c net.Conn, s http.ConnState) {
	q.mu.Lock()
	quiet := s == http.StateNew || s == http.StateIdle
	switch {
	case !quiet:
		delete(q.open, c)
	case !q.over:
		if q.open == nil {
			q.open = map[net.Conn]struct{}{}
		}
		q.open[c] = struct{}{}
	}
	drop := quiet && q.over
	q.mu.Unlock()
	if drop {
		_ = c.Close() // its client has its answer, and hears that there are no more
	}
}

// end closes those that are quiet, and from now on each that becomes so.
func (q *quietConns) end() {
	q.mu.Lock()
	q.over = true
	open := q.open
	q.open = nil
	q.mu.Unlock()
	for c := range open {
		_ = c.Close() // closed by the other side meanwhile, at worst
	}
}
