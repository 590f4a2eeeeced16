package session_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/agent/internal/identity/identitytest"
	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	agentID = fleet.AgentID("agent-1")
	soon    = 30 * time.Second // within which what is expected has come, on a busy machine too
	quiet   = 150 * time.Millisecond
)

// daemon takes connections; a test scripts what it says.
type daemon struct {
	*identitytest.CA
	*httptest.Server
	peers chan *peer // after hello

	mu     sync.Mutex
	refuse func(r *http.Request) int // HTTP status instead of a connection; 0: none
	open   []*peer
	wg     sync.WaitGroup
}

// peer is the daemon's end of one connection.
type peer struct {
	conn   *wsconn.Conn
	hello  agentwire.Hello
	serial string // of the certificate shown
	frames chan agentwire.Envelope
	gone   chan struct{} // closed with the connection, after err
	err    error
}

func newDaemon(t testing.TB) *daemon {
	t.Helper()
	ca, err := identitytest.New()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{CA: ca, peers: make(chan *peer, 1000)}
	d.Server = httptest.NewUnstartedServer(d)
	if d.TLS, err = ca.ServerTLS(); err != nil {
		t.Fatal(err)
	}
	d.Config.ErrorLog = log.New(io.Discard, "", 0)
	d.StartTLS()
	t.Cleanup(func() {
		d.mu.Lock()
		for _, p := range d.open {
			p.conn.CloseNow()
		}
		d.mu.Unlock()
		d.Close()
		d.wg.Wait()
	})
	return d
}

func (d *daemon) setRefuse(f func(r *http.Request) int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = f
}

