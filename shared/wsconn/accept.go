package wsconn

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/backstay/backstay/shared/fault"
)

// Options of Accept.
type Options struct {
	ReadLimit    int64 // bytes of one frame; DefaultReadLimit when 0
	AllowOrigin  bool  // a request with an Origin header comes from a browser's page; refused with 403 unless set
	WriteTimeout time.Duration
	KeepAlive    KeepAlive
}

// Accept takes a WebSocket handshake. On an error the answer has been written to w. The Conn outlives the handler, but r's
// context does not: pass another one to Read and Write.
func Accept(w http.ResponseWriter, r *http.Request, opt Options) (*Conn, error) {
	if !opt.AllowOrigin && len(r.Header.Values("Origin")) > 0 {
		err := fault.New(fault.Forbidden, "This endpoint is not for browsers: a request with an Origin header is refused.")
		http.Error(w, err.Message, http.StatusForbidden)
		return nil, err
	}
	catch := &catchConn{ResponseWriter: w}
	ws, err := websocket.Accept(catch, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the Origin rule is ours, above
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fault.Wrap(fault.Protocol, err, "The request is not a WebSocket handshake. Connect with a Backstay program.")
	}
	return newConn(ws, catch.conn, opt.ReadLimit, opt.WriteTimeout, opt.KeepAlive), nil
}

// catchConn keeps hold of the connection that the handshake takes over.
type catchConn struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack is what the handshake calls.
func (c *catchConn) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	c.conn = conn
	return conn, rw, nil
}
