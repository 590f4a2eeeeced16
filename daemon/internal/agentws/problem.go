package agentws

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/backstay/backstay/daemon/internal/httpfault"
)

// problem answers with an error. What may not be shown is logged under a reference instead.
func (h *Handler) problem(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody is there to be told
	}
	p := httpfault.Of(err)
	if p.Ref != "" {
		h.log.Error("agent's request failed", "ref", p.Ref, "err", err)
	}
	httpfault.Write(w, p)
}

func (h *Handler) answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if b, err := json.Marshal(v); err == nil { // strings: there is no other case
		_, _ = w.Write(append(b, '\n')) // an agent that is gone needs no answer
	}
}
