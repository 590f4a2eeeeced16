package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// AgentHello opens a session: the host is online, the jobs that the agent holds are brought together with those the daemon
// knows. offer are the jobs to send now, oldest first.
func (s *Service) AgentHello(ctx context.Context, id fleet.AgentID, h agentwire.Hello, now time.Time) (host fleet.Host, jobs []agentwire.WelcomeJob, offer []fleet.Job, err error) {
	now = now.UTC().Truncate(time.Microsecond)
	if err := checkFacts(h.Facts); err != nil {
		return host, nil, nil, err
	}
	if h.AgentID != id {
		return host, nil, nil, fault.New(fault.Protocol, "The agent named itself otherwise than its certificate does. Enrol it anew.")
	}
	m, err := s.meeting(h, now)
	if err != nil {
		return host, nil, nil, err
	}
	host, err = m.run(ctx, id, h)
	if errors.Is(err, errCopy) {
		if err = s.renew(ctx, id, now); err == nil {
			if m, err = s.meeting(h, now); err == nil {
				host, err = m.run(ctx, id, h)
			}
		}
	}
	if err != nil {
		return fleet.Host{}, nil, nil, err
	}
	s.seen.set(host.ID, now)
	s.notify(m.changed)
	return host, m.welcome, m.offer, nil
}

// meeting makes ready what an agent says of its jobs.
func (s *Service) meeting(h agentwire.Hello, now time.Time) (*meeting, error) {
	same := h.Epoch == s.store.Epoch()
	m := &meeting{s: s, now: now, partial: h.More, sameEpoch: same || h.Epoch == "", watchful: same && !s.renewal.done.Load(),
		held: make(map[fleet.JobID]agentwire.HeldJob, len(h.Jobs))}
	for _, held := range h.Jobs {
		if !fleet.ValidID(string(held.JobID)) || !held.State.Valid() {
			return nil, fault.New(fault.Protocol, "The agent named a job with an invalid id or state. Update the agent.")
		}
		if _, doubled := m.held[held.JobID]; !doubled {
			m.ids = append(m.ids, held.JobID)
		}
		m.held[held.JobID] = m.trust(held)
	}
	return m, nil
}

// run brings all together in one transaction, or changes nothing.
func (m *meeting) run(ctx context.Context, id fleet.AgentID, h agentwire.Hello) (fleet.Host, error) {
	host, asKnown, err := m.prepare(ctx, id, h)
	if err != nil || asKnown {
		return host, err
	}
	err = m.s.update(ctx, func(w Writer) error {
		host, err = trustedAgent(ctx, w, id) // again: it may have been revoked since
		if err != nil {
			return err
		}
		if err := setFacts(ctx, w, &host, h.Facts); err != nil {
			return err
		}
		host.Online, host.LastSeenAt, host.ClockSkewMS = true, &m.now, m.skew(host, h)
		if err := w.PutHost(ctx, &host); err != nil {
			return err
		}
		if err := m.meet(ctx, w, host); err != nil {
			return err
		}
		if len(m.changed) > 0 { // the host's last job may be among them
			host, err = w.Host(ctx, host.ID)
		}
		return err
	})
	return host, err
}

// meeting brings the jobs of an agent and those of the daemon together.
type meeting struct {
	s         *Service
	now       time.Time
	ids       []fleet.JobID
	held      map[fleet.JobID]agentwire.HeldJob
	partial   bool // the agent holds more than it named
	sameEpoch bool // what the agent says was acknowledged, was so by this store
	watchful  bool // look for what this store should know and does not
	durable   map[fleet.JobID]fleet.LogPosition

	welcome []agentwire.WelcomeJob
	offer   []fleet.Job
	changed []JobRecord
}

