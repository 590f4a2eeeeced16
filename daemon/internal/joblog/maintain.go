package joblog

import (
	"time"

	"github.com/klauspost/compress/zstd"
)

// How sealed logs are rewritten.
const (
	sealedLevel  = zstd.SpeedBetterCompression
	compactLines = 8 * sealedLines // in one transaction
	compactRetry = 30 * time.Second
)

// compactSoon tells the maintainer that a month may hold sealed logs to rewrite.
func (s *Store) compactSoon(month string) {
	s.mu.Lock()
	s.sealedIn[month] = struct{}{}
	s.mu.Unlock()
	knock(s.compact)
}

// maintain is the maintainer's goroutine: it rewrites sealed logs and forgets idle jobs.
func (s *Store) maintain() {
	tick := time.NewTicker(max(s.cfg.IdleAfter/4, 10*time.Millisecond))
	defer tick.Stop()
	var retry <-chan time.Time
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.forgetIdle(s.cfg.Clock())
			continue
		case <-s.compact:
		case <-retry:
			retry = nil
		}
		if !s.compactMonths() {
			retry = time.After(compactRetry)
		}
	}
}

// compactMonths rewrites the sealed logs of every month that was named. It gives false when some could not be and are to be tried
// again.
func (s *Store) compactMonths() bool {
	pack, err := newPacker(sealedLevel) // its tables are large: they go when the work is done
	if err != nil {
		s.cfg.Log.Error("sealed logs cannot be compacted", "err", err)
		return false
	}
	ok := true
	for {
		s.mu.Lock()
		month, found := "", false
		for month = range s.sealedIn {
			found = true
			delete(s.sealedIn, month)
			break
		}
		s.mu.Unlock()
		if !found || s.stopping() {
			break
		}
		if err := s.compactMonth(month, pack); err != nil && !s.stopping() {
			s.cfg.Log.Warn("sealed logs are not compacted yet", "month", month, "err", err)
			defer s.nameAgain(month)
			ok = false
		}
	}
	return ok
}

func (s *Store) nameAgain(month string) {
	s.mu.Lock()
	s.sealedIn[month] = struct{}{}
	s.mu.Unlock()
}

func (s *Store) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
