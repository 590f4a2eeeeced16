package agentws

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

// Control is what agents may ask of the daemon (control.Service).
type Control interface {
	Epoch() string
	Enrol(ctx context.Context, token string, facts agentwire.Facts) (fleet.Host, error)
	Agent(ctx context.Context, id fleet.AgentID) (fleet.HostID, error)
	AgentHello(ctx context.Context, id fleet.AgentID, h agentwire.Hello, now time.Time) (fleet.Host, []agentwire.WelcomeJob, []fleet.Job, error)
	AgentGone(ctx context.Context, host fleet.HostID) error
	AgentFacts(ctx context.Context, host fleet.HostID, f agentwire.Facts) error
	Heartbeat(ctx context.Context, host fleet.HostID, h agentwire.Heartbeat) error
	HostConfig(ctx context.Context, host fleet.HostID) (agentwire.ConfigUpdate, error)
	AgentJob(ctx context.Context, host fleet.HostID, id fleet.JobID) (fleet.Job, error)
	JobScheduled(ctx context.Context, host fleet.HostID, held agentwire.HeldJob) (agentwire.WelcomeJob, error)
	JobAccepted(ctx context.Context, host fleet.HostID, id fleet.JobID, state fleet.JobState) error
	JobRejected(ctx context.Context, host fleet.HostID, id fleet.JobID, r agentwire.CommandReject) error
	JobStarted(ctx context.Context, host fleet.HostID, id fleet.JobID, m agentwire.JobStarted) error
	JobFinished(ctx context.Context, host fleet.HostID, id fleet.JobID, m agentwire.JobFinished) error
	SnapshotsReported(ctx context.Context, host fleet.HostID, job fleet.JobID, r agentwire.SnapshotsReport) error
}

var _ Control = (*control.Service)(nil)

// Authority signs agents' certificates (package pki).
type Authority interface {
	CA() string
	IssueAgent(r pki.Request, id fleet.AgentID) (string, error)
}

// Config of New. Control, Logs, Dispatch and Authority must be set, the rest has defaults.
type Config struct {
	Control   Control
	Logs      control.Logs
	Dispatch  *dispatch.Dispatcher
	Authority Authority
	Log       *slog.Logger     // none when nil
	Clock     func() time.Time // time.Now when nil

	HelloTimeout time.Duration // 10 s
	Heartbeat    time.Duration // 15 s
	Window       int64         // bytes of log text that one agent may have under way; 1 MiB
	Budget       int64         // the same over all agents; 256 MiB
	HoldFor      time.Duration // after how long lines that found no room are asked for again; 2 s
	WriteTimeout time.Duration // of one frame; wsconn's when 0

	Enrolments auth.LimiterConfig // by address; 20 at once, one every 2 s
	Handshakes auth.LimiterConfig // by agent; 100 at once, one every 200 ms
}

func (c *Config) defaults() {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	duration := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	duration(&c.HelloTimeout, 10*time.Second)
	duration(&c.Heartbeat, 15*time.Second)
	duration(&c.HoldFor, 2*time.Second)
	if c.Window <= 0 {
		c.Window = 1 << 20
	}
	if c.Budget <= 0 {
		c.Budget = 256 << 20
	}
	if c.Enrolments.Burst == 0 {
		c.Enrolments = auth.LimiterConfig{Every: 2 * time.Second, Burst: 20, MaxKeys: 10_000}
	}
	if c.Handshakes.Burst == 0 {
		c.Handshakes = auth.LimiterConfig{Every: 200 * time.Millisecond, Burst: 100, MaxKeys: 100_000}
	}
}

// Handler serves agentwire.PathConnect, PathEnrol and PathRenew. It needs a listener with pki's TLS settings.
type Handler struct {
	cfg        Config
	log        *slog.Logger
	mux        *http.ServeMux
	enrolments *auth.Limiter
	handshakes *auth.Limiter
	budget     *budget
	large      chan struct{}   // a place for each large hello that is worked on
	ctx        context.Context // of everything that sessions do; ends with Close
	stop       context.CancelFunc
	sessions   sync.WaitGroup

	sessionsSoFar atomic.Int64

	mu     sync.Mutex
	closed bool
	open   map[*session]struct{}
}

// New makes a Handler.
func New(cfg Config) *Handler {
	cfg.defaults()
	ctx, stop := context.WithCancel(context.Background())
	h := &Handler{cfg: cfg, log: cfg.Log, mux: http.NewServeMux(), enrolments: auth.NewLimiter(cfg.Enrolments),
		handshakes: auth.NewLimiter(cfg.Handshakes), budget: newBudget(cfg.Budget), large: make(chan struct{}, largeHellos), ctx: ctx, stop: stop, open: map[*session]struct{}{}}
	h.mux.HandleFunc("GET "+agentwire.PathConnect, h.connect)
	h.mux.HandleFunc("POST "+agentwire.PathEnrol, h.enrol)
	h.mux.HandleFunc("POST "+agentwire.PathRenew, h.renew)
	return h
}

// ServeHTTP answers agents only: a request from a browser's page is refused.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.Header.Values("Origin")) > 0 {
		h.problem(w, fault.New(fault.Forbidden, "This endpoint is not for browsers: a request with an Origin header is refused."))
		return
	}
	h.mux.ServeHTTP(w, r)
}

// Close ends all sessions and waits until they are gone. Agents are told to come back.
func (h *Handler) Close() {
	h.mu.Lock()
	h.closed = true
	all := make([]*session, 0, len(h.open))
	for s := range h.open {
		all = append(all, s)
	}
	h.mu.Unlock()
	h.stop()
	for _, s := range all {
		s.Close(agentwire.CloseShutdown, "the daemon stops")
	}
	h.sessions.Wait()
}

// agent tells who asks, and that it may.
func (h *Handler) agent(ctx context.Context, cs *tls.ConnectionState) (fleet.AgentID, fleet.HostID, error) {
	id, err := pki.AgentOf(cs)
	if err != nil {
		return "", "", err
	}
	if wait, ok := h.handshakes.Take(string(id)); !ok {
		return "", "", fault.New(fault.RateLimited, "This agent connects too often. Try again in %v.", wait.Round(time.Millisecond))
	}
	host, err := h.cfg.Control.Agent(ctx, id)
	return id, host, err
}

// connBuffer holds any acknowledgement; most frames to an agent are no more.
const connBuffer = 512

// connect begins a session. The handler returns at once and takes the memory of the handshake with it.
func (h *Handler) connect(w http.ResponseWriter, r *http.Request) {
	id, host, err := h.agent(r.Context(), r.TLS)
	if err != nil {
		h.problem(w, err)
		return
	}
	conn, err := wsconn.Accept(w, r, wsconn.Options{ReadLimit: agentwire.MaxFrameBeforeHello, WriteTimeout: h.cfg.WriteTimeout, Buffer: connBuffer})
	if err != nil {
		h.log.Info("agent's handshake refused", "host_id", host, "err", err)
		return
	}
	s := newSession(h, conn, id, host)
	h.mu.Lock()
	closed := h.closed
	if !closed {
		h.open[s] = struct{}{}
		h.sessions.Add(1)
	}
	h.mu.Unlock()
	if closed {
		conn.CloseNow()
		return
	}
	go func() {
		defer h.sessions.Done()
		s.run()
	}()
}

func (h *Handler) left(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, s)
}

func (h *Handler) stopping() bool { return h.ctx.Err() != nil }
