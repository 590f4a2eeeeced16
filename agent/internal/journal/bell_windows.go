package journal

import (
	"sync"
	"time"
)

func makeBells(Folder) error { return nil }

// Ringer does nothing on Windows: Bell looks by itself.
type Ringer struct{}

// OpenRinger gives a Ringer.
func OpenRinger(string) (*Ringer, error) { return &Ringer{}, nil }

// Ring does nothing.
func (*Ringer) Ring(Sound) {}

// Close does nothing.
func (*Ringer) Close() error { return nil }

const (
	lookEvery  = 20 * time.Millisecond
	stateEvery = 10 // looks
)

// Bell says "look" all the time while it is open.
type Bell struct {
	state chan struct{}
	quit  chan struct{}
	once  sync.Once
	wait  sync.WaitGroup
}

// Listen begins to look. lines is called, from the bell's own goroutine, when there may be more lines.
func Listen(_ string, lines func()) (*Bell, error) {
	b := &Bell{state: make(chan struct{}, 1), quit: make(chan struct{})}
	b.wait.Go(func() {
		t := time.NewTicker(lookEvery)
		defer t.Stop()
		for i := 0; ; i++ {
			select {
			case <-b.quit:
				return
			case <-t.C:
			}
			lines()
			if i%stateEvery == 0 {
				coalesce(b.state)
			}
		}
	})
	return b, nil
}

// Close ends looking and waits for the goroutine. It may be called again.
func (b *Bell) Close() error {
	b.once.Do(func() { close(b.quit) })
	b.wait.Wait()
	return nil
}
