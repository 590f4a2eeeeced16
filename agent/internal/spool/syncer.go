package spool

import (
	"sync"
	"time"
)

// syncer syncs a file within a time after something was written, beside the writer, whom a slow disk must not stop. While nothing is
// written it sleeps.
type syncer struct {
	news chan struct{} // holds one: something was written since the last sync began
	quit chan struct{}
	wait sync.WaitGroup
	err  error // the last failed sync; read after stop
}

func startSyncer(f File, every time.Duration) *syncer {
	s := &syncer{news: make(chan struct{}, 1), quit: make(chan struct{})}
	s.wait.Go(func() {
		for s.pause(every) {
			select { // before the sync: what is written meanwhile needs the next one
			case <-s.news:
			default:
			}
			if s.err = f.Sync(); s.err != nil {
				s.written()
			}
		}
	})
	return s
}

// pause waits until something was written, and then for every; false at the end.
func (s *syncer) pause(every time.Duration) bool {
	select {
	case <-s.quit:
		return false
	case <-s.news:
	}
	t := time.NewTimer(every)
	defer t.Stop()
	select {
	case <-s.quit:
		return false
	case <-t.C:
		return true
	}
}

// written says that there is something to sync.
func (s *syncer) written() {
	select {
	case s.news <- struct{}{}:
	default: // said already
	}
}

func (s *syncer) stop() error {
	close(s.quit)
	s.wait.Wait()
	return s.err
}
