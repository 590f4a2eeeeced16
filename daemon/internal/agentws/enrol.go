package agentws

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
)

// maxBody bounds a request for enrolment or renewal in bytes.
const maxBody = 64 << 10

// enrol spends a token for a certificate. All that can be wrong with the request is looked at before the token.
func (h *Handler) enrol(w http.ResponseWriter, r *http.Request) {
	if !h.enrolments.Allow(auth.AddressKey(r.RemoteAddr)) {
		h.problem(w, fault.New(fault.RateLimited, "Too many enrolments come from this address. Wait a minute and try again."))
		return
	}
	m, err := body[agentwire.EnrolRequest](w, r)
	if err != nil {
		h.problem(w, err)
		return
	}
	csr, err := pki.ParseRequest(m.CSR)
	if err != nil {
		h.problem(w, err)
		return
	}
	host, err := h.cfg.Control.Enrol(r.Context(), m.Token, m.Facts)
	if err != nil {
		h.problem(w, err)
		return
	}
	cert, err := h.cfg.Authority.IssueAgent(csr, host.AgentID)
	if err != nil {
		h.problem(w, err)
		return
	}
	h.log.Info("agent enrolled", "host_id", host.ID, "name", host.Name)
	h.answer(w, agentwire.EnrolResponse{AgentID: host.AgentID, HostID: host.ID, Certificate: cert, CA: h.cfg.Authority.CA()})
}

// renew gives an agent a fresh certificate under its present one.
func (h *Handler) renew(w http.ResponseWriter, r *http.Request) {
	id, host, err := h.agent(r.Context(), r.TLS)
	if err != nil {
		h.problem(w, err)
		return
	}
	m, err := body[agentwire.RenewRequest](w, r)
	if err != nil {
		h.problem(w, err)
		return
	}
	csr, err := pki.ParseRequest(m.CSR)
	if err != nil {
		h.problem(w, err)
		return
	}
	cert, err := h.cfg.Authority.IssueAgent(csr, id)
	if err != nil {
		h.problem(w, err)
		return
	}
	h.log.Info("agent's certificate renewed", "host_id", host)
	h.answer(w, agentwire.RenewResponse{Certificate: cert})
}

func body[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	var v T
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return v, fault.New(fault.TooLarge, "The request's body is larger than the %d KiB that are taken here. Update the agent.", maxBody>>10)
	case err != nil:
		return v, fault.Wrap(fault.Unavailable, err, "The request broke off. Try again.")
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fault.Wrap(fault.InvalidInput, err, "The request's body is not the JSON that is expected here. Update the agent.")
	}
	return v, nil
}
