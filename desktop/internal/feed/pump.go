package feed

import (
	"context"
	"time"
)

// DefaultInterval is the pause between two batches of a stream.
const DefaultInterval = 100 * time.Millisecond

// Post runs a function on the UI goroutine, some time later and in the order of the calls. It may forget functions once the window
// is gone.
type Post func(func())

// pump hands batches over: at most one is on its way, and the interval passes between one that was applied and the next.
type pump struct {
	post     Post
	interval time.Duration
	bell     chan struct{} // one ring is enough: whoever hears it takes all that waits
}

func newPump(post Post, interval time.Duration) *pump {
	if interval <= 0 {
		interval = DefaultInterval
	}
	return &pump{post: post, interval: interval, bell: make(chan struct{}, 1)}
}

// ring says that something waits.
func (p *pump) ring() {
	select {
	case p.bell <- struct{}{}:
	default: // it rings already
	}
}

// run hands over what take gives until ctx ends. take gives nil when nothing waits.
func (p *pump) run(ctx context.Context, take func() (apply func())) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		select {
		case <-p.bell:
		case <-ctx.Done():
			return
		}
		apply := take()
		if apply == nil {
			continue
		}
		if !deliver(ctx, p.post, apply) {
			return
		}
		timer.Reset(p.interval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// deliver posts apply and waits until it ran. With ctx over it does not run, also when it was posted before; false says so.
func deliver(ctx context.Context, post Post, apply func()) bool {
	if ctx.Err() != nil {
		return false
	}
	done := make(chan struct{})
	post(func() {
		defer close(done)
		if ctx.Err() == nil {
			apply()
		}
	})
	select {
	case <-done:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
