package apiclient_test

import (
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/backstay/backstay/shared/apiclient/apitest"
)

// proxy stands between client and server and can cut or freeze what goes through it.
type proxy struct {
	target string
	l      net.Listener
	wg     sync.WaitGroup
	mu     sync.Mutex
	conns  []net.Conn
	frozen chan struct{} // closed: connections of its time pass nothing on
}

func newProxy(t *testing.T, s *apitest.Server) *proxy {
	t.Helper()
	u, err := url.Parse(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: u.Host, l: l, frozen: make(chan struct{})}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close() // only to end accept
		p.freeze()
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) address() string { return "https://" + p.l.Addr().String() }

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
		frozen := p.frozen
		p.mu.Unlock()
		p.wg.Go(func() { pump(from, to, frozen) })
		p.wg.Go(func() { pump(to, from, frozen) })
	}
}

func pump(from, to net.Conn, frozen <-chan struct{}) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		select {
		case <-frozen:
			for err == nil { // swallow until the connection is closed
				_, err = from.Read(b)
			}
			return
		default:
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				_ = from.Close()
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// freeze lets the present connections stand open and pass nothing on.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.frozen)
	p.frozen = make(chan struct{})
}

// cut closes the present connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}
