package agentws_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/daemon/internal/agentws"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a daemon without its console side: real store, real log, real sockets with TLS.
type world struct {
	*control.Service
	t        testing.TB
	store    *sqlite.Store
	logs     *joblog.Store
	dispatch *dispatch.Dispatcher
	handler  *agentws.Handler
	pki      *pki.PKI
	addr     string
	pin      string
	said     *logBuffer
	admin    control.Actor
}

type settings struct {
	agentws  agentws.Config
	dispatch dispatch.Config
	joblog   joblog.Config
	logs     func(*joblog.Store) control.Logs // something between agents and the log
}

func newWorld(t testing.TB, set settings) *world {
	t.Helper()
	w := &world{t: t, said: &logBuffer{}, admin: control.Actor{Name: "ada", Role: fleet.RoleAdmin}}
	said := slog.New(slog.NewTextHandler(w.said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	dir := t.TempDir()
	var err error
	check := func(what string) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	w.store, err = sqlite.OpenStore(context.Background(), filepath.Join(dir, "state.db"), time.Now())
	check("open store")
	set.joblog.Dir, set.joblog.Log = dir, said
	w.logs, err = joblog.Open(set.joblog)
	check("open logs")
	w.pki, err = pki.Open(pki.Config{Dir: filepath.Join(dir, "pki"), Log: said})
	check("open pki")
	w.pin = w.pki.Pin()
	w.Service = control.New(control.Config{Store: w.store, Logs: w.logs, Log: said, CAPin: w.pki.Pin()})
	set.dispatch.Control, set.dispatch.Log = w.Service, said
	w.dispatch = dispatch.New(set.dispatch)
	w.SetDispatcher(w.dispatch)
	set.agentws.Control, set.agentws.Logs, set.agentws.Dispatch, set.agentws.Authority, set.agentws.Log = w.Service, w.logs, w.dispatch, w.pki, said
	if set.logs != nil {
		set.agentws.Logs = set.logs(w.logs)
	}
	w.handler = agentws.New(set.agentws)
	w.start()
	return w
}

// start serves until the test ends and then takes everything down in order.
func (w *world) start() {
	l, err := tls.Listen("tcp", "127.0.0.1:0", w.pki.TLS())
	if err != nil {
		w.t.Fatal(err)
	}
	w.addr = l.Addr().String()
	srv := &http.Server{Handler: w.handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { w.dispatch.Run(ctx) })
	wg.Go(func() { _ = srv.Serve(l) }) // always ends with ErrServerClosed
	w.t.Cleanup(func() {
		w.handler.Close()
		if err := srv.Close(); err != nil {
			w.t.Error(err)
		}
		stop()
		wg.Wait()
		if err := w.logs.Close(); err != nil {
			w.t.Error(err)
		}
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// logBuffer is where a world's log goes.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

func facts(hostname string) agentwire.Facts {
	return agentwire.Facts{Hostname: hostname, OS: "linux", Arch: "amd64", AgentVersion: "1.0.0", ResticVersion: "0.19.1",
		SealingKey: "age1example", SecretStore: fleet.SecretsKeyring}
}

// member is an enrolled agent's identity.
type member struct {
	agent fleet.AgentID
	host  fleet.HostID
	cert  tls.Certificate
}

func (w *world) token() string {
	w.t.Helper()
	token, err := w.CreateEnrolmentToken(w.t.Context(), w.admin, api.EnrolmentTokenRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	return token.Token
}

// enrol does what an agent does over the wire.
func (w *world) enrol(name string) member {
	w.t.Helper()
	return w.enrolWith(w.token(), name)
}

func (w *world) enrolWith(token, name string) member {
	w.t.Helper()
	key, csr := newKey(w.t)
	var answer agentwire.EnrolResponse
	if p := w.post(agentwire.PathEnrol, nil, agentwire.EnrolRequest{Token: token, CSR: csr, Facts: facts(name)}, &answer); p.Status != 0 {
		w.t.Fatalf("enrol: %+v", p)
	}
	return member{agent: answer.AgentID, host: answer.HostID, cert: pair(w.t, answer.Certificate, key)}
}

func newKey(t testing.TB) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw}))
}

func pair(t testing.TB, cert string, key *ecdsa.PrivateKey) tls.Certificate {
	t.Helper()
	if block, _ := pem.Decode([]byte(cert)); block != nil {
		return tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
	}
	t.Fatalf("no certificate in %q", cert)
	return tls.Certificate{}
}

// post sends a request; a zero Problem means that it went well.
func (w *world) post(path string, cert *tls.Certificate, in, out any) api.Problem {
	w.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.postRaw(path, cert, bytes.NewReader(raw), out)
}

func (w *world) postRaw(path string, cert *tls.Certificate, body io.Reader, out any) api.Problem {
	w.t.Helper()
	tr := &http.Transport{TLSClientConfig: pin.ClientTLS(w.pin, cert), DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Post("https://"+w.addr+path, "application/json", body)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := resp.Body.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var p api.Problem
	if resp.StatusCode != http.StatusOK {
		out = &p
	}
	if err := json.Unmarshal(data, out); err != nil {
		w.t.Fatalf("%s: %v in %q", path, err, data)
	}
	return p
}
