package wsconn_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/wsconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server that hands each accepted connection to handle and closes it afterwards.
func serve(t *testing.T, opt wsconn.Options, handle func(*wsconn.Conn)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := wsconn.Accept(w, r, opt)
		if err != nil {
			return
		}
		defer c.CloseNow()
		handle(c)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func dial(t *testing.T, url string, opt wsconn.DialOptions) *wsconn.Conn {
	t.Helper()
	c, _, err := wsconn.Dial(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseNow)
	return c
}

func echo(c *wsconn.Conn) {
	for {
		frame, err := c.Read(context.Background())
		if err != nil || c.Write(context.Background(), frame) != nil {
			return
		}
	}
}

func TestFramesBothWays(t *testing.T) {
	url := serve(t, wsconn.Options{ReadLimit: 1 << 20}, echo)
	c := dial(t, url, wsconn.DialOptions{ReadLimit: 1 << 20})
	for _, want := range []string{`{"v":1}`, strings.Repeat("x", 1<<20)} {
		if err := c.Write(t.Context(), []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Read(t.Context())
		if err != nil || string(got) != want {
			t.Fatalf("got %d bytes, %v; want %d", len(got), err, len(want))
		}
	}
	if err := c.Close(wsconn.CloseNormal, "done"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(wsconn.CloseNormal, "again"); err != nil {
		t.Fatal(err)
	}
}

func TestOverlongFrameIsRefusedOnBothSides(t *testing.T) {
	seen := make(chan error, 1)
	url := serve(t, wsconn.Options{ReadLimit: 1000}, func(c *wsconn.Conn) {
		_, err := c.Read(context.Background())
		seen <- err
	})
	c := dial(t, url, wsconn.DialOptions{})
	if err := c.Write(t.Context(), make([]byte, 1001)); err != nil {
		t.Fatal(err)
	}
	if err := <-seen; fault.CodeOf(err) != fault.FrameTooLarge {
		t.Fatalf("reader: %v", err)
	}
	_, err := c.Read(t.Context())
	if fault.CodeOf(err) != fault.FrameTooLarge || wsconn.CloseStatus(err) != wsconn.CloseFrameTooLarge {
		t.Fatalf("writer: %v", err)
	}
}

func TestReadLimitCanGrow(t *testing.T) {
	url := serve(t, wsconn.Options{ReadLimit: 10}, func(c *wsconn.Conn) {
		c.SetReadLimit(100)
		echo(c)
	})
	c := dial(t, url, wsconn.DialOptions{})
	if err := c.Write(t.Context(), make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Read(t.Context()); err != nil || len(got) != 100 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

func TestBinaryFrameIsRefused(t *testing.T) {
	seen := make(chan error, 1)
	url := serve(t, wsconn.Options{}, func(c *wsconn.Conn) {
		_, err := c.Read(context.Background())
		seen <- err
	})
	ws, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }() // the server has closed it
	if err := ws.Write(t.Context(), websocket.MessageBinary, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); wsconn.CloseStatus(err) != wsconn.CloseUnsupported {
		t.Fatalf("close: %v", err)
	}
	if err := <-seen; fault.CodeOf(err) != fault.Protocol {
		t.Fatalf("reader: %v", err)
	}
}

func TestOriginIsRefused(t *testing.T) {
	header := http.Header{"Origin": {"https://evil.example"}}
	url := serve(t, wsconn.Options{}, echo)
	_, resp, err := wsconn.Dial(t.Context(), url, wsconn.DialOptions{Header: header})
	if fault.CodeOf(err) != fault.Forbidden || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("%v %v", resp, err)
	}
	open := serve(t, wsconn.Options{AllowOrigin: true}, echo)
	dial(t, open, wsconn.DialOptions{Header: header})
}

func TestNoCompressionIsAgreed(t *testing.T) {
	url := serve(t, wsconn.Options{}, echo)
	ws, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	if ext := resp.Header.Get("Sec-WebSocket-Extensions"); ext != "" {
		t.Errorf("extensions %q", ext)
	}
	if err := ws.CloseNow(); err != nil {
		t.Error(err)
	}
}

func TestRefusedHandshakesAreCoded(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   fault.Code
	}{
		{"unauthorized", 401, "", fault.Unauthenticated},
		{"forbidden", 403, "", fault.Forbidden},
		{"not found", 404, "", fault.NotFound},
		{"too many", 429, "", fault.RateLimited},
		{"redirect", 302, "", fault.Unavailable},
		{"something else", 200, "<html>", fault.Unavailable},
		{"problem", 403, `{"title":"Forbidden","status":403,"code":"host_revoked","detail":"This host was revoked. Enrol it anew."}`, fault.HostRevoked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body) // a short body; the client's side is what is tested
			}))
			defer srv.Close()
			_, resp, err := wsconn.Dial(t.Context(), srv.URL, wsconn.DialOptions{})
			if fault.CodeOf(err) != tt.want || resp == nil {
				t.Fatalf("got %q (%v), want %q", fault.CodeOf(err), err, tt.want)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := wsconn.Dial(t.Context(), "wss://"+addr, wsconn.DialOptions{}); fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("refused: %v", err)
	}
	if _, _, err := wsconn.Dial(t.Context(), "nonsense", wsconn.DialOptions{}); fault.CodeOf(err) != fault.InvalidInput {
		t.Fatalf("no address: %v", err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = quiet()
	srv.StartTLS()
	defer srv.Close()
	if _, _, err := wsconn.Dial(t.Context(), srv.URL, wsconn.DialOptions{}); fault.CodeOf(err) != fault.PinMismatch {
		t.Fatalf("%v", err)
	}
}

func TestHalfOpenPeerIsNoticed(t *testing.T) {
	silent := make(chan struct{})
	url := serve(t, wsconn.Options{}, func(*wsconn.Conn) { <-silent }) // nobody reads: no pong comes
	defer close(silent)
	c := dial(t, url, wsconn.DialOptions{KeepAlive: wsconn.KeepAlive{Interval: 20 * time.Millisecond, Timeout: 50 * time.Millisecond}})
	if _, err := c.Read(t.Context()); fault.CodeOf(err) != fault.Timeout {
		t.Fatalf("%v", err)
	}
}

func TestKeepAliveLeavesALivePeerAlone(t *testing.T) {
	pings := make(chan struct{}, 100)
	url := serve(t, wsconn.Options{}, echo)
	c := dial(t, url, wsconn.DialOptions{KeepAlive: wsconn.KeepAlive{Interval: 5 * time.Millisecond, Timeout: 10 * time.Second}})
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(context.Background())
		read <- err
	}()
	for range 5 { // pings of our own among those of KeepAlive
		if err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		pings <- struct{}{}
	}
	if err := c.Close(wsconn.CloseNormal, ""); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err == nil || fault.CodeOf(err) == fault.Timeout {
		t.Fatalf("%v", err)
	}
}

func TestStuckReaderLosesTheConnection(t *testing.T) {
	done := make(chan error, 1)
	url := serve(t, wsconn.Options{WriteTimeout: 100 * time.Millisecond}, func(c *wsconn.Conn) {
		frame := make([]byte, 1<<20)
		for {
			if err := c.Write(context.Background(), frame); err != nil {
				done <- err
				return
			}
		}
	})
	dial(t, url, wsconn.DialOptions{})
	if err := <-done; fault.CodeOf(err) != fault.Timeout {
		t.Fatalf("%v", err)
	}
}

// TestCloseIsBounded: the peer neither reads nor answers, and a reader and a writer are under way.
func TestCloseIsBounded(t *testing.T) {
	silent := make(chan struct{})
	url := serve(t, wsconn.Options{}, func(*wsconn.Conn) { <-silent })
	defer close(silent)
	c := dial(t, url, wsconn.DialOptions{})
	results := make(chan error, 2)
	go func() {
		_, err := c.Read(context.Background())
		results <- err
	}()
	go func() {
		for {
			if err := c.Write(context.Background(), make([]byte, 1<<20)); err != nil {
				results <- err
				return
			}
		}
	}()
	start := time.Now()
	if err := c.Close(wsconn.ClosePolicy, "revoked"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-results; err == nil {
			t.Fatal("a call went on")
		}
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Fatalf("close took %v", d)
	}
}

func TestCancelledReadAndCode(t *testing.T) {
	url := serve(t, wsconn.Options{}, func(c *wsconn.Conn) {
		if err := c.Close(4408, "slow"); err != nil {
			t.Error(err)
		}
	})
	c := dial(t, url, wsconn.DialOptions{})
	_, err := c.Read(t.Context())
	if wsconn.CloseStatus(err) != 4408 || fault.CodeOf(err) != fault.Unavailable {
		t.Fatalf("%v", err)
	}
	if wsconn.CloseStatus(errors.New("x")) != -1 {
		t.Fatal("a code from nowhere")
	}

	silent := serve(t, wsconn.Options{}, echo)
	c2 := dial(t, silent, wsconn.DialOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c2.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
}

// TestFramesRightBehindTheHandshake: what the client sends before it has the answer is not lost, with any size of buffer.
func TestFramesRightBehindTheHandshake(t *testing.T) {
	for _, size := range []int{0, 16, 512} {
		for _, length := range []int{1, 100, 3000, 70_000} {
			url := serve(t, wsconn.Options{Buffer: size, ReadLimit: 1 << 20}, echo)
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			request := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
			frame := binary.BigEndian.AppendUint64([]byte{0x81, 0x80 | 127}, uint64(length)) // text, masked with zeros
			frame = append(append(frame, 0, 0, 0, 0), strings.Repeat("x", length)...)
			if _, err := conn.Write(append([]byte(request), frame...)); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("%v %v", resp, err)
			}
			echoed, err := io.ReadAll(io.LimitReader(r, int64(length)))
			if err != nil || len(echoed) != length {
				t.Fatalf("buffer %d: %d of %d bytes came back, %v", size, len(echoed), length, err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