// prepare does what need not be done inside the write transaction: it is through with the jobs that both sides know to be over, most
// of them, and asks the logs about the others, which stay in m.ids. asKnown tells that there is nothing to write.
func (m *meeting) prepare(ctx context.Context, id fleet.AgentID, h agentwire.Hello) (host fleet.Host, asKnown bool, err error) {
	var ended []fleet.JobID
	for _, id := range m.ids {
		if held := m.held[id]; held.Acked && held.State.Ended() {
			ended = append(ended, id)
		}
	}
	err = m.s.store.View(ctx, func(r Reader) error {
		if host, err = trustedAgent(ctx, r, id); err != nil {
			return err
		}
		settled, err := r.SettledJobs(ctx, host.ID, ended)
		if err != nil {
			return err
		}
		over := make(map[fleet.JobID]bool, len(settled))
		for _, id := range settled {
			over[id] = true // and no answer: a welcome that names a host's whole past would be long
		}
		m.ids = slices.DeleteFunc(m.ids, func(id fleet.JobID) bool { return over[id] })
		asKnown, err = m.asKnown(ctx, r, host, h)
		return err
	})
	if err != nil {
		return host, false, err
	}
	m.durable = make(map[fleet.JobID]fleet.LogPosition, len(m.ids))
	for _, id := range m.ids {
		if m.durable[id], err = m.s.logs.Durable(ctx, id); err != nil {
			return host, false, fmt.Errorf("read end of log of job %s: %w", id, err)
		}
	}
	return host, asKnown, nil
}

// asKnown tells whether an agent comes back just as the store has it, as a whole fleet does after a restart of the daemon: its host is
// online, and no job is open on either side. That it was heard from is written later, together with that of other hosts.
func (m *meeting) asKnown(ctx context.Context, r Reader, host fleet.Host, h agentwire.Hello) (bool, error) {
	if !host.Online || len(m.ids) > 0 || m.skewed(host, h) {
		return false, nil
	}
	is := host
	if err := setFacts(ctx, r, &is, h.Facts); err != nil || !sameHost(is, host) {
		return false, err
	}
	open, err := r.OpenJobs(ctx, host.ID)
	return len(open) == 0, err
}

// skewNoise is how many milliseconds a host's clock may seem to have moved since the last connection, for the way takes its time, too.
const skewNoise = 1000

func (m *meeting) skewed(host fleet.Host, h agentwire.Hello) bool {
	moved := m.skew(host, h) - host.ClockSkewMS
	return moved > skewNoise || moved < -skewNoise
}

// skew is how far the host's clock is ahead, in milliseconds: what is known of it, when the agent does not say.
func (m *meeting) skew(host fleet.Host, h agentwire.Hello) int64 {
	if h.Clock.IsZero() {
		return host.ClockSkewMS
	}
	return h.Clock.Sub(m.now).Milliseconds()
}

func (m *meeting) meet(ctx context.Context, w Writer, host fleet.Host) error {
	if err := m.present(ctx, w, host); err != nil {
		return err
	}
	return m.absent(ctx, w, host)
}

