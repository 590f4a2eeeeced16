package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/fault"
)

// Bounds of one request.
const (
	maxBody      = 1 << 20
	maxOpenBody  = 16 << 10         // of a route without a token
	writeTime    = 30 * time.Second // for an answer, or a page of a download, to be taken
	requestTime  = 2 * time.Minute  // for a handler that is not a stream
	bearerPrefix = "Bearer "
	maxBearer    = 512
)

// request is what the guard found out; handlers find it in the context.
type request struct {
	route  string
	remote string
	accept string // taken out of the request: what huma makes of it is not what we offer
	bearer string
	actor  control.Actor
}

type requestKey struct{}

func requestOf(ctx context.Context) request {
	r, _ := ctx.Value(requestKey{}).(request)
	return r
}

// ServeHTTP is the way of every request: names, headers, route, guard, handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: w}
	began := s.clock()
	defer func() {
		if v := recover(); v != nil {
			s.panicked(rec, r, v)
		}
		if s.cfg.Metrics != nil {
			s.cfg.Metrics.Request(routeLabel(r), rec.status, s.clock().Sub(began))
		}
	}()
	secure(rec.Header())
	if !s.hostAllowed(r.Host) {
		writeProblem(rec, newProblem(http.StatusForbidden, fault.Forbidden,
			fmt.Sprintf("The daemon does not answer to the name %.100q. Use one of its own names, or add this one to names in its configuration.", r.Host)))
		return
	}
	if _, pattern := s.mux.mux.Handler(r); pattern == "" {
		s.noRoute(rec, r)
		return
	}
	s.mux.ServeHTTP(rec, r)
}

// routeLabel is the pattern that matched: a bounded set, whatever is asked for.
func routeLabel(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// panicked answers for a handler with a mistake in it. The server's own way of ending a connection goes on.
func (s *Server) panicked(rec *recorder, r *http.Request, v any) {
	if v == http.ErrAbortHandler { //nolint:errorlint // a panic value, never wrapped
		panic(v)
	}
	if rec.failed { // huma panics when an answer cannot be written: the client left, or does not read
		panic(http.ErrAbortHandler)
	}
	p := s.logged(r.Context(), fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
	if rec.status == 0 {
		writeProblem(rec, p)
	}
}

func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// noRoute answers what no route takes; the mux knows whether the method or the path is wrong.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) {
	probe := &verdict{header: http.Header{}}
	s.mux.mux.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		allow := probe.header.Get("Allow")
		w.Header().Set("Allow", allow)
		writeProblem(w, newProblem(probe.status, fault.InvalidInput, "This path does not take this method; it takes "+allow+". See /openapi.json."))
		return
	}
	writeProblem(w, newProblem(http.StatusNotFound, fault.NotFound, "There is no such path. See /openapi.json for those that there are."))
}

// verdict only remembers a status.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }
func (v *verdict) WriteHeader(status int)      { v.status = status }

// guard lets only those through that the row names, with their body read.
func (s *Server) guard(row access, next http.HandlerFunc) http.HandlerFunc {
	limit := int64(maxBody)
	if row.open {
		limit = maxOpenBody
	}
	return func(w http.ResponseWriter, r *http.Request) {
		req := request{route: r.Pattern, remote: r.RemoteAddr, accept: r.Header.Get("Accept")}
		r.Header.Del("Accept")
		ctx := context.WithValue(r.Context(), requestKey{}, req)
		if !row.open {
			bearer, actor, err := s.authenticate(ctx, r)
			if err == nil && !actor.Role.Allows(row.role) {
				err = fault.New(fault.Forbidden, "This needs the role %s and you have %s. Ask an administrator.", row.role, actor.Role)
			}
			if err != nil {
				writeProblem(w, s.problemOf(ctx, err))
				return
			}
			req.bearer, req.actor = bearer, actor
			ctx = context.WithValue(r.Context(), requestKey{}, req)
		}
		if !row.stream {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, requestTime)
			defer cancel()
		}
		if p := readBody(w, r, limit, s.cfg.BodyTime); p != nil {
			writeProblem(w, p)
			return
		}
		next(w, r.WithContext(ctx))
	}
}

// authenticate finds out who asks.
func (s *Server) authenticate(ctx context.Context, r *http.Request) (string, control.Actor, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 || len(headers[0]) > maxBearer || len(headers[0]) <= len(bearerPrefix) ||
		!strings.EqualFold(headers[0][:len(bearerPrefix)], bearerPrefix) {
		return "", control.Actor{}, fault.New(fault.Unauthenticated, "There is no bearer token in the request. Sign in first (`backstay login`), or give an API token.")
	}
	bearer := headers[0][len(bearerPrefix):]
	actor, err := s.cfg.Control.Authenticate(ctx, bearer)
	if err != nil {
		return "", control.Actor{}, err
	}
	return bearer, actor, nil
}

// readBody reads a request's body whole and in bounded time, and puts it back.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, within time.Duration) *problem {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the rest of the body is not read
		return tooLarge(limit)
	}
	rc := http.NewResponseController(w)
	deadlined := rc.SetReadDeadline(time.Now().Add(within)) == nil // a test's recorder has no deadlines
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		w.Header().Set("Connection", "close")
		return tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return newProblem(http.StatusRequestTimeout, fault.Timeout, "The request's body did not arrive in time. Try again.")
	case err != nil:
		return newProblem(http.StatusBadRequest, fault.InvalidInput, "The request's body could not be read. Send it again.")
	}
	if deadlined {
		_ = rc.SetReadDeadline(time.Time{}) // it worked above
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

func allowedHosts(names []string) map[string]bool {
	m := map[string]bool{"localhost": true}
	for _, n := range names {
		m[strings.ToLower(strings.TrimSuffix(n, "."))] = true
	}
	return m
}

// hostAllowed tells whether the Host header is ours. An address is always fine: a page that was loaded from one has that
// address as its origin; only a name can be pointed at us by somebody else.
func (s *Server) hostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return s.hosts[strings.ToLower(strings.TrimSuffix(name, "."))]
}

// recorder notes the status and gives the answer its deadline.
type recorder struct {
	http.ResponseWriter
	status int
	failed bool // the client took no more
}

// WriteHeader starts the time that the client has to take the answer.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		if status != http.StatusSwitchingProtocols {
			extendWrite(r.ResponseWriter)
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write is WriteHeader(200) first, as ever.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	n, err := r.ResponseWriter.Write(b)
	r.failed = r.failed || err != nil
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// extendWrite gives the client another writeTime to take what is written.
func extendWrite(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)) // a test's recorder has none
}
