package agentws_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// cutter is a TCP proxy that ends each connection after a random number of bytes: with a reset, or by going half-open.
type cutter struct {
	t      testing.TB
	l      net.Listener
	target string
	most   int64
	wg     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	kind  int // changes from one connection to the next
}

func newCutter(t testing.TB, target string, most int64) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{t: t, l: l, target: target, most: most, conns: map[net.Conn]struct{}{}}
	c.wg.Go(c.accept)
	t.Cleanup(c.close)
	return c
}

func (c *cutter) addr() string { return c.l.Addr().String() }

func (c *cutter) accept() {
	for {
		in, err := c.l.Accept()
		if err != nil {
			return
		}
		out, err := net.DialTimeout("tcp", c.target, 5*time.Second)
		if err != nil {
			_ = in.Close() // the daemon is gone: so is the client's connection
			continue
		}
		c.mu.Lock()
		c.conns[in], c.conns[out] = struct{}{}, struct{}{}
		c.kind++
		kind, limit := c.kind%3, rand.Int64N(c.most)
		c.mu.Unlock()
		c.wg.Go(func() { c.carry(in, out, kind, limit) })
		c.wg.Go(func() { c.carry(out, in, kind, 1<<60) })
	}
}

// carry copies until limit bytes went one way, and then spoils the connection as kind says.
func (c *cutter) carry(from, to net.Conn, kind int, limit int64) {
	_, err := io.CopyN(to, from, limit)
	if err == nil && kind == 0 { // half-open: what comes is swallowed, nobody is told
		_, _ = io.Copy(io.Discard, from) // ends when one side gives up
	}
	if tcp, ok := from.(*net.TCPConn); ok && err == nil && kind == 1 {
		_ = tcp.SetLinger(0) // a reset instead of a goodbye
	}
	_ = from.Close() // both ends may be closed already
	_ = to.Close()
}

func (c *cutter) close() {
	if err := c.l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		c.t.Error(err)
	}
	c.mu.Lock()
	for conn := range c.conns {
		_ = conn.Close() // most are closed
	}
	c.mu.Unlock()
	c.wg.Wait()
}
