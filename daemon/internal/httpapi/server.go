package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/watch"
	"github.com/backstay/backstay/shared/api"
)

// Limits of Config.
const (
	DefaultMaxSockets = 1_000
	DefaultPollTokens = 300 * time.Millisecond
	DefaultBodyTime   = 20 * time.Second
	DefaultFirstFrame = 10 * time.Second
)

// Config is what New needs. Control, Logs and Feed must be set.
type Config struct {
	Control Control
	Logs    Logs
	Feed    *watch.Feed

	Daemon       api.DaemonInfo
	AllowedHosts []string         // names, besides localhost and every IP address, under which the daemon may be asked
	Metrics      Metrics          // nothing is counted when nil
	MetricsPage  http.Handler     // serves /metrics; no such route answers when nil
	Clock        func() time.Time // time.Now when nil
	Log          *slog.Logger     // nothing is logged when nil
	MaxSockets   int              // open streams and watches; a further one is told to come back
	PollTokens   time.Duration    // how often the token of an open socket is looked at
	BodyTime     time.Duration    // for a request's body to arrive whole
	FirstFrame   time.Duration    // for a socket's first frame to arrive
	WriteTime    time.Duration    // for the reader of a socket to take a frame; wsconn's when 0
}

// Metrics takes note of what the API does.
type Metrics interface {
	Request(route string, status int, took time.Duration)
	SocketOpened(kind string)
	SocketClosed(kind string)
}

// Server is the API as an http.Handler. Close it before the parts that it uses.
type Server struct {
	cfg    Config
	log    *slog.Logger
	clock  func() time.Time
	mux    *guardedMux
	hosts  map[string]bool
	openAP []byte

	byAddress *auth.Limiter // sign-ins
	byUser    *auth.Limiter
	ready     readiness

	stop    context.Context // ends when the daemon stops
	stopNow context.CancelFunc
	mu      sync.Mutex // guards closed and sockets, and that none is added once Close waits
	closed  bool
	open    int
	sockets sync.WaitGroup
}

var _ http.Handler = (*Server)(nil)

// New makes a Server. It panics when the routes and accessTable disagree.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{
		cfg: cfg, log: cfg.Log, clock: cfg.Clock, hosts: allowedHosts(cfg.AllowedHosts),
		byAddress: auth.NewLimiter(auth.LimiterConfig{Every: 3 * time.Second, Burst: 20, MaxKeys: 10_000, Now: cfg.Clock}),
		byUser:    auth.NewLimiter(auth.LimiterConfig{Every: 3 * time.Second, Burst: 30, MaxKeys: 10_000, Now: cfg.Clock}),
	}
	s.stop, s.stopNow = context.WithCancel(context.Background())
	s.mux = &guardedMux{server: s, mux: http.NewServeMux(), seen: map[string]bool{}}
	h := humago.New(s.mux, s.humaConfig())
	s.routes(h)
	s.openAP = document(h)
	s.mux.complete()
	return s
}

func (cfg Config) withDefaults() Config {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.MaxSockets = cmp.Or(cfg.MaxSockets, DefaultMaxSockets)
	cfg.PollTokens = cmp.Or(cfg.PollTokens, DefaultPollTokens)
	cfg.BodyTime = cmp.Or(cfg.BodyTime, DefaultBodyTime)
	cfg.FirstFrame = cmp.Or(cfg.FirstFrame, DefaultFirstFrame)
	return cfg
}

func (s *Server) routes(h huma.API) {
	s.sessionRoutes(h)
	s.overviewRoutes(h)
	s.hostRoutes(h)
	s.repositoryRoutes(h)
	s.planRoutes(h)
	s.jobRoutes(h)
	s.logRoutes(h)
	s.streamRoutes(h)
	s.watchRoutes(h)
	s.accountRoutes(h)
	s.auditRoutes(h)
	s.operationRoutes(h)
}

// Close ends every socket with api.CloseShutdown and waits until their handlers are done. Further sockets are refused.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stopNow()
	s.sockets.Wait()
}

// OpenAPI is the document that /openapi.json serves.
func (s *Server) OpenAPI() []byte { return s.openAP }

// Harden sets the limits of a server that this handler runs in. There is no whole-request deadline, because streams and
// downloads have none: the handlers set their own.
func Harden(srv *http.Server) {
	srv.ReadHeaderTimeout = 10 * time.Second
	srv.IdleTimeout = 2 * time.Minute
	srv.MaxHeaderBytes = 32 << 10
}

// Control is what the API asks of the daemon (package control).
type Control interface {
	sessionControl
	overviewControl
	hostControl
	repositoryControl
	planControl
	jobControl
	accountControl
	auditControl
	watchControl
	Ready(ctx context.Context) error
}

var _ Control = (*control.Service)(nil)
