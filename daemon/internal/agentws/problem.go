package agentws

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

// status is the HTTP status of the codes that these endpoints give; any other is an internal error to the agent.
func status(code fault.Code) int {
	switch code {
	case fault.InvalidInput:
		return http.StatusUnprocessableEntity
	case fault.Protocol, fault.VersionMismatch:
		return http.StatusBadRequest
	case fault.Unauthenticated, fault.TokenExpired, fault.TokenUsed, fault.TokenInvalid:
		return http.StatusUnauthorized
	case fault.Forbidden, fault.HostRevoked:
		return http.StatusForbidden
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.StorageFull:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}

// problem answers with an error. What may not be shown is logged under a reference instead.
func (h *Handler) problem(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody is there to be told
	}
	code := fault.CodeOf(err)
	p := api.Problem{Status: status(code), Code: code}
	p.Detail, _ = fault.Message(err)
	if p.Status == http.StatusInternalServerError {
		p.Ref = rand.Text()[:10]
		h.log.Error("agent's request failed", "ref", p.Ref, "err", err)
		if p.Detail == "" {
			p.Detail = "Internal error. The daemon's log says more under the reference " + p.Ref + "."
		}
	}
	p.Title = http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	write(w, p)
}

func (h *Handler) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	write(w, v)
}

func write(w http.ResponseWriter, v any) {
	if b, err := json.Marshal(v); err == nil { // strings and numbers: there is no other case
		_, _ = w.Write(append(b, '\n')) // an agent that is gone needs no answer
	}
}
