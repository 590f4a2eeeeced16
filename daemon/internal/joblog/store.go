package joblog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Config says where the logs are and how much memory they may take. Zero values mean the defaults.
type Config struct {
	Dir   string           // existing folder of the daemon's data
	Log   *slog.Logger     // none
	Clock func() time.Time // time.Now

	RingPerJob int64         // lines on disk that stay in memory for the readers of one job: 16 MiB
	RingTotal  int64         // the same over all jobs: 64 MiB
	MaxPending int64         // lines that are not on disk yet, over all jobs: 256 MiB
	Gather     time.Duration // least pause between two commits while little is waiting: 20 ms
	IdleAfter  time.Duration // a job that nobody used for so long is forgotten: 1 min
}

func (c Config) withDefaults() Config {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.RingPerJob = cmp.Or(c.RingPerJob, 16<<20)
	c.RingTotal = cmp.Or(c.RingTotal, 64<<20)
	c.MaxPending = cmp.Or(c.MaxPending, 256<<20)
	c.Gather = cmp.Or(c.Gather, 20*time.Millisecond)
	c.IdleAfter = cmp.Or(c.IdleAfter, time.Minute)
	return c
}

// readTimeout bounds the reading of the store on behalf of callers that have no context of their own.
const readTimeout = 30 * time.Second

// Store holds the logs of all jobs. All methods are safe for concurrent use.
type Store struct {
	cfg    Config
	months *months
	unpack *unpacker
	live   *packer // writer's

	mu       sync.Mutex
	closed   bool
	entries  map[fleet.JobID]*entry
	dirty    []*entry            // have lines for the writer, in order of arrival
	sealedIn map[string]struct{} // months that may hold sealed jobs to compact

	pending atomic.Int64 // cost of the lines that are not on disk
	ring    atomic.Int64 // cost of the lines on disk that are in rings

	work    chan struct{} // doorbell of the writer: dirty grew
	hurry   chan struct{} // doorbell of the writer: do not gather
	compact chan struct{} // doorbell of the maintainer: a month was added to sealedIn
	acks    chan []ack    // due callbacks; full: the writer waits, so callbacks must not block
	stop    chan struct{}
	done    sync.WaitGroup // acker, maintainer
	written chan struct{}  // closed when the writer is gone

	count counters

	closing  sync.Once
	closeErr error
}

var _ control.Logs = (*Store)(nil)

// Open starts the store on a folder. It reads nothing: each month's file is opened, and each job's end looked up, when they are
// first needed.
func Open(cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	s := &Store{
		cfg:      cfg,
		months:   &months{dir: cfg.Dir, files: map[string]*monthFile{}},
		entries:  map[fleet.JobID]*entry{},
		sealedIn: map[string]struct{}{},
		work:     make(chan struct{}, 1),
		hurry:    make(chan struct{}, 1),
		compact:  make(chan struct{}, 1),
		acks:     make(chan []ack, 16),
		stop:     make(chan struct{}),
		written:  make(chan struct{}),
	}
	if _, err := s.months.names(); err != nil {
		return nil, fmt.Errorf("open job log: %w", err)
	}
	var errs [2]error
	s.unpack, errs[0] = newUnpacker()
	s.live, errs[1] = newPacker(liveLevel)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("open job log: %w", err)
	}
	go s.write()
	s.done.Go(s.callBack)
	s.done.Go(s.maintain)
	return s, nil
}

// Close writes what waits, calls the callbacks that are due and stops. When the disk does not take the rest, Close says so: those
// lines were never acknowledged, and their agents send them again.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.stop)
		<-s.written
		close(s.acks)
		s.done.Wait()
		s.closeErr = s.months.close()
		s.unpack.close()
		if lines := s.count.pendingLines.Load(); lines > 0 {
			s.closeErr = errors.Join(s.closeErr, fmt.Errorf("close job log: %d lines are not on disk; agents send them again", lines))
		}
		s.ringAll()
	})
	return s.closeErr
}

// ringAll wakes every reader and everyone who waits for the disk, so that they find the store closed.
func (s *Store) ringAll() {
	s.mu.Lock()
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	s.mu.Unlock()
	for _, e := range all {
		e.mu.Lock()
		e.failed = cmp.Or(e.failed, errClosed)
		e.ringLocked()
		e.flushedLocked()
		e.mu.Unlock()
	}
}

