package app_test

import (
	"crypto/tls"
	"net"
	"sync"
	"testing"

	"github.com/backstay/backstay/shared/pin"
)

// mute is a connection on which a client says its hello and never hears the answer.
type mute struct {
	net.Conn
	said sync.Once
	done chan struct{} // closed when the hello is out
	end  <-chan struct{}
}

func (m *mute) Write(p []byte) (int, error) {
	defer m.said.Do(func() { close(m.done) })
	return m.Conn.Write(p)
}

func (m *mute) Read([]byte) (int, error) {
	<-m.end
	return 0, net.ErrClosed
}

// TestHandshakesThatGoSilent: more of them than are worked on at once keep nobody out, and do not hold up the end.
func TestHandshakesThatGoSilent(t *testing.T) {
	cfg := settings(t, t.TempDir())
	addUser(t, cfg, "ada")
	d := start(t, cfg)
	end := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(end)
	for range 300 {
		c, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		m := &mute{Conn: c, done: make(chan struct{}), end: end}
		all.Go(func() {
			if err := tls.Client(m, pin.ClientTLS(d.pin, nil)).Handshake(); err == nil {
				t.Error("a handshake without an answer")
			}
		})
		<-m.done
	}
	if _, err := d.signIn("ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.stop(); err != nil {
		t.Fatal(err)
	}
}
