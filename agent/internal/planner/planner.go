// Package planner keeps the desired state of this host as the daemon last sent it (Cache): plans and the repositories they go to,
// whole and versioned, on disk, so that the host knows its plans while the daemon is away. And it begins the plans' backups by this
// host's own clock (Scheduler).
//
// Promises: a slot runs at most once, because its job's id says which slot it is and the runner takes an id up once; of the slots
// that pass while the host sleeps, is off, or still runs the plan's backup before, the newest one is caught up, once; a plan that is
// new here, or whose schedule changed or was resumed, begins with the next slot; a clock that jumps forward costs at most one run too
// many, and one that jumps back stops nothing.
//
// Cache starts no goroutine and is safe for concurrent use. Scheduler.Run is one goroutine, the caller's.
package planner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/backstay/backstay/agent/internal/bell"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/atomicfile"
)

// Cache is the desired state on disk.
type Cache struct {
	path    string
	changed bell.Bell

	mu    sync.Mutex
	state agentwire.ConfigUpdate
}

// Open reads the cache at path; a file that is missing or damaged is an empty state, which the daemon replaces at the next session.
func Open(path string) (*Cache, error) {
	c := &Cache{path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read plans: %w", err)
	}
	if json.Unmarshal(b, &c.state) != nil {
		c.state = agentwire.ConfigUpdate{}
	}
	return c, nil
}

// Version is the version of the state, 0 when there is none.
func (c *Cache) Version() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Version
}

// State gives the whole desired state.
func (c *Cache) State() agentwire.ConfigUpdate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Store replaces the state, on disk before it returns. The daemon's word counts whatever its version: a daemon restored from an
// older copy has an older one.
func (c *Cache) Store(u agentwire.ConfigUpdate) error {
	b, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encode plans: %w", err)
	}
	if err := c.store(u, b); err != nil {
		return err
	}
	c.changed.Ring()
	return nil
}

func (c *Cache) store(u agentwire.ConfigUpdate, b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := atomicfile.Write(c.path, b, 0o600); err != nil {
		return err
	}
	c.state = u
	return nil
}

// Changed is closed when the state was stored since the call.
func (c *Cache) Changed() <-chan struct{} { return c.changed.Listen() }
