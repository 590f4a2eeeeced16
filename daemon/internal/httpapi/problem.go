package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/httpfault"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

// statusClientGone is what the log and the metrics call a request whose client left; nobody receives it.
const statusClientGone = 499

// problem is an error answer: what huma writes for an error of a handler.
type problem struct {
	api.Problem
	retryAfter int // seconds, 0: none
}

var (
	_ huma.StatusError       = (*problem)(nil)
	_ huma.ContentTypeFilter = (*problem)(nil)
)

func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return httpfault.ContentType }

// MarshalJSON writes the api.Problem alone.
func (p *problem) MarshalJSON() ([]byte, error) { return json.Marshal(p.Problem) }

// GetHeaders is how huma learns of further headers.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="backstay"`)
	}
	return h
}

func newProblem(status int, code fault.Code, detail string) *problem {
	return &problem{Problem: httpfault.New(status, code, detail)}
}

// problemOf turns any error of a use case into an answer, and logs what the answer does not say.
func (s *Server) problemOf(ctx context.Context, err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return newProblem(statusClientGone, fault.Unavailable, "The client went away.")
	}
	if errors.Is(err, context.DeadlineExceeded) && fault.CodeOf(err) == fault.Internal {
		err = fault.Wrap(fault.Timeout, err, "The daemon did not get this done in time. Try again; if it stays so, look at the daemon's log.")
	}
	p = s.logged(ctx, err)
	if p.Code == fault.RateLimited || p.Code == fault.Unavailable {
		p.retryAfter = 5
	}
	return p
}

// logged makes the answer to err, and logs what it does not say.
func (s *Server) logged(ctx context.Context, err error) *problem {
	p := &problem{Problem: httpfault.Of(err)}
	if p.Ref != "" {
		s.logUnder(ctx, p.Ref, err)
	}
	return p
}

// logError logs err and gives the reference under which it did.
func (s *Server) logError(ctx context.Context, err error) string {
	ref := httpfault.NewRef()
	s.logUnder(ctx, ref, err)
	return ref
}

func (s *Server) logUnder(ctx context.Context, ref string, err error) {
	s.log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("ref", ref), slog.String("route", requestOf(ctx).route), slog.Any("err", err))
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, p *problem) {
	for k, v := range p.GetHeaders() {
		w.Header()[k] = v
	}
	httpfault.Write(w, p.Problem)
}

// translate is huma's transformer: its own errors become ours.
func (s *Server) translate(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	return s.problemOfModel(ctx.Context(), m), nil
}

// maxReasons bounds how many faults of a request one answer names.
const maxReasons = 8

func (s *Server) problemOfModel(ctx context.Context, m *huma.ErrorModel) *problem {
	var p *problem
	switch {
	case m.Status == http.StatusRequestEntityTooLarge:
		return tooLarge(maxBody)
	case m.Status == http.StatusUnsupportedMediaType:
		p = newProblem(m.Status, fault.InvalidInput, "The body is not JSON. Send it with Content-Type: application/json.")
	case m.Status >= http.StatusInternalServerError:
		p = s.logged(ctx, fmt.Errorf("huma: %s: %s", m.Detail, reasons(m)))
		p.Status, p.Title = m.Status, http.StatusText(m.Status)
	default:
		p = newProblem(m.Status, fault.InvalidInput, "The request is not valid: "+reasons(m)+". See /openapi.json for what is expected.")
	}
	return p
}

// reasons lists where and why, never the value: it may be a password.
func reasons(m *huma.ErrorModel) string {
	var all []string
	for i, e := range m.Errors {
		if e == nil {
			continue
		}
		if i == maxReasons {
			all = append(all, "and more")
			break
		}
		text := e.Message
		if strings.HasPrefix(e.Location, "body") && e.Value != nil && e.Location == "body" {
			text = "it is not the JSON that is expected here" // a decoder's words may quote the body
		}
		if e.Location != "" {
			text = e.Location + ": " + text
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return m.Detail
	}
	return strings.Join(all, "; ")
}

func tooLarge(limit int64) *problem {
	return newProblem(http.StatusRequestEntityTooLarge, fault.TooLarge,
		fmt.Sprintf("The request's body is larger than the %d KiB that are taken here. Send less.", limit>>10))
}