func (d *daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	refuse := d.refuse
	d.mu.Unlock()
	status := 0
	if refuse != nil {
		status = refuse(r)
	}
	if status == 0 && len(r.TLS.PeerCertificates) == 0 {
		status = http.StatusUnauthorized
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	conn, err := wsconn.Accept(w, r, wsconn.Options{ReadLimit: agentwire.MaxFrameBeforeHello})
	if err != nil {
		return
	}
	p := &peer{conn: conn, serial: r.TLS.PeerCertificates[0].SerialNumber.String(), frames: make(chan agentwire.Envelope, 100_000), gone: make(chan struct{})}
	d.mu.Lock()
	d.open = append(d.open, p)
	d.mu.Unlock()
	d.wg.Go(func() { p.serve(d) })
}

func (p *peer) serve(d *daemon) {
	defer close(p.gone)
	defer p.conn.CloseNow()
	said := false
	for {
		frame, err := p.conn.Read(context.Background())
		if err != nil {
			p.err = err
			return
		}
		e, err := agentwire.Decode(frame)
		if err == nil && !said {
			p.hello, err = agentwire.Payload[agentwire.Hello](e)
		}
		if err != nil || !said && e.Type != agentwire.TypeHello {
			p.err = errors.Join(errors.New("the agent sent what it may not"), err)
			return
		}
		if !said {
			said = true
			p.conn.SetReadLimit(agentwire.MaxFrame)
			d.peers <- p
			continue
		}
		p.frames <- e
	}
}

// next is the next connection whose hello has come.
func (d *daemon) next(t testing.TB) *peer {
	t.Helper()
	select {
	case p := <-d.peers:
		return p
	case <-time.After(soon):
		t.Fatal("nobody connected")
		return nil
	}
}

// welcomed is the next connection, welcomed with a large credit and where every job stands at its beginning.
func (d *daemon) welcomed(t testing.TB, change ...func(*agentwire.Welcome)) *peer {
	t.Helper()
	p := d.next(t)
	w := agentwire.Welcome{Session: "1", Epoch: "e", HeartbeatMS: 60_000, CreditBytes: 1 << 30}
	for _, j := range p.hello.Jobs {
		w.Jobs = append(w.Jobs, agentwire.WelcomeJob{JobID: j.JobID, Desired: agentwire.DesireRun})
	}
	for _, f := range change {
		f(&w)
	}
	p.send(t, agentwire.TypeWelcome, "", "", w)
	return p
}

func (p *peer) send(t testing.TB, typ agentwire.Type, id string, job fleet.JobID, payload any) {
	t.Helper()
	frame, err := agentwire.Encode(typ, id, job, payload)
	if err == nil {
		err = p.conn.Write(context.Background(), frame)
	}
	if err != nil {
		t.Fatalf("send %s: %v", typ, err)
	}
}

// sendRaw sends a frame as it is.
func (p *peer) sendRaw(t testing.TB, frame string) {
	t.Helper()
	if err := p.conn.Write(context.Background(), []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

// read gives the agent's next frame but heartbeats.
func (p *peer) read(t testing.TB) agentwire.Envelope {
	t.Helper()
	timeout := time.After(soon)
	for {
		select {
		case e := <-p.frames:
			if e.Type != agentwire.TypeHeartbeat {
				return e
			}
		case <-p.gone:
			select {
			case e := <-p.frames:
				return e
			default:
			}
			t.Fatalf("the connection ended: %v", p.err)
		case <-timeout:
			t.Fatal("the agent says nothing")
		}
	}
}

// silent fails if the agent says anything but heartbeats for a while.
func (p *peer) silent(t testing.TB) {
	t.Helper()
	timeout := time.After(quiet)
	for {
		select {
		case e := <-p.frames:
			if e.Type != agentwire.TypeHeartbeat {
				t.Fatalf("unexpected %s %s", e.Type, e.Payload)
			}
		case <-p.gone:
			t.Fatalf("the connection ended: %v", p.err)
		case <-timeout:
			return
		}
	}
}

// ended waits for the end of the connection and gives the agent's close code.
func (p *peer) ended(t testing.TB) int {
	t.Helper()
	select {
	case <-p.gone:
		return wsconn.CloseStatus(p.err)
	case <-time.After(soon):
		t.Fatal("the connection did not end")
		return 0
	}
}

// expect gives the payload of the next frame, which must be of the type.
func expect[T any](t testing.TB, p *peer, typ agentwire.Type) (agentwire.Envelope, T) {
	t.Helper()
	e := p.read(t)
	if e.Type != typ {
		t.Fatalf("%s came where %s was expected: %.300s", e.Type, typ, e.Payload)
	}
	v, err := agentwire.Payload[T](e)
	if err != nil {
		t.Fatal(err)
	}
	return e, v
}

// lines reads log.stream frames until the line last and checks that they follow on after line after.
func (p *peer) lines(t testing.TB, id fleet.JobID, after, last int64) {
	t.Helper()
	for after < last {
		e, m := expect[agentwire.LogStream](t, p, agentwire.TypeLogStream)
		if e.JobID != id || m.FirstSeq != after+1 || len(m.Lines) == 0 {
			t.Fatalf("%d lines of %s from %d where %d of %s was expected", len(m.Lines), e.JobID, m.FirstSeq, after+1, id)
		}
		for _, l := range m.Lines {
			after++
			if l != line(after) {
				t.Fatalf("line %d is %+v", after, l)
			}
		}
	}
	if after > last {
		t.Fatalf("%d lines where %d were expected", after, last)
	}
}

// agent is a running session.
type agent struct {
	*session.Session
	cfg      session.Config
	jobs     *fakeJobs
	plans    *fakePlans
	epochs   *fakeEpochs
	requests *fakeRequests
	states   chan error // what Connected was told
	stop     func()     // ends it and waits
}

func newAgent(t testing.TB, d *daemon, change ...func(*session.Config)) *agent {
	t.Helper()
	a := &agent{jobs: &fakeJobs{}, plans: &fakePlans{}, epochs: &fakeEpochs{epoch: "e"}, requests: &fakeRequests{}, states: make(chan error, 10_000)}
	dir := t.TempDir()
	if err := d.Write(dir, identitytest.Current, agentID, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	a.cfg = session.Config{Server: d.URL, Pin: d.Pin(), AgentID: agentID, IdentityDir: dir, Jobs: a.jobs, Requests: a.requests, Plans: a.plans, Epochs: a.epochs,
		Facts:     func(context.Context) agentwire.Facts { return agentwire.Facts{Hostname: "h", OS: "linux"} },
		Connected: func(_ string, err error) { a.states <- err },
		Backoff:   backoff.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond}, Retry: 20 * time.Millisecond}
	for _, f := range change {
		f(&a.cfg)
	}
	a.Session = session.New(a.cfg, "incarnation-1")
	t.Cleanup(func() {
		if a.jobs.wrong.Load() {
			t.Error("a job was given up that runs")
		}
	})
	return a
}

// start runs the agent until the test, or stop, ends it.
func (a *agent) start(t testing.TB) *agent {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	a.stop = func() {
		cancel()
		select {
		case <-done:
		case <-time.After(soon):
			t.Error("Run does not return")
		}
	}
	t.Cleanup(a.stop)
	return a
}

// state gives what Connected is told next.
func (a *agent) state(t testing.TB) error {
	t.Helper()
	select {
	case err := <-a.states:
		return err
	case <-time.After(soon):
		t.Fatal("the state of the connection does not change")
		return nil
	}
}

// fails waits until the connection fails with the code, and gives what is said.
func (a *agent) fails(t testing.TB, want fault.Code) (says string) {
	t.Helper()
	for {
		err := a.state(t)
		if err == nil {
			continue
		}
		if fault.CodeOf(err) != want {
			t.Fatalf("not connected: %v", err)
		}
		return err.Error()
	}
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
