package app_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/identity/identitytest"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

const (
	agentID = fleet.AgentID("01JDB0000000000000000000A1")
	hostID  = fleet.HostID("01JDB0000000000000000000H1")
)

// daemon plays the daemon's side: it enrols and welcomes, over real TLS.
type daemon struct {
	ca      *identitytest.CA
	server  *httptest.Server
	address string
	token   string
	hellos  chan agentwire.Hello
	wg      sync.WaitGroup
	once    sync.Once

	mu    sync.Mutex
	conns []*wsconn.Conn
	used  int
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	ca, err := identitytest.New()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{ca: ca, token: "token", hellos: make(chan agentwire.Hello, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+agentwire.PathEnrol, d.enrol)
	mux.HandleFunc("GET "+agentwire.PathConnect, d.connect)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		d.answer(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	d.server = httptest.NewUnstartedServer(mux)
	d.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if d.server.TLS, err = ca.ServerTLS(); err != nil {
		t.Fatal(err)
	}
	d.server.StartTLS()
	d.address = d.server.URL
	t.Cleanup(d.stop)
	return d
}

// stop takes the daemon away. It may be called again.
func (d *daemon) stop() {
	d.once.Do(func() {
		d.mu.Lock()
		for _, c := range d.conns {
			c.CloseNow()
		}
		d.mu.Unlock()
		d.server.Close()
		d.wg.Wait()
	})
}

func (d *daemon) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the test that misses it fails
}

func (d *daemon) enrol(w http.ResponseWriter, r *http.Request) {
	var m agentwire.EnrolRequest
	err := json.NewDecoder(r.Body).Decode(&m)
	if err != nil || m.Token != d.token {
		d.answer(w, http.StatusUnauthorized, map[string]any{"code": fault.TokenInvalid, "detail": "Ask for a token.", "status": http.StatusUnauthorized})
		return
	}
	cert, err := d.ca.Sign(m.CSR, agentID, time.Now().Add(-time.Hour), time.Now().Add(30*24*time.Hour))
	if err != nil {
		d.answer(w, http.StatusUnprocessableEntity, map[string]any{"code": fault.InvalidInput, "detail": err.Error(), "status": http.StatusUnprocessableEntity})
		return
	}
	d.mu.Lock()
	d.used++
	d.mu.Unlock()
	d.answer(w, http.StatusOK, agentwire.EnrolResponse{AgentID: agentID, HostID: hostID, Certificate: cert, CA: d.ca.PEM()})
}

// spent tells how often the token was used.
func (d *daemon) spent() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

func (d *daemon) connect(w http.ResponseWriter, r *http.Request) {
	conn, err := wsconn.Accept(w, r, wsconn.Options{ReadLimit: agentwire.MaxFrameBeforeHello})
	if err != nil {
		return
	}
	d.mu.Lock()
	d.conns = append(d.conns, conn)
	d.mu.Unlock()
	d.wg.Go(func() { d.session(conn) })
}

// session welcomes an agent and reads on until it leaves.
func (d *daemon) session(conn *wsconn.Conn) {
	defer conn.CloseNow()
	frame, err := conn.Read(context.Background())
	if err != nil {
		return
	}
	e, err := agentwire.Decode(frame)
	if err != nil {
		return
	}
	hello, err := agentwire.Payload[agentwire.Hello](e)
	if err != nil {
		return
	}
	welcome, err := agentwire.Encode(agentwire.TypeWelcome, "", "", agentwire.Welcome{Session: "1", Epoch: "e", HeartbeatMS: 60_000, CreditBytes: 1 << 20})
	if err != nil || conn.Write(context.Background(), welcome) != nil {
		return
	}
	d.hellos <- hello
	for {
		if _, err := conn.Read(context.Background()); err != nil {
			return
		}
	}
}

// next is the next hello that was welcomed.
func (d *daemon) next(t *testing.T) agentwire.Hello {
	t.Helper()
	select {
	case h := <-d.hellos:
		return h
	case <-time.After(patience):
		t.Fatal("nobody connected")
		return agentwire.Hello{}
	}
}
