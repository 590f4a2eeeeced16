// Package bell wakes whoever waits for news without queueing any: a listener takes the channel, looks at what there is, and waits for
// the channel's close. It starts no goroutine and is safe for concurrent use.
package bell

import "sync"

// Bell is a doorbell for any number of listeners. The zero Bell is ready.
type Bell struct {
	mu sync.Mutex
	ch chan struct{} // nil while nobody listens
}

// Listen gives a channel that is closed at the next ring. Take it before looking, so that no ring is missed.
func (b *Bell) Listen() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

// Ring wakes everyone who listens.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
