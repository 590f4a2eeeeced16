// Package httpfault is how errors are told over HTTP, to people's programs (package httpapi) and to agents (package agentws) alike:
// one status for each code, and a problem (RFC 9457) that says what may be shown. It has no state and starts no goroutine.
package httpfault

import (
	"crypto/rand"
	"encoding/json"
	"net/http"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

// ContentType of a problem.
const ContentType = "application/problem+json"

// Status is the HTTP status of a code.
func Status(code fault.Code) int {
	switch code {
	case fault.InvalidInput, fault.InvalidPath, fault.InvalidRepositoryURL:
		return http.StatusUnprocessableEntity
	case fault.Protocol, fault.VersionMismatch, fault.PinMismatch:
		return http.StatusBadRequest
	case fault.Unauthenticated, fault.TokenExpired, fault.TokenUsed, fault.TokenInvalid:
		return http.StatusUnauthorized
	case fault.Forbidden, fault.PolicyDenied, fault.HostRevoked:
		return http.StatusForbidden
	case fault.NotFound, fault.UnknownHost, fault.UnknownPlan, fault.UnknownRepository, fault.UnknownJob, fault.UnknownSnapshot:
		return http.StatusNotFound
	case fault.Conflict, fault.JobEnded, fault.HostOffline, fault.NoSecret, fault.SecretStore, fault.ResticMissing, fault.ResticTooOld:
		return http.StatusConflict
	case fault.TooLarge, fault.FrameTooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Timeout:
		return http.StatusGatewayTimeout
	case fault.StorageFull:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}

// New is a problem whose words are known.
func New(status int, code fault.Code, detail string) api.Problem {
	title := http.StatusText(status)
	if title == "" {
		title = "Error"
	}
	return api.Problem{Title: title, Status: status, Detail: detail, Code: code}
}

// Of is the problem that tells err: in the words of its fault, or, when it has none that may be shown, by a reference alone. A problem
// with a reference has to be logged under it, with err, by the caller.
func Of(err error) api.Problem {
	detail, known := fault.Message(err)
	code := fault.CodeOf(err)
	if !known {
		code = fault.Internal
	}
	p := New(Status(code), code, detail)
	if p.Status >= http.StatusInternalServerError {
		p.Ref = NewRef()
	}
	if !known {
		p.Detail = "Internal error. The daemon's log says more under the reference " + p.Ref + "."
	}
	return p
}

// NewRef is a reference under which the log says what an answer does not.
func NewRef() string { return rand.Text()[:10] }

// Write answers with p. Headers of the answer are set before.
func Write(w http.ResponseWriter, p api.Problem) {
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(p.Status)
	if b, err := json.Marshal(p); err == nil { // strings and a number: there is no other case
		_, _ = w.Write(append(b, '\n')) // a client that is gone needs no answer
	}
}
