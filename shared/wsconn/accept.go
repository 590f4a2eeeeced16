package wsconn

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
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
	// Buffer is the size in bytes of each of the two buffers of the connection; 4 KiB when 0. A small one costs a large frame
	// one more packet, and saves memory where thousands of connections are idle.
	Buffer int
}

// Accept takes a WebSocket handshake. On an error the answer has been written to w. The Conn outlives the handler, but r's
// context does not: pass another one to Read and Write.
func Accept(w http.ResponseWriter, r *http.Request, opt Options) (*Conn, error) {
	if !opt.AllowOrigin && len(r.Header.Values("Origin")) > 0 {
		err := fault.New(fault.Forbidden, "This endpoint is not for browsers: a request with an Origin header is refused.")
		http.Error(w, err.Message, http.StatusForbidden)
		return nil, err
	}
	catch := &catchConn{ResponseWriter: w, buffer: opt.Buffer}
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
	buffer int
	conn   net.Conn
}

// Hijack is what the handshake calls.
func (c *catchConn) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	c.conn = conn
	if c.buffer <= 0 {
		return conn, rw, nil
	}
	r, err := moved(rw.Reader, conn, c.buffer)
	if err != nil {
		return nil, nil, fmt.Errorf("take over what was read: %w", errors.Join(err, conn.Close()))
	}
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, c.buffer)), nil
}

// moved makes a reader of conn with a buffer of size that holds what old has read ahead: what the client sent right behind its
// handshake.
func moved(old *bufio.Reader, conn net.Conn, size int) (*bufio.Reader, error) {
	early, err := old.Peek(old.Buffered())
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn), max(size, len(early)))
	if len(early) > 0 {
		_, err = r.Peek(len(early)) // the handshake looks at what is buffered only
	}
	return r, err
}
