package bell_test

import (
	"sync"
	"testing"

	"github.com/backstay/backstay/agent/internal/bell"
)

func rung(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestBell(t *testing.T) {
	var b bell.Bell
	b.Ring() // nobody listens
	first, second := b.Listen(), b.Listen()
	if rung(first) || rung(second) {
		t.Fatal("a listener hears a ring of the past")
	}
	b.Ring()
	if !rung(first) || !rung(second) {
		t.Fatal("a listener was not woken")
	}
	if third := b.Listen(); rung(third) {
		t.Fatal("a ring is heard twice")
	}
}

// Whoever listens before looking misses nothing: the last value is seen by all, however the rings fall.
func TestNoRingIsMissed(t *testing.T) {
	const last = 1000
	var b bell.Bell
	var mu sync.Mutex
	value := 0
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				ch := b.Listen()
				mu.Lock()
				seen := value
				mu.Unlock()
				if seen == last {
					return
				}
				<-ch
			}
		})
	}
	for range last {
		mu.Lock()
		value++
		mu.Unlock()
		b.Ring()
	}
	wg.Wait()
}
