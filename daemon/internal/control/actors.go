package control

import (
	"strings"
	"sync"
	"time"
)

const (
	actorLife = time.Second
	maxActors = 4096
)

// actorCache remembers for a second whose a token is, so that a busy console costs one look-up a second. Changes made through
// this Service empty it at once; the life of an entry bounds how long a change made elsewhere goes unseen.
type actorCache struct {
	mu      sync.Mutex
	entries map[string]cachedActor // by hash of the token; at maxActors all are dropped, they are cheap to get again
	used    map[string]time.Time   // API tokens used since the last sweep, by id; at most one entry a token
	round   int64                  // bumped by forget: what was read before it is not remembered after it
}

type cachedActor struct {
	actor Actor
	until time.Time
}

func newActorCache() *actorCache {
	return &actorCache{entries: make(map[string]cachedActor), used: make(map[string]time.Time)}
}

func (c *actorCache) get(hash string, now time.Time) (Actor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[hash]
	if !ok || !now.Before(e.until) || !e.actor.Expires.IsZero() && !now.Before(e.actor.Expires) {
		return Actor{}, false
	}
	return e.actor, true
}

// begin is called before the store is read; put takes what it gave.
func (c *actorCache) begin() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.round
}

func (c *actorCache) put(hash string, a Actor, now time.Time, began int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(a.Name, tokenActor) {
		c.used[a.TokenID] = now
	}
	if c.round != began {
		return
	}
	if len(c.entries) >= maxActors {
		clear(c.entries)
	}
	c.entries[hash] = cachedActor{actor: a, until: now.Add(actorLife)}
}

func (c *actorCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
	clear(c.entries)
}

// takeUsed gives the API tokens that were used since it was called last.
func (c *actorCache) takeUsed() map[string]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	used := c.used
	c.used = make(map[string]time.Time)
	return used
}
