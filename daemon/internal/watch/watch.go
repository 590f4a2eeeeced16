package watch

import (
	"errors"
	"sync"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
)

var _ control.Feed = (*Feed)(nil)

// ErrTooOld says that changes after the cursor are no longer, or not surely, in the ring: list again.
var ErrTooOld = errors.New("changes after this rev are gone; list again")

// Defaults of Config.
const (
	DefaultCapacity = 10_000
	DefaultBytes    = 64 << 20
	DefaultGapLimit = 2 * time.Second
	maxPending      = 1_000
)

// Config is what New needs.
type Config struct {
	Rev      int64            // where the store stands: the first change will have the next rev
	Capacity int              // changes kept
	Bytes    int64            // about how much memory they may take
	GapLimit time.Duration    // how long a commit may be on its way before readers are sent to list again
	Clock    func() time.Time // time.Now when nil
}

// Feed is the ring of changes. It is safe for concurrent use.
type Feed struct {
	cfg Config

	mu     sync.Mutex
	ring   []api.Row // the change with rev r stands at r % len(ring)
	sizes  []int64
	bytes  int64
	oldest int64 // revs oldest..newest are in the ring; oldest == newest+1: none
	newest int64
	bell   chan struct{} // closed when the ring changes

	// pending holds changes that came before one with a lower rev. It is full at maxPending or GapLimit after the gap appeared:
	// then the missing change is given up and every reader has to list again.
	pending  map[int64]api.Row
	gapSince time.Time
}

// New makes an empty feed.
func New(cfg Config) *Feed {
	if cfg.Capacity <= 0 {
		cfg.Capacity = DefaultCapacity
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = DefaultBytes
	}
	if cfg.GapLimit <= 0 {
		cfg.GapLimit = DefaultGapLimit
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	return &Feed{
		cfg: cfg, oldest: cfg.Rev + 1, newest: cfg.Rev,
		ring: make([]api.Row, cfg.Capacity), sizes: make([]int64, cfg.Capacity),
		bell: make(chan struct{}), pending: map[int64]api.Row{},
	}
}

// Publish takes committed changes, in any order. Without rows it only looks after a gap that does not close.
func (f *Feed) Publish(rows ...api.Row) {
	now := f.cfg.Clock()
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.newest
	for _, r := range rows {
		if r.Rev > f.newest {
			f.pending[r.Rev] = r
		}
	}
	f.drainLocked()
	switch {
	case len(f.pending) == 0:
		f.gapSince = time.Time{}
	case f.gapSince.IsZero() || f.newest > before:
		f.gapSince = now // a new gap
	}
	if len(f.pending) > maxPending || len(f.pending) > 0 && now.Sub(f.gapSince) >= f.cfg.GapLimit {
		f.skipLocked()
	}
	if f.newest > before {
		close(f.bell)
		f.bell = make(chan struct{})
	}
}

// drainLocked moves pending changes into the ring as far as they follow on.
func (f *Feed) drainLocked() {
	for {
		r, ok := f.pending[f.newest+1]
		if !ok {
			return
		}
		delete(f.pending, r.Rev)
		f.newest = r.Rev
		if f.newest-f.oldest >= int64(len(f.ring)) {
			f.dropOldestLocked()
		}
		i := r.Rev % int64(len(f.ring))
		f.ring[i], f.sizes[i] = r, size(r)
		f.bytes += f.sizes[i]
		for f.bytes > f.cfg.Bytes && f.oldest <= f.newest {
			f.dropOldestLocked()
		}
	}
}

func (f *Feed) dropOldestLocked() {
	i := f.oldest % int64(len(f.ring))
	f.bytes -= f.sizes[i]
	f.ring[i], f.sizes[i] = api.Row{}, 0
	f.oldest++
}

// skipLocked gives a missing change up: the ring begins anew after the highest rev seen, so that no reader can miss it unawares.
func (f *Feed) skipLocked() {
	for f.oldest <= f.newest {
		f.dropOldestLocked()
	}
	for rev := range f.pending {
		f.newest = max(f.newest, rev)
	}
	clear(f.pending)
	f.oldest = f.newest + 1
	f.gapSince = time.Time{}
}

// Rev is the rev of the newest change that readers can see.
func (f *Feed) Rev() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.newest
}

// Subscribe gives a cursor for the changes after a list's rev, which may be a moment ahead of the feed.
func (f *Feed) Subscribe(afterRev int64) (*Cursor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if afterRev+1 < f.oldest {
		return nil, ErrTooOld
	}
	return &Cursor{feed: f, rev: afterRev}, nil
}

// Resume gives a cursor for a client that comes back with the rev it saw last. A rev that the feed has not reached was never
// sent by it, so the client is of another time: ErrTooOld as well.
func (f *Feed) Resume(afterRev int64) (*Cursor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if afterRev+1 < f.oldest || afterRev > f.newest {
		return nil, ErrTooOld
	}
	return &Cursor{feed: f, rev: afterRev}, nil
}

// Cursor reads changes in order. It belongs to one goroutine; dropping it is enough to end it.
type Cursor struct {
	feed *Feed
	rev  int64
}

// Bell is closed at the next change. Get it before Next, so that no ring is missed.
func (c *Cursor) Bell() <-chan struct{} {
	c.feed.mu.Lock()
	defer c.feed.mu.Unlock()
	return c.feed.bell
}

// Rev is the rev of the last change that Next gave, or the one the cursor began with.
func (c *Cursor) Rev() int64 { return c.rev }

// Next gives at most limit further changes, none when there are none yet. What the rows point to is shared: do not write to it.
func (c *Cursor) Next(limit int) ([]api.Row, error) {
	f := c.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.rev+1 < f.oldest {
		return nil, ErrTooOld
	}
	n := min(f.newest-c.rev, int64(limit))
	if n <= 0 {
		return nil, nil
	}
	rows := make([]api.Row, 0, n)
	for range n {
		c.rev++
		rows = append(rows, f.ring[c.rev%int64(len(f.ring))])
	}
	return rows, nil
}

// size is about what a row takes in memory; only its long members count.
func size(r api.Row) int64 {
	n := 512
	switch {
	case r.Host != nil:
		n += 512 + len(r.Host.RestoreRoot) + 32*len(r.Host.Secrets) + 128*len(r.Host.Backups)
	case r.Repository != nil:
		n += len(r.Repository.CACert) + len(r.Repository.URL)
	case r.Plan != nil:
		n += 32*len(r.Plan.Hosts) + lengths(r.Plan.Backup.Paths, r.Plan.Backup.Excludes, r.Plan.Backup.Tags)
	case r.Job != nil:
		n += 1024 + len(r.Job.Spec.Repository.CACert)
		if b := r.Job.Spec.Backup; b != nil {
			n += lengths(b.Paths, b.Excludes, b.Tags)
		}
		if t := r.Job.Spec.Restore; t != nil {
			n += lengths(t.Includes)
		}
		if o := r.Job.Outcome; o != nil {
			n += len(o.Message) + lengths(o.Unreadable)
		}
	}
	return int64(n)
}

func lengths(lists ...[]string) int {
	n := 0
	for _, l := range lists {
		for _, s := range l {
			n += 16 + len(s)
		}
	}
	return n
}
