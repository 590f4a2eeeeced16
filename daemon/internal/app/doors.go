package app

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	handshakesAtOnce = 128
	// A handshake keeps its place for so long at most: a peer that goes silent in its midst keeps nobody out.
	handshakePlace = 2 * time.Second
	// Whoever waits for a place for longer is sent away and tries again later. Agents give up by themselves after 30 s, and what is
	// begun shortly before is work for nothing.
	handshakePatience = 10 * time.Second
	// What a handshake has in which to be done once it has its place.
	handshakeLimit = 10 * time.Second
)

// doors lets so many TLS handshakes be under way at once, and the others wait in the order of their arrival. When a whole fleet
// comes back, all of its handshakes at once would each take as long as all of them together, which is longer than anybody waits.
type doors struct {
	places chan struct{} // one for each handshake that is worked on; while it is full, the next wait
	over   chan struct{} // closed by end
	ending sync.Once

	mu     sync.Mutex
	inside map[net.Conn]*time.Timer // who has a place, by the connection below TLS
}

func newDoors() *doors {
	return &doors{places: make(chan struct{}, handshakesAtOnce), over: make(chan struct{}), inside: map[net.Conn]*time.Timer{}}
}

var (
	errDoorsBusy   = errors.New("too many connections begin at once")
	errDoorsClosed = errors.New("the daemon stops")
)

// admit is the listener's GetConfigForClient: it is called when a client has said its hello, before anything is computed.
func (d *doors) admit(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	patience := time.NewTimer(handshakePatience)
	defer patience.Stop()
	select {
	case d.places <- struct{}{}:
	case <-patience.C:
		return nil, errDoorsBusy
	case <-d.over:
		return nil, errDoorsClosed
	}
	c := hello.Conn
	d.mu.Lock()
	d.inside[c] = time.AfterFunc(handshakePlace, func() { d.leave(c) })
	d.mu.Unlock()
	return nil, c.SetDeadline(time.Now().Add(handshakeLimit)) // nil: the listener's own settings
}

// leave gives a connection's place to the next, if it has one.
func (d *doors) leave(c net.Conn) {
	d.mu.Lock()
	t, has := d.inside[c]
	delete(d.inside, c)
	d.mu.Unlock()
	if has {
		t.Stop()
		<-d.places
	}
}

// note is part of the server's ConnState: a connection that is past its handshake needs no place.
func (d *doors) note(c net.Conn, s http.ConnState) {
	if t, ok := c.(*tls.Conn); ok && s != http.StateNew {
		d.leave(t.NetConn())
	}
}

// end sends away who waits.
func (d *doors) end() { d.ending.Do(func() { close(d.over) }) }
