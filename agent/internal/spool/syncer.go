package spool

import (
	"sync"
	"sync/atomic"
	"time"
)

// syncer syncs a file about once a second when something was written, beside the writer, whom a slow disk must not stop.
type syncer struct {
	dirty atomic.Bool
	quit  chan struct{}
	wait  sync.WaitGroup
	err   error // the last failed sync; read after stop
}

func startSyncer(f File, every time.Duration) *syncer {
	s := &syncer{quit: make(chan struct{})}
	s.wait.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-s.quit:
				return
			case <-t.C:
			}
			if !s.dirty.Swap(false) {
				continue
			}
			if err := f.Sync(); err != nil {
				s.err = err
				s.dirty.Store(true)
			} else {
				s.err = nil
			}
		}
	})
	return s
}

func (s *syncer) stop() error {
	close(s.quit)
	s.wait.Wait()
	return s.err
}
