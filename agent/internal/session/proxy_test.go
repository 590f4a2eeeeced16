package session_test

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between agent and daemon. It breaks each connection after a while, in a way of its own.
type proxy struct {
	target string
	l      net.Listener
	wg     sync.WaitGroup

	mu     sync.Mutex
	rnd    *rand.Rand
	calm   bool // break nothing any more
	halves int  // connections that were left half open; each takes the agent its whole patience
	conns  []net.Conn
}

const maxHalves = 2

type breach int

const (
	reset    breach = iota // RST, in the middle of whatever is under way
	closed                 // FIN
	halfOpen               // nothing is passed on any more, nobody is told
	slow                   // chunks come late, then reset
	breaches
)

func newProxy(t testing.TB, target string, seed uint64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: target, l: l, rnd: rand.New(rand.NewPCG(seed, 1))}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close() // only to end accept
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

// settle lets everything pass from now on; present connections end.
func (p *proxy) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calm = true
	for _, c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) accept() {
	for {
		from, err := p.l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = from.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, from, to)
		f := &flaw{how: breach(p.rnd.IntN(int(breaches))), calm: p.calm, left: 4000 + p.rnd.Int64N(200_000), a: from, b: to}
		if p.rnd.IntN(4) == 0 {
			f.left, f.how = p.rnd.Int64N(5000), reset // within the handshakes, where half open would only mean to wait for dialTimeout
		}
		if f.how == halfOpen {
			if p.halves++; p.halves > maxHalves {
				f.how = closed
			}
		}
		p.mu.Unlock()
		p.wg.Go(func() { f.pass(from, to) })
		p.wg.Go(func() { f.pass(to, from) })
	}
}

// flaw is what happens to one connection once left bytes have passed, counted over both directions.
type flaw struct {
	how  breach
	calm bool
	a, b net.Conn

	mu   sync.Mutex
	left int64
}

// allow tells how many of n bytes still pass.
func (f *flaw) allow(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calm {
		return n
	}
	ok := min(int64(n), max(f.left, 0))
	f.left -= int64(n)
	return int(ok)
}

func (f *flaw) pass(from, to net.Conn) {
	b := make([]byte, 4<<10)
	for {
		n, err := from.Read(b)
		ok := f.allow(n)
		if f.how == slow && !f.calm && n > 0 {
			time.Sleep(time.Millisecond)
		}
		if ok > 0 {
			if _, werr := to.Write(b[:ok]); werr != nil && err == nil {
				err = werr
			}
		}
		if ok < n {
			f.strike()
			if f.how != halfOpen {
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

func (f *flaw) strike() {
	if f.how == halfOpen {
		return
	}
	for _, c := range []net.Conn{f.a, f.b} {
		if t, ok := c.(*net.TCPConn); ok && f.how != closed {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
	}
}
