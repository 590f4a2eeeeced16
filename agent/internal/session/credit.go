package session

import "sync"

// maxCredit keeps a daemon's gifts from overflowing.
const maxCredit = 1 << 40

// credit is how many bytes of log text may still be sent before the daemon has more of it on disk.
type credit struct {
	mu   sync.Mutex
	left int64         // below 0 when the last batch was more than there was
	more chan struct{} // closed and replaced when left grows
}

func newCredit() *credit { return &credit{more: make(chan struct{})} }

func (c *credit) add(bytes int64) {
	if bytes <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = min(c.left+min(bytes, maxCredit), maxCredit)
	close(c.more)
	c.more = make(chan struct{})
}

// take takes bytes if any credit is left, even less than that. Otherwise it takes nothing and gives false.
func (c *credit) take(bytes int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left <= 0 {
		return false
	}
	c.left -= bytes
	return true
}

// any tells whether credit is left; grown is closed when there is more than now.
func (c *credit) any() (left bool, grown <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left > 0, c.more
}
