package joblog

import (
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// DropBefore removes the log files of the months before the one of t, and tells which. A month that is in use, because a job of it
// is still written or read, stays until the next time.
func (s *Store) DropBefore(t time.Time) (dropped []string, err error) {
	names, err := s.months.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if name >= t.UTC().Format(monthForm) || !s.forgetMonth(name) {
			continue
		}
		gone, err := s.months.drop(name)
		if err != nil {
			return dropped, fault.Wrap(fault.Internal, err, "An old log file could not be removed. Look at the daemon's log.")
		}
		if gone {
			dropped = append(dropped, name)
		}
	}
	return dropped, nil
}

// forgetMonth forgets the jobs of a month, unless one of them is in use.
func (s *Store) forgetMonth(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var idle []fleet.JobID
	for job, e := range s.entries {
		e.mu.Lock() // held for short moments only, never for I/O
		in, busy := e.month == name, e.refs > 0 || e.queued || e.durable.LastSeq < e.next-1
		e.mu.Unlock()
		if in && busy {
			return false
		}
		if in {
			idle = append(idle, job)
		}
	}
	for _, job := range idle {
		s.ring.Add(-s.entries[job].kept)
		delete(s.entries, job)
	}
	return true
}
