package agentws

import (
	"context"
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// overdraft is how many windows an agent may have under way before it counts as one that does not keep to its credit.
const overdraft = 4

// jobLog is what a session knows of the log of one job. Guarded by the session's mutex.
type jobLog struct {
	id      fleet.JobID
	durable func(seq int64)
	pieces  []piece // received, not yet on disk, in order
	next    int64   // as the log said last; 0: not said yet
	nacked  int64   // asked for from this line on; 0: nothing is missing
	held    *hold   // lines found no room
	done    bool    // the job's end is acknowledged, and all with it
}

// piece is one frame's lines.
type piece struct {
	last  int64
	bytes int64
}

// hold is the pause after lines found no room: until the timer rings, whatever comes of the job is dropped.
type hold struct {
	timer *time.Timer
	owed  int64 // credit of what was dropped
}

// knows notes that a job belongs to this host.
func (s *session) knows(id fleet.JobID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.knowsLocked(id)
}

func (s *session) knowsLocked(id fleet.JobID) *jobLog {
	j := s.jobs[id]
	if j == nil {
		j = &jobLog{id: id}
		j.durable = func(seq int64) { s.durable(j, seq) }
		s.jobs[id] = j
	}
	return j
}

// owns tells whether a job belongs to this host. The store is asked once a job and session, and only for one that hello did not
// name.
func (s *session) owns(id fleet.JobID) bool {
	s.mu.Lock()
	known := s.jobs[id] != nil
	s.mu.Unlock()
	if known {
		return true
	}
	ctx, cancel := context.WithTimeout(s.ctx, storeTimeout)
	defer cancel()
	if _, err := s.h.cfg.Control.AgentJob(ctx, s.host, id); err != nil {
		s.log.Warn("agent's message about a job is not taken", "host_id", s.host, "job_id", id, "err", err)
		return false
	}
	s.knows(id)
	return true
}

// lines hands log lines to the log. Whatever becomes of them, their credit goes back to the agent sooner or later.
func (s *session) lines(id fleet.JobID, m agentwire.LogStream) error {
	var bytes int64
	for i := range m.Lines {
		bytes += int64(len(m.Lines[i].Text))
	}
	if !s.owns(id) {
		s.out.grant(bytes)
		return nil
	}
	j, dropped, err := s.admit(id, m, bytes)
	if err != nil || dropped {
		return err
	}
	expect, err := s.h.cfg.Logs.Append(id, m.FirstSeq, m.Lines, j.durable)
	gap := err == nil && expect < m.FirstSeq
	s.expects(j, expect)
	if err != nil || gap || len(m.Lines) == 0 {
		s.withdraw(j, m, bytes)
	}
	switch fault.CodeOf(err) {
	case "":
		if gap {
			s.missing(j, expect, bytes)
		} else {
			s.found(j)
		}
		return nil
	case fault.Unavailable, fault.StorageFull, fault.StorageDenied:
		s.log.Warn("log lines not taken", "host_id", s.host, "job_id", id, "err", err)
		s.hold(j, bytes)
		return nil
	case fault.JobEnded:
		s.log.Warn("agent sent lines behind the end of a log", "host_id", s.host, "job_id", id, "seq", m.FirstSeq)
		s.out.grant(bytes)
		return nil
	}
	return fmt.Errorf("append to log of job %s: %w", id, err)
}

// admit makes room for a frame's lines, or drops them. The piece is noted before the lines are handed on: they may be on disk
// before Append returns.
func (s *session) admit(id fleet.JobID, m agentwire.LogStream, bytes int64) (j *jobLog, dropped bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j = s.knowsLocked(id)
	if s.under+bytes > overdraft*s.h.cfg.Window+agentwire.MaxFrame {
		return nil, false, fault.New(fault.Protocol, "The agent does not keep to its credit. Update the agent.")
	}
	if j.held == nil && !s.h.budget.take(bytes) {
		s.holdLocked(j)
	}
	if j.held != nil {
		j.held.owed += bytes
		return j, true, nil
	}
	s.under += bytes
	j.pieces = append(j.pieces, piece{last: m.FirstSeq + int64(len(m.Lines)) - 1, bytes: bytes})
	return j, false, nil
}

func (s *session) expects(j *jobLog, next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.next = max(j.next, next)
}

// withdraw takes back what admit noted for lines that were not taken.
func (s *session) withdraw(j *jobLog, m agentwire.LogStream, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(j.pieces) - 1
	if n < 0 || j.pieces[n] != (piece{last: m.FirstSeq + int64(len(m.Lines)) - 1, bytes: bytes}) {
		return // given back already
	}
	j.pieces = j.pieces[:n]
	s.under -= bytes
	s.h.budget.give(bytes)
}

// durable is called by the log when lines are on disk.
func (s *session) durable(j *jobLog, seq int64) {
	s.mu.Lock()
	bytes, n := int64(0), 0
	for n < len(j.pieces) && j.pieces[n].last <= seq {
		bytes += j.pieces[n].bytes
		n++
	}
	j.pieces = append(j.pieces[:0], j.pieces[n:]...)
	s.under -= bytes
	quiet := s.over || j.done
	s.mu.Unlock()
	s.h.budget.give(bytes)
	if !quiet {
		s.out.ack(j.id, seq, false, bytes)
	}
}

// missing asks for the lines from expect on, once: what follows is as useless until they come.
func (s *session) missing(j *jobLog, expect, bytes int64) {
	s.mu.Lock()
	asked := j.nacked == expect
	j.nacked = expect
	s.mu.Unlock()
	if asked {
		s.out.grant(bytes)
		return
	}
	s.log.Info("log lines missing, asked for", "host_id", s.host, "job_id", j.id, "seq", expect)
	s.out.nack(j.id, expect, bytes)
}

func (s *session) found(j *jobLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.nacked = 0
}

// hold drops what comes of a job for a while, and then asks for all that is missing.
func (s *session) hold(j *jobLog, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holdLocked(j)
	j.held.owed += bytes
}

func (s *session) holdLocked(j *jobLog) {
	if j.held != nil {
		return
	}
	j.held = &hold{timer: time.AfterFunc(s.h.cfg.HoldFor, func() {
		err := s.store("hold", j.id, func(ctx context.Context) error { return s.release(ctx, j) })
		if err != nil {
			s.Close(agentwire.CloseBusy, "the daemon's store is far behind; come back later")
		}
	})}
}

// release ends a hold and asks for the lines that found no room.
func (s *session) release(ctx context.Context, j *jobLog) error {
	s.mu.Lock()
	next := j.next
	s.mu.Unlock()
	if next == 0 {
		pos, err := s.h.cfg.Logs.Durable(ctx, j.id)
		if err != nil {
			return fmt.Errorf("read end of log of job %s: %w", j.id, err)
		}
		next = pos.LastSeq + 1
	}
	s.mu.Lock()
	var owed int64
	if j.held != nil {
		owed, j.held = j.held.owed, nil
	}
	j.nacked = next
	s.mu.Unlock()
	s.log.Info("log lines found no room and are asked for again", "host_id", s.host, "job_id", j.id, "seq", next)
	s.out.nack(j.id, next, owed)
	return nil
}

// askAgain asks for the lines that a job's log has not on disk, unless a hold does that in its time.
func (s *session) askAgain(ctx context.Context, id fleet.JobID) error {
	s.mu.Lock()
	held := s.knowsLocked(id).held != nil
	s.mu.Unlock()
	if held {
		return nil
	}
	pos, err := s.h.cfg.Logs.Durable(ctx, id)
	if err != nil {
		return fmt.Errorf("read end of log of job %s: %w", id, err)
	}
	s.out.nack(id, pos.LastSeq+1, 0)
	return nil
}

// forget drops what is known of a job whose end is on disk, and gives the credit that is still out for it.
func (s *session) forget(id fleet.JobID) (credit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id]
	if j == nil {
		return 0
	}
	delete(s.jobs, id)
	bytes := s.clearLocked(j)
	credit = bytes
	if j.held != nil {
		credit += j.held.owed
	}
	return credit
}

// clearLocked ends the accounting of a job's log.
func (s *session) clearLocked(j *jobLog) (bytes int64) {
	for _, p := range j.pieces {
		bytes += p.bytes
	}
	j.pieces, j.done = nil, true
	s.under -= bytes
	s.h.budget.give(bytes)
	if j.held != nil {
		j.held.timer.Stop()
	}
	return bytes
}

// dropJobs gives the budget back what the session still has of it.
func (s *session) dropJobs() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		s.clearLocked(j)
	}
	clear(s.jobs)
}
