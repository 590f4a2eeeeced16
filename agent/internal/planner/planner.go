// Package planner keeps the desired state of this host as the daemon last sent it: plans and the repositories they go to, whole and
// versioned, on disk, so that the host knows its plans while the daemon is away.
//
// It starts no goroutine and is safe for concurrent use.
package planner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/atomicfile"
)

// Cache is the desired state on disk.
type Cache struct {
	path string

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
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := atomicfile.Write(c.path, b, 0o600); err != nil {
		return err
	}
	c.state = u
	return nil
}
