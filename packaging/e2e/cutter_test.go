//go:build !windows

package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// cutter is a TCP proxy in front of the daemon that can spoil every connection through it.
type cutter struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	pairs  map[*pair]struct{}
	delay  time.Duration
	away   bool // new connections are refused
	closed bool
}

type pair struct {
	client, server net.Conn
	frozen         chan struct{} // closed: nothing passes any more, nobody is told
	once           sync.Once
}

func (p *pair) freeze() { p.once.Do(func() { close(p.frozen) }) }

func newCutter(t testing.TB, target string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, target: target, pairs: map[*pair]struct{}{}}
	c.wg.Add(1)
	go c.accept()
	t.Cleanup(c.close)
	return c
}

func (c *cutter) address() string { return "https://" + c.listener.Addr().String() }

func (c *cutter) accept() {
	defer c.wg.Done()
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		if c.isAway() {
			reset(client)
			continue
		}
		server, err := net.DialTimeout("tcp", c.target, 2*time.Second)
		if err != nil {
			reset(client)
			continue
		}
		p := &pair{client: client, server: server, frozen: make(chan struct{})}
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			reset(client)
			reset(server)
			return
		}
		c.pairs[p] = struct{}{}
		c.mu.Unlock()
		c.wg.Add(2)
		go c.pump(p, client, server)
		go c.pump(p, server, client)
	}
}

// pump carries bytes one way until either side ends or the pair is frozen.
func (c *cutter) pump(p *pair, from, to net.Conn) {
	defer c.wg.Done()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if d := c.currentDelay(); d > 0 && n > 0 {
			time.Sleep(d) // the fault itself: a slow network
		}
		select {
		case <-p.frozen:
			if _, err := io.Copy(io.Discard, from); err != nil {
				return
			}
			return
		default:
		}
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	reset(p.client)
	reset(p.server)
	c.mu.Lock()
	delete(c.pairs, p)
	c.mu.Unlock()
}

func (c *cutter) currentDelay() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.delay
}

func (c *cutter) setDelay(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = d
}

// each calls f for every open connection.
func (c *cutter) each(f func(*pair)) {
	c.mu.Lock()
	list := make([]*pair, 0, len(c.pairs))
	for p := range c.pairs {
		list = append(list, p)
	}
	c.mu.Unlock()
	for _, p := range list {
		f(p)
	}
}

func (c *cutter) isAway() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}

// refuse cuts every connection and lets none through until it is taken back.
func (c *cutter) refuse(away bool) {
	c.mu.Lock()
	c.away = away
	c.mu.Unlock()
	if away {
		c.reset()
	}
}

// reset cuts every connection with a TCP reset.
func (c *cutter) reset() { c.each(func(p *pair) { reset(p.client); reset(p.server) }) }

// halfOpen stops all traffic of the present connections without telling either side.
func (c *cutter) halfOpen() { c.each((*pair).freeze) }

func (c *cutter) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	if err := c.listener.Close(); err != nil {
		return
	}
	c.each(func(p *pair) { p.freeze(); reset(p.client); reset(p.server) })
	c.wg.Wait()
}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // best effort: the connection may be gone
	}
	_ = conn.Close() // as above
}
