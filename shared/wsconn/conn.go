package wsconn

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/coder/websocket"

	"github.com/backstay/backstay/shared/fault"
)

// Close codes of RFC 6455 that both wires use.
const (
	CloseNormal        = int(websocket.StatusNormalClosure)
	CloseGoingAway     = int(websocket.StatusGoingAway)
	CloseProtocol      = int(websocket.StatusProtocolError)
	CloseUnsupported   = int(websocket.StatusUnsupportedData)
	ClosePolicy        = int(websocket.StatusPolicyViolation)
	CloseFrameTooLarge = int(websocket.StatusMessageTooBig)
	CloseInternal      = int(websocket.StatusInternalError)
	CloseTryAgainLater = int(websocket.StatusTryAgainLater)
)

// DefaultWriteTimeout is how long a peer may leave a frame unread before the connection counts as stuck.
const DefaultWriteTimeout = 10 * time.Second

// DefaultReadLimit bounds a frame in bytes where no ReadLimit is given.
const DefaultReadLimit = 64 << 10

// closeGrace bounds Close: the peer has that long to answer, then the connection is cut.
const closeGrace = time.Second

// Conn is one connection.
type Conn struct {
	ws      *websocket.Conn
	raw     net.Conn // below TLS: closing it ends every call at once
	timeout time.Duration
	alive   *keeper // nil without KeepAlive
}

func newConn(ws *websocket.Conn, raw net.Conn, readLimit int64, timeout time.Duration, ka KeepAlive) *Conn {
	if readLimit <= 0 {
		readLimit = DefaultReadLimit
	}
	if timeout <= 0 {
		timeout = DefaultWriteTimeout
	}
	ws.SetReadLimit(readLimit)
	c := &Conn{ws: ws, raw: belowTLS(raw), timeout: timeout}
	if ka.Interval > 0 {
		c.alive = newKeeper(ka, ws.Ping, c.cut)
	}
	return c
}

func belowTLS(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}

// Read gives the next frame. Its errors: fault.FrameTooLarge for a frame above the read limit, fault.Protocol for a frame that
// is not text, fault.Timeout when KeepAlive found the peer gone, ctx's error when ctx ended, and fault.Unavailable for any other
// end of the connection; CloseStatus tells the peer's code when it said goodbye.
func (c *Conn) Read(ctx context.Context) ([]byte, error) {
	r, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	frame, err := io.ReadAll(r)
	if err != nil {
		return nil, c.readError(ctx, err)
	}
	return frame, nil
}

// ReadInto is Read with the frame in buf, whose former content it replaces: for whoever reads many frames and keeps none.
func (c *Conn) ReadInto(ctx context.Context, buf *bytes.Buffer) error {
	r, err := c.begin(ctx)
	if err != nil {
		return err
	}
	buf.Reset()
	if _, err := buf.ReadFrom(r); err != nil {
		return c.readError(ctx, err)
	}
	return nil
}

// begin waits for the next frame.
func (c *Conn) begin(ctx context.Context) (io.Reader, error) {
	kind, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, c.readError(ctx, err)
	}
	if kind != websocket.MessageText {
		return nil, errors.Join(
			fault.New(fault.Protocol, "The peer sent a binary frame; Backstay speaks text frames only. Check that both sides run Backstay."),
			c.Close(CloseUnsupported, "text frames only"))
	}
	return r, nil
}

func (c *Conn) readError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("read frame: %w", errors.Join(ctx.Err(), err))
	case c.alive.lost():
		return fault.Wrap(fault.Timeout, err, "The peer stopped answering. The connection is made anew.")
	case errors.Is(err, websocket.ErrMessageTooBig):
		return fault.Wrap(fault.FrameTooLarge, err, "The peer sent a frame above the size limit. Check that both sides run the same release of Backstay.")
	case CloseStatus(err) == CloseFrameTooLarge:
		return fault.Wrap(fault.FrameTooLarge, err, "The peer refused a frame above its size limit. Check that both sides run the same release of Backstay.")
	}
	return fault.Wrap(fault.Unavailable, err, "The connection was lost. It is made anew when the peer answers.")
}

// Write sends one frame. It has a deadline of its own (10 s): a peer that does not read loses the connection, with fault.Timeout.
func (c *Conn) Write(ctx context.Context, frame []byte) error {
	wctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := c.ws.Write(wctx, websocket.MessageText, frame)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("write frame: %w", errors.Join(ctx.Err(), err))
	case wctx.Err() != nil:
		return fault.Wrap(fault.Timeout, err, "The peer does not read what it is sent. The connection is closed; come back and resume.")
	case c.alive.lost():
		return fault.Wrap(fault.Timeout, err, "The peer stopped answering. The connection is made anew.")
	}
	return fault.Wrap(fault.Unavailable, err, "The connection was lost. It is made anew when the peer answers.")
}

// Ping asks the peer for a sign of life and waits for it. Another goroutine must be in Read.
func (c *Conn) Ping(ctx context.Context) error {
	if err := c.ws.Ping(ctx); err != nil {
		return fmt.Errorf("ping peer: %w", err)
	}
	return nil
}

// SetReadLimit bounds the frames from the next one on.
func (c *Conn) SetReadLimit(n int64) { c.ws.SetReadLimit(n) }

// Close says goodbye with a code (RFC 6455, or 4000 to 4999) and a reason of at most 123 bytes, and ends the connection, at the
// latest after a second. Every Read and Write returns. It may be called again and is then without effect.
func (c *Conn) Close(code int, reason string) error {
	c.alive.stop()
	force := time.AfterFunc(closeGrace, c.cut)
	err := c.ws.Close(websocket.StatusCode(code), reason)
	force.Stop()
	c.cut()
	c.alive.wait()
	if err != nil && !goneAlready(err) {
		return fmt.Errorf("close connection: %w", err)
	}
	return nil
}

// CloseNow ends the connection without a word.
func (c *Conn) CloseNow() {
	c.alive.stop()
	c.cut()
	_ = c.ws.CloseNow() // its error says that the connection was closed, which is what is wanted
	c.alive.wait()
}

// cut ends the connection below everything, so that no blocked call can hold it.
func (c *Conn) cut() {
	_ = c.raw.Close() // a second close is the only error there is, and it is welcome
}

// goneAlready tells whether err only says that there was nobody left to say goodbye to.
func goneAlready(err error) bool {
	var ne net.Error
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) || CloseStatus(err) != -1
}

// CloseStatus is the code with which the peer closed the connection, or -1 when err does not come from a close.
func CloseStatus(err error) int { return int(websocket.CloseStatus(err)) }
