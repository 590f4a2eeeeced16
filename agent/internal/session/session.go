package session

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

// Jobs is the job life of this host (package runner).
type Jobs interface {
	// Run puts a job into the journal, on disk, and starts it when its repository is free. A job known already gives its state.
	Run(ctx context.Context, spec fleet.JobSpec, startWithin time.Duration) (fleet.JobState, error)
	// Cancel makes the job's end desired, durably.
	Cancel(ctx context.Context, id fleet.JobID, by string) error
	// Held lists every job of the journal, in the order of acceptance.
	Held() []agentwire.HeldJob
	// Changed is closed when a job came, began, ended or was forgotten since the call.
	Changed() <-chan struct{}
	// Open gives a job's log and events.
	Open(id fleet.JobID) (Job, error)
	// Acked keeps that the daemon has all lines up to seq and, with finished, the end.
	Acked(ctx context.Context, id fleet.JobID, seq int64, finished bool) error
	// Void forgets every Acked so far, durably: it was the word of a store that is no more.
	Void(ctx context.Context) error
}

// Epochs remembers, beyond the end of this process, which epoch of the daemon's store was told of all that this host holds.
type Epochs interface {
	Epoch() string // "" when there is none
	Keep(epoch string) error
}

// Job is one job as a pump reads it. Its methods are called by one goroutine.
type Job interface {
	// Bell is closed when there may be more since the call (lines, start, progress, end): take it before reading.
	Bell() <-chan struct{}
	// ReadFrom gives the lines after number after: at most maxBytes of text, but one at least when there is one. The slice is valid
	// until the next call. Once Finished gave true, no line means that the log ends there.
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
	Epochs      Epochs
	Log         *slog.Logger // none when nil
	Clock       func() time.Time
	Connected   func(daemon string, err error) // told of every change: nil once welcomed, else why not; may be nil

	Backoff    backoff.Backoff  // pauses between connections; 250 ms to 30 s when zero
	KeepAlive  wsconn.KeepAlive // 20 s when zero
	MinSpacing time.Duration    // between log frames of one job under load; 1 ms when 0
	FactsEvery time.Duration    // between looks at what changed on this host; 5 min when 0
	Retry      time.Duration    // before a job whose files cannot be read is looked at again; 30 s when 0
}

// Session connects an agent to its daemon for as long as Run runs.
type Session struct {
	cfg         Config
	incarnation string
	changed     chan struct{} // facts changed; holds one: more are the same
	look        chan struct{} // facts may have changed; holds one, likewise
	voided      string        // the epoch for which acknowledgements were voided; of the goroutine of Run
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
		cfg.MinSpacing = time.Millisecond
	}
	if cfg.FactsEvery <= 0 {
		cfg.FactsEvery = 5 * time.Minute
	}
	if cfg.Retry == 0 {
		cfg.Retry = 30 * time.Second
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Connected == nil {
		cfg.Connected = func(string, error) {}
	}
	return &Session{cfg: cfg, incarnation: incarnation, changed: make(chan struct{}, 1), look: make(chan struct{}, 1)}
}

const (
	steady   = 30 * time.Second // how long a connection must have held for the next pause to be the shortest
	returned = 2                // the most attempts that count after a welcome: whoever was in comes back soon
)

// Run connects, and connects again whatever happens, until ctx ends.
func (s *Session) Run(ctx context.Context) {
	attempt := 0
	for ctx.Err() == nil {
		began := time.Now()
		welcomed, err := s.once(ctx)
		if ctx.Err() != nil {
			return
		}
		switch {
		case welcomed && time.Since(began) > steady:
			attempt = 0
		case welcomed && !unwanted(err):
			attempt = min(attempt, returned)
		}
		s.cfg.Connected(s.cfg.Server, err)
		wait := s.cfg.Backoff.Next(attempt, rand.Float64)
		attempt++
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
	facts := s.facts(ctx) // before dialling: the daemon waits for hello only so long
	conn, used, err := s.dial(ctx)
	if err != nil {
		return false, err
	}
	welcomed, err = newConnection(s, conn, used).serve(ctx, facts)
	return welcomed, explain(err)
}
