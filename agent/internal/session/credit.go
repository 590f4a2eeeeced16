package session

import (
	"context"
	"sync"
)

// credit is how many bytes of log text may still be sent before the daemon has more of it on disk.
type credit struct {
	mu   sync.Mutex
	left int64
	more chan struct{} // closed and replaced when left grows
}

func newCredit() *credit { return &credit{more: make(chan struct{})} }

func (c *credit) add(bytes int64) {
	if bytes <= 0 {
		return
	}
	c.mu.Lock()
	c.left += bytes
	close(c.more)
	c.more = make(chan struct{})
	c.mu.Unlock()
}

// take waits until any credit is left and then takes bytes of it, which may be more than is left: a batch is never cut, the next
// one waits longer instead.
func (c *credit) take(ctx context.Context, bytes int64) error {
	for {
		c.mu.Lock()
		if c.left > 0 {
			c.left -= bytes
			c.mu.Unlock()
			return nil
		}
		more := c.more
		c.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
