package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/fault"
)

// health is the answer of /healthz and /readyz.
type health struct {
	Status string `json:"status"`
}

func (s *Server) operationRoutes(h huma.API) {
	register(s, h, operation{id: "healthz", method: http.MethodGet, path: "/healthz", absolute: true, summary: "The daemon runs"},
		func(context.Context, control.Actor, *none) (*answer[health], error) {
			return ok(health{Status: "ok"}, nil)
		})
	register(s, h, operation{id: "readyz", method: http.MethodGet, path: "/readyz", absolute: true, summary: "The daemon's store answers and takes changes; 503 says why not"},
		func(ctx context.Context, _ control.Actor, _ *none) (*answer[health], error) {
			if err := s.ready.ask(ctx, s); err != nil {
				return nil, err
			}
			return ok(health{Status: "ready"}, nil)
		})
	s.raw(h, operation{id: "metrics", method: http.MethodGet, path: "/metrics", absolute: true, summary: "Figures for Prometheus",
		responses: content("200", "The exposition format", "text/plain")}, s.metrics)
	s.raw(h, operation{id: "openapi", method: http.MethodGet, path: "/openapi.json", absolute: true, summary: "This document",
		responses: content("200", "OpenAPI 3.1", "application/openapi+json")}, s.openapi)
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if s.cfg.MetricsPage == nil {
		writeProblem(w, newProblem(http.StatusNotFound, fault.NotFound, "This daemon keeps no metrics."))
		return
	}
	s.cfg.MetricsPage.ServeHTTP(w, r)
}

func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(s.openAP) // a client that is gone needs no answer
}

// content describes an answer that is not JSON of a type of ours.
func content(status, description string, types ...string) map[string]*huma.Response {
	r := &huma.Response{Description: description, Content: map[string]*huma.MediaType{}}
	for _, t := range types {
		r.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return map[string]*huma.Response{status: r}
}

// readyFor is how long an answer of the store holds: the route is open, so it must not be a way to keep the store busy.
const readyFor = time.Second

type readiness struct {
	mu  sync.Mutex // held while the store is asked: one question at a time
	at  time.Time
	err error
}

func (r *readiness) ask(ctx context.Context, s *Server) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := s.clock(); r.at.IsZero() || now.Sub(r.at) >= readyFor || now.Before(r.at) {
		ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		r.at, r.err = now, nil
		if err := s.cfg.Control.Ready(ask); err != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "not ready", slog.Any("err", err))
			r.err = notReady(err)
		}
	}
	return r.err
}

// notReady says why, where the disk is to blame.
func notReady(err error) error {
	code, text := fault.Unavailable, "The daemon's store does not answer. Look at the daemon's log."
	switch c := fault.CodeOf(err); c {
	case fault.StorageFull, fault.StorageDenied, fault.StorageCorrupt:
		if message, known := fault.Message(err); known {
			code, text = c, message
		}
	}
	return newProblem(http.StatusServiceUnavailable, code, text)
}