// present looks at the jobs that the agent named.
func (m *meeting) present(ctx context.Context, w Writer, host fleet.Host) error {
	known, err := w.JobsByID(ctx, m.ids)
	if err != nil {
		return err
	}
	for _, id := range m.ids {
		held := m.held[id]
		j, ok := known[id]
		switch {
		case !ok && m.missed(held):
			err = errCopy
		case !ok:
			err = m.adopt(ctx, w, host, held)
		case j.HostID != host.ID:
			m.s.log.Warn("an agent holds a job of another host", "host_id", host.ID, "job_id", id)
			m.answer(id, 0, agentwire.DesireForget)
		case m.behind(j, held):
			err = errCopy
		default:
			err = m.known(ctx, w, j, held)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *meeting) answer(id fleet.JobID, seq int64, desired agentwire.Desire) {
	m.welcome = append(m.welcome, agentwire.WelcomeJob{JobID: id, DurableSeq: seq, Desired: desired})
}

// known takes a job that both sides know to where the agent has it.
func (m *meeting) known(ctx context.Context, w Writer, j JobRecord, held agentwire.HeldJob) error {
	seq := m.durable[j.ID].LastSeq
	if j.State.Final() {
		switch {
		case !held.State.Ended() && j.State == fleet.StateCancelled:
			m.answer(j.ID, seq, agentwire.DesireCancel)
		case held.State.Ended() && (seq >= held.LastSeq || j.LogSealed && seq >= j.Log.LastSeq): // the logs alone may be a copy
			m.answer(j.ID, max(seq, held.LastSeq), agentwire.DesireForget)
		default:
			m.answer(j.ID, seq, agentwire.DesireRun)
		}
		return nil
	}
	changed, was := !j.Accepted, j.State
	j.Accepted = true
	switch held.State {
	case fleet.StateAccepted, fleet.StateRunning:
		changed = advance(&j, held.State, m.now) || changed
	default: // it has ended: job.finished will say how
		changed = advance(&j, fleet.StateAccepted, m.now) || changed
	}
	if j.CancelRequested && !held.State.Ended() {
		m.answer(j.ID, seq, agentwire.DesireCancel)
	} else {
		m.answer(j.ID, seq, agentwire.DesireRun)
	}
	if !changed {
		return nil
	}
	m.changed = append(m.changed, j)
	return errors.Join(w.PutJob(ctx, &j), reopened(ctx, w, was, &j))
}

// adopt takes up a job that this daemon does not know: its store was restored from a copy older than the job.
func (m *meeting) adopt(ctx context.Context, w Writer, host fleet.Host, held agentwire.HeldJob) error {
	if !adoptable(held) {
		m.s.log.Warn("an agent holds a job that nobody knows", "host_id", host.ID, "job_id", held.JobID)
		m.answer(held.JobID, 0, agentwire.DesireForget)
		return nil
	}
	spec := *held.Spec
	j := JobRecord{Accepted: true, Job: fleet.Job{
		ID: held.JobID, HostID: host.ID, Kind: spec.Kind, PlanID: spec.PlanID, RepositoryID: spec.Repository.ID,
		State: fleet.StateUnknown, CreatedBy: adoptedBy(held.JobID), CreatedAt: spec.CreatedAt, UpdatedAt: m.now, Spec: spec,
	}}
	switch held.State {
	case fleet.StateAccepted, fleet.StateRunning:
		j.State = held.State
	}
	m.changed = append(m.changed, j)
	m.answer(j.ID, m.durable[j.ID].LastSeq, agentwire.DesireRun)
	return w.PutJob(ctx, &j)
}

// adoptable tells whether the agent says enough of a job, and nothing that could not have been asked of it.
func adoptable(held agentwire.HeldJob) bool {
	return held.Spec != nil && held.Spec.JobID == held.JobID && held.Spec.Validate() == nil
}

// adoptedBy tells scheduled runs, whose ids begin with "slot:", from those that somebody started and whose name is lost.
func adoptedBy(id fleet.JobID) string {
	if id.Scheduled() {
		return fleet.ScheduleUser
	}
	return "unknown"
}

// absent looks at the jobs that the daemon has open and the agent does not hold. One that it never confirmed is offered (again);
// one that it did confirm is lost, unless the agent may hold it all the same.
func (m *meeting) absent(ctx context.Context, w Writer, host fleet.Host) error {
	open, err := w.OpenJobs(ctx, host.ID)
	if err != nil {
		return err
	}
	for i := range open {
		j := &open[i]
		if _, held := m.held[j.ID]; held {
			continue
		}
		sure := !m.partial || j.State == fleet.StateQueued
		if !sure && (j.Accepted || j.CancelRequested || m.s.expired(*j, m.now)) {
			continue // what the agent says of the job, or a later hello, will tell
		}
		switch {
		case j.Accepted:
			_, err = m.s.end(ctx, w, j, fleet.Outcome{State: fleet.StateLost, Reason: fleet.ReasonJobForgotten, FinishedAt: m.now,
				Message: "The agent came back without this job: its data was lost, or it was set up anew. Look on the host, then start the job again."})
		case j.CancelRequested:
			err = m.s.endUnsent(ctx, w, j, cancelled("Cancelled before the host began it. Start it again when it is wanted."))
		case m.s.expired(*j, m.now):
			err = m.s.expire(ctx, w, j)
		default:
			m.offer = append(m.offer, j.Job)
			continue
		}
		if err != nil {
			return err
		}
		m.changed = append(m.changed, *j)
	}
	return nil
}
