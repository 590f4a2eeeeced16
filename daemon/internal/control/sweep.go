package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

const (
	sweepBatch    = 500                // rows that one transaction of a sweep changes, so that others need not wait for it
	seenEvery     = time.Minute        // how often last contacts and uses of tokens are written
	dropEvery     = time.Hour          // how often what has ended is removed
	keepEnded     = 7 * 24 * time.Hour // how long ended tokens stay, to be told from wrong ones
	comeBack      = 30 * time.Second   // how long hosts that were online have to come back after a restart of the daemon
	expireMessage = "The job could not be sent to the host within %s. Look why the host is away, then start the job again."
)

// sweeps is when the rarer parts of a sweep were done last. It belongs to the goroutine that calls Sweep.
type sweeps struct{ seen, dropped time.Time }

// Sweep does what time demands: hosts whose session is gone are offline, jobs of hosts away for too long become unknown, jobs
// queued for too long expire, ended sessions and old keys are removed. Call it every few seconds, from one goroutine.
func (s *Service) Sweep(ctx context.Context) error {
	err := errors.Join(s.sweepHosts(ctx), s.sweepAway(ctx), s.sweepQueued(ctx), s.sweepSeen(ctx), s.sweepEnded(ctx))
	if s.feed != nil {
		s.feed.Publish() // lets the feed look after its gaps
	}
	return err
}

// sweepHosts makes the store agree with the dispatcher about who is online: they differ after a restart of the daemon, when a
// session ended while the store was full, and when the end of one session overtook the beginning of the next. Right after a start
// nobody is taken offline: a whole fleet is on its way back, and each host would be written twice.
func (s *Service) sweepHosts(ctx context.Context) error {
	d := s.dispatcher()
	if d == nil {
		return nil
	}
	var hosts []HostSeen
	err := s.store.View(ctx, func(r Reader) (err error) {
		hosts, err = r.HostsSeen(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.sweepCloned(ctx, hosts); err != nil {
		return err
	}
	early := s.now().Sub(s.start) < min(comeBack, s.cfg.AwayLimit)
	hosts = slices.DeleteFunc(hosts, func(h HostSeen) bool { return d.Online(h.ID) == h.Online || h.Online && early })
	for batch := range slices.Chunk(hosts, sweepBatch) {
		err := s.update(ctx, func(w Writer) error {
			for _, seen := range batch {
				if err := s.setOnline(ctx, w, d, seen); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) setOnline(ctx context.Context, w Writer, d Dispatcher, seen HostSeen) error {
	if seen.Online {
		return s.hostAway(ctx, w, seen.ID, seen.At)
	}
	h, err := w.Host(ctx, seen.ID)
	if err != nil || h.Online || h.RevokedAt != nil || !d.Online(seen.ID) {
		return err
	}
	h.Online = true
	return w.PutHost(ctx, &h)
}

// sweepAway gives up contact with the jobs of hosts that are away for too long. Right after the daemon's start no host is: each
// gets the whole limit to come back.
func (s *Service) sweepAway(ctx context.Context) error {
	now := s.now()
	if now.Sub(s.start) < s.cfg.AwayLimit {
		return nil
	}
	message := "The host has not been heard from for " + s.cfg.AwayLimit.String() + "; the job may well run on. Its end is shown when the host is back."
	return s.sweepJobs(ctx, func(r Reader) ([]fleet.JobID, error) {
		return r.SentToAway(ctx, now.Add(-s.cfg.AwayLimit), sweepBatch)
	}, func(w Writer, j *JobRecord) error {
		h, err := w.Host(ctx, j.HostID)
		if err != nil || h.Online || !loseContact(j, now, message) {
			return err
		}
		return w.PutJob(ctx, j)
	})
}

// sweepQueued expires jobs that could not be sent. After the daemon's start the hosts get the time to come back and say what they
// hold: in a store that was put back from a copy a job may be queued that was run long ago.
func (s *Service) sweepQueued(ctx context.Context) error {
	now := s.now()
	if now.Sub(s.start) < s.cfg.AwayLimit {
		return nil
	}
	return s.sweepJobs(ctx, func(r Reader) ([]fleet.JobID, error) {
		return r.QueuedBefore(ctx, now.Add(-s.cfg.JobTTL), sweepBatch)
	}, func(w Writer, j *JobRecord) error {
		if j.State != fleet.StateQueued || !s.expired(*j, now) {
			return nil
		}
		return s.expire(ctx, w, j)
	})
}

// expired tells whether a job could not be sent for too long. The time before the store was put back from a copy does not count.
func (s *Service) expired(j JobRecord, now time.Time) bool {
	since := j.CreatedAt
	if at := s.store.RestoredAt(); at.After(since) {
		since = at
	}
	return now.Sub(since) > s.cfg.JobTTL
}

func (s *Service) expire(ctx context.Context, w Writer, j *JobRecord) error {
	return s.endUnsent(ctx, w, j, fleet.Outcome{State: fleet.StateFailed, Reason: fleet.ReasonExpired, Message: fmt.Sprintf(expireMessage, s.cfg.JobTTL)})
}

// sweepJobs changes jobs batch by batch until look finds no more. What was found is looked at again inside the transaction.
func (s *Service) sweepJobs(ctx context.Context, look func(Reader) ([]fleet.JobID, error), change func(Writer, *JobRecord) error) error {
	for {
		var ids []fleet.JobID
		err := s.store.View(ctx, func(r Reader) (err error) {
			ids, err = look(r)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		var changed []JobRecord
		err = s.update(ctx, func(w Writer) error {
			for _, id := range ids {
				j, err := w.Job(ctx, id)
				if err != nil {
					return err
				}
				rev := j.Rev
				if err := change(w, &j); err != nil {
					return err
				}
				if j.Rev != rev {
					changed = append(changed, j)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.notify(changed)
		if len(changed) == 0 || len(ids) < sweepBatch {
			return nil
		}
	}
}

// sweepSeen writes when hosts were heard from and API tokens used, now and then: a crash forgets a minute of it.
func (s *Service) sweepSeen(ctx context.Context) error {
	now := s.now()
	if now.Sub(s.swept.seen) < seenEvery {
		return nil
	}
	s.swept.seen = now
	seen := s.seen.take()
	hosts := make([]fleet.HostID, 0, len(seen))
	for id := range seen {
		hosts = append(hosts, id)
	}
	slices.Sort(hosts)
	for batch := range slices.Chunk(hosts, sweepBatch) {
		err := s.update(ctx, func(w Writer) error {
			for _, id := range batch {
				if err := w.SetHostSeen(ctx, id, seen[id]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	used := s.actors.takeUsed()
	if len(used) == 0 {
		return nil
	}
	return s.update(ctx, func(w Writer) error {
		for id, at := range used {
			if err := w.TokenUsed(ctx, id, at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) sweepEnded(ctx context.Context) error {
	now := s.now()
	if now.Sub(s.swept.dropped) < dropEvery {
		return nil
	}
	err := s.update(ctx, func(w Writer) error {
		return errors.Join(w.DropAccess(ctx, now.Add(-keepEnded)), w.DropIdempotent(ctx, now.Add(-keyLife)),
			w.DropTallies(ctx, now.AddDate(0, 0, -keptDays)))
	})
	if err == nil {
		s.swept.dropped = now
	}
	return err
}