// acquire gives the entry of a job, new when it is not in memory, and holds it until release.
func (s *Store) acquire(job fleet.JobID) (*entry, error) {
	if !fleet.ValidID(string(job)) {
		return nil, fault.New(fault.InvalidInput, "%q is not a job id. Take the id from the list of jobs.", string(job))
	}
	now := s.cfg.Clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fault.Wrap(fault.Unavailable, errClosed, "The daemon is stopping. Try again in a moment.")
	}
	e := s.entries[job]
	if e == nil {
		e = &entry{job: job, store: s}
		s.entries[job] = e
	}
	e.refs++
	e.touch(now)
	return e, nil
}

// peek gives the entry of a job only when it is in memory, and holds it until release.
func (s *Store) peek(job fleet.JobID) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[job]
	if e != nil {
		e.refs++
	}
	return e
}

func (s *Store) release(e *entry) {
	s.mu.Lock()
	e.refs--
	s.mu.Unlock()
}

// forgetIdle drops the entries that nobody holds, that are on disk whole, and that were idle for long enough or are sealed.
func (s *Store) forgetIdle(now time.Time) {
	idle := now.Add(-s.cfg.IdleAfter).Unix()
	s.mu.Lock()
	defer s.mu.Unlock()
	for job, e := range s.entries {
		if e.refs > 0 || e.queued {
			continue
		}
		e.mu.Lock() // nobody holds e: this never waits
		if e.durable.LastSeq >= e.next-1 && (e.sealed || e.lastUse.Load() <= idle) {
			s.ring.Add(-e.kept)
			delete(s.entries, job)
		}
		e.mu.Unlock()
	}
}

// ready makes sure that the entry knows what is on disk: one look-up in the month's file by whoever comes first.
func (s *Store) ready(ctx context.Context, e *entry) error {
	e.mu.Lock()
	if e.loaded {
		e.mu.Unlock()
		return nil
	}
	l, mine := e.load, false
	if l == nil {
		l, mine = &loading{done: make(chan struct{})}, true
		e.load = l
	}
	e.mu.Unlock()
	if !mine {
		select {
		case <-l.done:
			return l.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	name, st, err := s.lookUp(context.WithoutCancel(ctx), e.job)
	e.mu.Lock()
	if e.load = nil; err == nil {
		e.loaded, e.month, e.key, e.sealed, e.sealedOnDisk = true, name, st.key, st.sealed, st.sealed
		e.durable, e.next = st.end, st.end.LastSeq+1
	}
	e.mu.Unlock()
	l.err = err
	close(l.done)
	return err
}

// lookUp finds the month's file that holds a job, or will hold it ("": the month of its first line), and what it knows of it.
// An id that tells no time is searched in every file, the newest first: the files are the index.
func (s *Store) lookUp(ctx context.Context, job fleet.JobID) (string, state, error) {
	hint := hintedMonth(job)
	names := []string{hint}
	if hint == "" {
		var err error
		if names, err = s.months.names(); err != nil {
			return "", state{}, err
		}
		slices.Reverse(names)
	}
	for _, name := range names {
		st, err := s.stateIn(ctx, name, job)
		if err != nil {
			return "", state{}, fmt.Errorf("look up log of job %s: %w", job, sqlite.Fault(err))
		}
		if st.key != 0 {
			return name, st, nil
		}
	}
	return hint, state{}, nil
}

func (s *Store) stateIn(ctx context.Context, name string, job fleet.JobID) (state, error) {
	f, err := s.file(ctx, name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, err
	}
	defer s.giveBack(f)
	return f.state(ctx, job)
}

// file gives the file of a month, for giveBack. One that was not open may hold sealed jobs that a crash kept from compaction.
func (s *Store) file(ctx context.Context, name string, create bool) (*monthFile, error) {
	f, made, err := s.months.acquire(ctx, name, create)
	if made && err == nil {
		s.compactSoon(name)
	}
	return f, err
}

func (s *Store) giveBack(f *monthFile) {
	if err := s.months.release(f); err != nil {
		s.cfg.Log.Warn("log file did not close", "err", err)
	}
}

// knock rings a doorbell that remembers one ring.
func knock(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
