package control

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Defaults of Config.
const (
	DefaultJobTTL     = 24 * time.Hour
	DefaultAwayLimit  = 2 * time.Minute
	DefaultSessionTTL = 12 * time.Hour
)

// Config is what New needs. Store and Logs must be set; Dispatcher may follow by SetDispatcher.
type Config struct {
	Store      Store
	Logs       Logs
	Dispatcher Dispatcher
	Feed       Feed
	Clock      func() time.Time // time.Now when nil
	NewID      func() string    // a ULID when nil
	Log        *slog.Logger     // none when nil

	Address      string                                  // https://host:port as the daemon knows itself, for enrolment
	CAPin        string                                  // pin of the daemon's CA, for enrolment
	EnrolCommand func(address, token, pin string) string // the line to paste on a host; a default when nil
	JobTTL       time.Duration                           // a queued job that could not be sent for so long expires
	AwayLimit    time.Duration                           // jobs of a host that is away for longer become unknown
	SessionTTL   time.Duration                           // how long a sign-in lasts
	Room         func() error                            // tells whether the disk of the store takes more; not asked when nil
}

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	store  Store
	logs   Logs
	feed   Feed
	clock  func() time.Time
	newID  func() string
	log    *slog.Logger
	cfg    Config
	start  time.Time // no host counts as away for longer than this process has been there
	actors *actorCache
	seen   *seenHosts
	swept  sweeps

	renewal renewal

	mu       sync.RWMutex
	dispatch Dispatcher
}

// New makes a Service. It does no I/O.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = func() string { return ulid.Make().String() }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.JobTTL <= 0 {
		cfg.JobTTL = DefaultJobTTL
	}
	if cfg.AwayLimit <= 0 {
		cfg.AwayLimit = DefaultAwayLimit
	}
	if cfg.SessionTTL <= 0 {
		cfg.SessionTTL = DefaultSessionTTL
	}
	if cfg.EnrolCommand == nil {
		cfg.EnrolCommand = enrolCommand
	}
	return &Service{
		store: cfg.Store, logs: cfg.Logs, feed: cfg.Feed, dispatch: cfg.Dispatcher,
		clock: cfg.Clock, newID: cfg.NewID, log: cfg.Log, cfg: cfg, start: cfg.Clock(),
		actors: newActorCache(), seen: newSeenHosts(),
	}
}

// SetDispatcher closes the circle: the dispatcher is built with the Service.
func (s *Service) SetDispatcher(d Dispatcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dispatch = d
}

func (s *Service) dispatcher() Dispatcher {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.dispatch
}

// now is the daemon's time as it is stored: UTC, whole microseconds.
func (s *Service) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// Epoch is the id of the store's life: it changes when the store is restored from a copy.
func (s *Service) Epoch() string { return s.store.Epoch() }

// Ready tells whether the store answers, and takes what is written. One call at a time.
func (s *Service) Ready(ctx context.Context) error {
	err := s.store.View(ctx, func(r Reader) error {
		_, err := r.Rev(ctx)
		return err
	})
	if err == nil && s.cfg.Room != nil {
		err = s.cfg.Room()
	}
	return err
}

// WatchRows gives the whole state of the watch (every host, repository and plan, every job not ended and the newest ended ones)
// and the rev it is true for, read from one snapshot of the store. Changes after that rev come from the feed.
func (s *Service) WatchRows(ctx context.Context) (rows []api.Row, asOfRev int64, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		rows, asOfRev, err = r.WatchRows(ctx, newestEnded)
		return err
	})
	for _, row := range rows {
		if row.Host != nil {
			s.seen.renew(row.Host)
		}
	}
	return rows, asOfRev, err
}

// newestEnded is how many ended jobs a watch begins with.
const newestEnded = 500

// update runs fn in one write transaction and publishes what it changed after the commit.
func (s *Service) update(ctx context.Context, fn func(Writer) error) error {
	rows, err := s.store.Update(ctx, fn)
	if err != nil {
		return err
	}
	if len(rows) > 0 && s.feed != nil {
		s.feed.Publish(rows...)
	}
	return nil
}

// JobFilter chooses jobs; zero members choose all. Ids may be names as well.
type JobFilter struct {
	States       []fleet.JobState
	Kind         fleet.JobKind
	HostID       fleet.HostID
	PlanID       fleet.PlanID
	RepositoryID fleet.RepositoryID
	Text         string // part of a host's, plan's or repository's name, the beginning of a job's id, or who created it
	Cursor       string // Page.Next of the page before
	Limit        int    // 50 when 0, MaxPage at most
}

// SnapshotFilter chooses snapshots; zero members choose all. Ids may be names as well.
type SnapshotFilter struct {
	RepositoryID fleet.RepositoryID
	HostID       fleet.HostID
	PlanID       fleet.PlanID
	Hostname     string
	Tag          string
	Cursor       string
	Limit        int
}

// Page sizes.
const (
	DefaultPage = 50
	MaxPage     = 500
)
