package session

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/wsconn"
)

// Jobs is the job life of this host (package runner).
type Jobs interface {
	// Run puts a job into the journal, on disk, and starts it when its repository is free. A job known already gives its state.
	Run(ctx context.Context, spec fleet.JobSpec, startWithin time.Duration) (fleet.JobState, error)
	// Cancel makes the job's end desired, durably.
	Cancel(ctx context.Context, id fleet.JobID, by string) error
	Held() []agentwire.HeldJob
	// Changed is closed when a job came, began, ended or was forgotten since the call.
	Changed() <-chan struct{}
	// Open gives a job's log and events.
	Open(id fleet.JobID) (Job, error)
	// Acked keeps that the daemon has all lines up to seq and, with finished, the end.
	Acked(ctx context.Context, id fleet.JobID, seq int64, finished bool) error
}

// Job is one job as a pump reads it. Its methods are called by one goroutine.
type Job interface {
	// Bell is closed when there may be more since the call (lines, start, progress, end): take it before reading.
	Bell() <-chan struct{}
	ReadFrom(after int64, maxBytes int) ([]fleet.LogLine, error)
	Started() (agentwire.JobStarted, bool)
	Progress() (fleet.Progress, bool)
	Finished() (agentwire.JobFinished, bool)
	// Snapshots gives what a finished snapshots job listed.
	Snapshots() ([]fleet.Snapshot, bool, error)
	Close() error
}

// Requests answers the daemon's bounded queries.
type Requests interface {
	Handle(ctx context.Context, r agentwire.Request) agentwire.Reply
}

// Plans is the cached desired state of this host.
type Plans interface {
	Version() int64
	Store(u agentwire.ConfigUpdate) error
}

// Config is what a Session needs.
type Config struct {
	Server      string // https://host:port
	Pin         string
	AgentID     fleet.AgentID
	IdentityDir string
	Facts       func(context.Context) agentwire.Facts
	Jobs        Jobs
	Requests    Requests
	Plans       Plans
	Log         *slog.Logger
	Clock       func() time.Time
	Connected   func(daemon string, err error) // told of every change: nil once welcomed, else why not; may be nil

	Backoff    backoff.Backoff  // pauses between connections; 250 ms to 30 s when zero
	KeepAlive  wsconn.KeepAlive // 20 s when zero
	MinSpacing time.Duration    // between log frames of one job under load; 2 ms when 0
}

// Session connects an agent to its daemon for as long as Run runs.
type Session struct {
	cfg         Config
	incarnation string
	changed     chan struct{} // facts changed; holds one: more are the same
}

// New makes a Session. incarnation is random and new with each process.
func New(cfg Config, incarnation string) *Session {
	if cfg.Backoff == (backoff.Backoff{}) {
		cfg.Backoff = backoff.Backoff{Min: 250 * time.Millisecond, Max: 30 * time.Second}
	}
	if cfg.KeepAlive.Interval == 0 {
		cfg.KeepAlive = wsconn.KeepAlive{Interval: 20 * time.Second, Timeout: 10 * time.Second}
	}
	if cfg.MinSpacing == 0 {
		cfg.MinSpacing = 2 * time.Millisecond
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Connected == nil {
		cfg.Connected = func(string, error) {}
	}
	return &Session{cfg: cfg, incarnation: incarnation, changed: make(chan struct{}, 1)}
}

// FactsChanged has the facts sent anew.
func (s *Session) FactsChanged() {
	select {
	case s.changed <- struct{}{}:
	default: // told already
	}
}

// steady is how long a connection must have held for the next pause to begin small again.
const steady = 30 * time.Second

// Run connects, and connects again whatever happens, until ctx ends.
func (s *Session) Run(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		began := s.cfg.Clock()
		welcomed, err := s.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if welcomed && s.cfg.Clock().Sub(began) > steady {
			attempt = 0
		}
		s.cfg.Connected(s.cfg.Server, err)
		wait := s.cfg.Backoff.Next(attempt, rand.Float64)
		s.cfg.Log.LogAttrs(ctx, levelOf(err), "not connected to the daemon", slog.Any("err", err), slog.Duration("retry_in", wait))
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func levelOf(err error) slog.Level {
	switch fault.CodeOf(err) {
	case fault.Unavailable, fault.Timeout:
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// once runs one connection to its end.
func (s *Session) once(ctx context.Context) (welcomed bool, err error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return false, err
	}
	c := newConnection(s, conn)
	return c.serve(ctx)
}

// dialTimeout bounds TCP, TLS and handshake together.
const dialTimeout = 15 * time.Second

// dial connects with the present identity and, where the daemon does not take it, with the one before the last renewal.
func (s *Session) dial(ctx context.Context) (*wsconn.Conn, error) {
	id, err := identity.Load(s.cfg.IdentityDir)
	if err != nil {
		return nil, err
	}
	conn, err := s.dialAs(ctx, id.Certificate)
	code := fault.CodeOf(err)
	if code != fault.Unauthenticated && code != fault.Forbidden && code != fault.HostRevoked {
		return conn, err
	}
	former, ferr := identity.Previous(s.cfg.IdentityDir)
	if ferr != nil {
		return nil, err
	}
	return s.dialAs(ctx, former.Certificate)
}

func (s *Session) dialAs(ctx context.Context, cert tls.Certificate) (*wsconn.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, _, err := wsconn.Dial(ctx, s.cfg.Server+agentwire.PathConnect, wsconn.DialOptions{
		TLS: pin.ClientTLS(s.cfg.Pin, &cert), ReadLimit: agentwire.MaxFrame, KeepAlive: s.cfg.KeepAlive})
	return conn, err
}
