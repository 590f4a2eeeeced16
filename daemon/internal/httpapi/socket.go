package httpapi

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/backstay/backstay/daemon/internal/httpfault"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

// Bounds of a socket. Clients only ever send one small frame, the first.
const (
	socketReadLimit = 16 << 10
	pingEvery       = 30 * time.Second
	pingTimeout     = 20 * time.Second
)

// socket is one open WebSocket with what looks after it. The handler's goroutine writes; reading and the token have one each.
type socket struct {
	conn  *wsconn.Conn
	first chan []byte // the client's first frame; room for it, so that the reader never waits

	ctx    context.Context // ends with the socket, whatever ended it
	cancel context.CancelFunc
	once   sync.Once
	wg     sync.WaitGroup
}

// serveSocket takes the handshake and runs fn until it returns, the client leaves, the token ends or the daemon stops. fn's
// error says how the socket is closed.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, kind string, fn func(ctx context.Context, sock *socket) error) {
	if p := checkHandshake(r); p != nil {
		writeProblem(w, p)
		return
	}
	if !s.enter() {
		p := newProblem(http.StatusServiceUnavailable, fault.Unavailable, "The daemon has no room for one more stream, or is stopping. Try again in a few seconds.")
		p.retryAfter = 5
		writeProblem(w, p)
		return
	}
	defer s.leave()
	conn, err := wsconn.Accept(w, r, wsconn.Options{ReadLimit: socketReadLimit, WriteTimeout: s.cfg.WriteTime,
		KeepAlive: wsconn.KeepAlive{Interval: pingEvery, Timeout: pingTimeout}})
	if err != nil {
		return // Accept has answered
	}
	if s.cfg.Metrics != nil {
		s.cfg.Metrics.SocketOpened(kind)
		defer s.cfg.Metrics.SocketClosed(kind)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	sock := &socket{conn: conn, first: make(chan []byte, 1), ctx: ctx, cancel: cancel}
	sock.wg.Go(sock.read)
	sock.wg.Go(func() { s.guardSocket(ctx, sock, r) })
	err = fn(ctx, sock)
	sock.end(s.goodbye(ctx, err))
	sock.wg.Wait()
}

// checkHandshake refuses what wsconn would refuse, but as a problem.
func checkHandshake(r *http.Request) *problem {
	if len(r.Header.Values("Origin")) > 0 {
		return newProblem(http.StatusForbidden, fault.Forbidden, "This endpoint is not for browsers: a request with an Origin header is refused.")
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return newProblem(http.StatusUpgradeRequired, fault.Protocol, "This endpoint speaks WebSocket. Use `backstay jobs follow`, or a WebSocket client.")
	}
	return nil
}

// enter counts a socket in, unless there are too many or the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.open >= s.cfg.MaxSockets {
		return false
	}
	s.open++
	s.sockets.Add(1)
	return true
}

func (s *Server) leave() {
	s.mu.Lock()
	s.open--
	s.mu.Unlock()
	s.sockets.Done()
}

// read passes the first frame on and ends the socket when the client leaves or says more: there is nothing more to say.
func (sock *socket) read() {
	frame, err := sock.conn.Read(sock.ctx)
	if err == nil {
		sock.first <- frame
		if _, err = sock.conn.Read(sock.ctx); err == nil {
			sock.end(wsconn.ClosePolicy, "one frame is expected")
			return
		}
	}
	code := wsconn.CloseNormal
	if fault.CodeOf(err) == fault.FrameTooLarge {
		code = wsconn.CloseFrameTooLarge
	}
	sock.end(code, "")
}

// guardSocket ends the socket when its token does, when the daemon stops, or when the store was put back from a copy, so that the
// client comes back and is told to begin anew; also while a write is stuck.
func (s *Server) guardSocket(ctx context.Context, sock *socket, r *http.Request) {
	req := requestOf(r.Context())
	need := accessTable()[req.route].role
	epoch := s.cfg.Control.Epoch()
	tick := time.NewTicker(s.cfg.PollTokens)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.stop.Done():
			sock.end(api.CloseShutdown, "the daemon stops")
			return
		case <-tick.C:
		}
		actor, err := s.cfg.Control.Authenticate(ctx, req.bearer)
		switch {
		case s.cfg.Control.Epoch() != epoch:
			sock.end(wsconn.CloseGoingAway, "the daemon's store is another one")
			return
		case err == nil && !actor.Role.Allows(need):
			sock.end(api.CloseForbidden, "the role no longer allows this")
			return
		case err != nil && httpfault.Status(fault.CodeOf(err)) == http.StatusUnauthorized:
			sock.end(api.CloseUnauthorized, "sign in again")
			return
		}
		// Any other error is the store's, not the token's: ask again.
	}
}

// end closes the socket; the first call decides how it is called. The close comes before the cancel, because a write that is
// cancelled takes the connection with it, and the client would not learn why.
func (sock *socket) end(code int, reason string) {
	sock.once.Do(func() {
		_ = sock.conn.Close(code, reason) // the peer is told or is gone: both are the end
		sock.cancel()
	})
	sock.cancel()
}

// goodbye is the close code for what ended the stream.
func (s *Server) goodbye(ctx context.Context, err error) (code int, reason string) {
	switch fc := fault.CodeOf(err); {
	case err == nil:
		return wsconn.CloseNormal, ""
	case ctx.Err() != nil:
		return wsconn.CloseGoingAway, "" // closed already
	case fc == fault.Timeout:
		return api.CloseSlow, "read faster, or resume"
	case fc == fault.Unavailable:
		return wsconn.CloseGoingAway, ""
	case fc == fault.Protocol || fc == fault.VersionMismatch || fc == fault.InvalidInput:
		msg, _ := fault.Message(err)
		return wsconn.CloseProtocol, short(msg)
	case httpfault.Status(fc) == http.StatusNotFound:
		return api.CloseNotFound, "it is not there any more"
	}
	return wsconn.CloseInternal, "internal error, reference " + s.logError(ctx, err)
}

// short keeps a close reason within what RFC 6455 allows.
func short(s string) string {
	const limit = 120
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

// firstFrame waits for the client's first frame, which must be a message of type t.
func firstFrame[T any](ctx context.Context, sock *socket, t agentwire.Type, within time.Duration) (T, error) {
	var zero T
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case frame := <-sock.first:
		return decodeFirst[T](frame, t)
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-late.C:
		return zero, fault.New(fault.Protocol, "The first frame, %s, did not come within %v.", t, within)
	}
}

func decodeFirst[T any](frame []byte, t agentwire.Type) (T, error) {
	var zero T
	e, err := agentwire.Decode(frame)
	if err != nil {
		return zero, err
	}
	if e.Type != t {
		return zero, fault.New(fault.Protocol, "The first frame must be %s.", t)
	}
	return agentwire.Payload[T](e)
}

// send writes one message.
func (sock *socket) send(ctx context.Context, t agentwire.Type, job fleet.JobID, payload any) error {
	frame, err := agentwire.Encode(t, "", job, payload)
	if err != nil {
		return err
	}
	return sock.conn.Write(ctx, frame)
}
