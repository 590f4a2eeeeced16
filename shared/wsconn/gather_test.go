package wsconn_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/backstay/backstay/shared/wsconn"
)

// recordCounter counts the TLS records of application data that come in.
type recordCounter struct {
	net.Listener
	mu    sync.Mutex
	count int
}

type countedConn struct {
	net.Conn
	all  *recordCounter
	rest []byte // of a record that is not whole yet
}

func (l *recordCounter) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: c, all: l}, nil
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.rest = append(c.rest, p[:n]...)
	const head, applicationData = 5, 23
	for len(c.rest) >= head {
		size := head + int(binary.BigEndian.Uint16(c.rest[3:]))
		if len(c.rest) < size {
			break
		}
		if c.rest[0] == applicationData {
			c.all.mu.Lock()
			c.all.count++
			c.all.mu.Unlock()
		}
		c.rest = c.rest[size:]
	}
	return n, err
}

func (l *recordCounter) take() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.count
	l.count = 0
	return n
}

// serveTLS is serve behind TLS, with what counts its records and what trusts it.
func serveTLS(t testing.TB, handle func(*wsconn.Conn)) (url string, records *recordCounter, trust *tls.Config) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := wsconn.Accept(w, r, wsconn.Options{ReadLimit: 1 << 20})
		if err != nil {
			return
		}
		defer c.CloseNow()
		handle(c)
	}))
	records = &recordCounter{Listener: srv.Listener}
	srv.Listener = records
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return srv.URL, records, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}
}

func TestFramesFillTheirRecords(t *testing.T) {
	url, records, trust := serveTLS(t, echo)
	c := dial(t, url, wsconn.DialOptions{ReadLimit: 1 << 20, TLS: trust})
	const young = 200_000 // bytes: crypto/tls begins a connection with small records
	for _, size := range []int{young, 0, 1, 125, 126, 4082, 4088, 4089, 4090, 4096, 16_376, 16_377, 16_384, 32_768, 65_535, 65_536, 100_000, 900_000} {
		sent := bytes.Repeat([]byte("äbc"), size/4+1)[:size]
		for i := range sent {
			sent[i] &= 0x7f
		}
		records.take()
		if err := c.Write(t.Context(), sent); err != nil {
			t.Fatal(err)
		}
		got, err := c.Read(t.Context())
		if err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes came back as %d, err %v", size, len(got), err)
		}
		if n := records.take(); n > (size+14)/(16<<10)+1 && size != young {
			t.Errorf("a frame of %d bytes took %d records", size, n)
		}
	}
}

// TestPingsBesideFrames: what goes between two frames is not held back.
func TestPingsBesideFrames(t *testing.T) {
	url, _, trust := serveTLS(t, echo)
	c := dial(t, url, wsconn.DialOptions{ReadLimit: 1 << 20, TLS: trust})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		for ctx.Err() == nil {
			if _, err := c.Read(ctx); err != nil {
				return
			}
		}
	})
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := c.Write(ctx, make([]byte, 50_000)); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	})
	for range 20 {
		if err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkWrite writes frames as an agent does at 3,000 lines/s.
func BenchmarkWrite(b *testing.B) {
	const size = 35_000
	url, records, trust := serveTLS(b, func(c *wsconn.Conn) {
		for {
			if _, err := c.Read(context.Background()); err != nil {
				return
			}
		}
	})
	c, _, err := wsconn.Dial(b.Context(), url, wsconn.DialOptions{TLS: trust})
	if err != nil {
		b.Fatal(err)
	}
	defer c.CloseNow()
	frame := make([]byte, size)
	b.SetBytes(size)
	for b.Loop() {
		if err := c.Write(b.Context(), frame); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records.take())/float64(b.N), "records/op")
}
