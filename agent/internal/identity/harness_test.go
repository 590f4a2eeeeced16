package identity_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/agent/internal/identity/identitytest"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	agentID = fleet.AgentID("agent-1")
	hostID  = fleet.HostID("host-1")
	token   = "bse_token"
)

// daemon answers enrolments and renewals as it is told.
type daemon struct {
	*identitytest.CA
	*httptest.Server

	mu       sync.Mutex
	bodies   []string // of all requests
	shown    []*tls.ConnectionState
	from, to time.Duration                                             // life of what it signs, from now
	answer   func(w http.ResponseWriter, path, csr string) (done bool) // instead of the usual; may be nil
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	ca, err := identitytest.New()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{CA: ca, from: -time.Hour, to: 30 * 24 * time.Hour}
	d.Server = httptest.NewUnstartedServer(d)
	if d.TLS, err = ca.ServerTLS(); err != nil {
		t.Fatal(err)
	}
	d.Config.ErrorLog = log.New(io.Discard, "", 0)
	d.StartTLS()
	t.Cleanup(d.Close)
	return d
}

func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	d.bodies, d.shown = append(d.bodies, string(body)), append(d.shown, r.TLS)
	answer := d.answer
	d.mu.Unlock()
	var m struct{ Token, CSR string }
	if err := json.Unmarshal(body, &m); err != nil {
		problem(w, http.StatusBadRequest, "invalid_input")
		return
	}
	if answer != nil && answer(w, r.URL.Path, m.CSR) {
		return
	}
	cert, err := d.Sign(m.CSR, agentID, time.Now().Add(d.from), time.Now().Add(d.to))
	switch {
	case err != nil:
		problem(w, http.StatusBadRequest, "invalid_input")
	case r.URL.Path == agentwire.PathEnrol && m.Token == token:
		reply(w, agentwire.EnrolResponse{AgentID: agentID, HostID: hostID, Certificate: cert, CA: d.PEM()})
	case r.URL.Path == agentwire.PathEnrol:
		problem(w, http.StatusForbidden, "token_used")
	case r.URL.Path == agentwire.PathRenew && len(r.TLS.PeerCertificates) == 1:
		reply(w, agentwire.RenewResponse{Certificate: cert})
	default:
		problem(w, http.StatusUnauthorized, "unauthenticated")
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": code, "detail": "No. Try otherwise."})
}

func (d *daemon) setAnswer(f func(w http.ResponseWriter, path, csr string) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = f
}

func (d *daemon) requests() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.bodies)
}
