package wsconn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// KeepAlive finds half-open connections: every Interval the peer is pinged, and when no answer comes within Timeout the
// connection is cut. Zero Interval means none.
type KeepAlive struct {
	Interval time.Duration
	Timeout  time.Duration // Interval when 0
}

// keeper runs the pings of one connection. A nil keeper does nothing.
type keeper struct {
	cfg  KeepAlive
	ping func(context.Context) error
	cut  func()
	gone atomic.Bool
	wg   sync.WaitGroup // the ping under way

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

func newKeeper(cfg KeepAlive, ping func(context.Context) error, cut func()) *keeper {
	if cfg.Timeout <= 0 {
		cfg.Timeout = cfg.Interval
	}
	k := &keeper{cfg: cfg, ping: ping, cut: cut}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(cfg.Interval, k.tick)
	return k
}

// tick runs in the timer's goroutine.
func (k *keeper) tick() {
	k.mu.Lock()
	if k.stopped {
		k.mu.Unlock()
		return
	}
	k.wg.Add(1)
	k.mu.Unlock()
	defer k.wg.Done()

	ctx, cancel := context.WithTimeout(context.Background(), k.cfg.Timeout)
	defer cancel()
	err := k.ping(ctx)

	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	if err != nil {
		k.stopped = true
		k.gone.Store(true)
		k.cut()
		return
	}
	k.timer.Reset(k.cfg.Interval)
}

// lost tells whether the connection was cut because no answer came.
func (k *keeper) lost() bool { return k != nil && k.gone.Load() }

func (k *keeper) stop() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	k.timer.Stop()
}

func (k *keeper) wait() {
	if k != nil {
		k.wg.Wait()
	}
}
