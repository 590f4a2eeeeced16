package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// advance takes a job to a state of a normal life, and forgets what a lost contact had put in its outcome. It tells whether
// that changed anything: late and doubled messages do not.
func advance(j *JobRecord, next fleet.JobState, now time.Time) bool {
	if !j.State.CanBecome(next) {
		return false
	}
	j.State, j.UpdatedAt = next, now
	j.Outcome, j.FinishedAt = nil, nil
	return true
}

// end takes a job to its end and makes it the newest ended one of its host. It tells whether that was allowed.
func (s *Service) end(ctx context.Context, w Writer, j *JobRecord, o fleet.Outcome) (bool, error) {
	if !j.State.CanBecome(o.State) {
		return false, nil
	}
	now := s.now()
	j.State, j.Outcome, j.UpdatedAt = o.State, &o, now
	if o.FinishedAt.IsZero() {
		o.FinishedAt = now
	}
	finished := o.FinishedAt
	j.FinishedAt = &finished
	if !o.StartedAt.IsZero() {
		started := o.StartedAt
		j.StartedAt = &started
	}
	if err := w.PutJob(ctx, j); err != nil {
		return false, err
	}
	h, err := w.Host(ctx, j.HostID)
	if err != nil {
		return false, err
	}
	h.LastJobID = j.ID
	if m, ok := fleet.MarkOf(j.Job); ok { // of the job as it was stored: its times have the store's precision
		h.NoteBackup(m)
	}
	if err := w.PutHost(ctx, &h); err != nil {
		return false, err
	}
	return true, noteCheck(ctx, w, *j)
}

// noteCheck makes a check known at its repository.
func noteCheck(ctx context.Context, w Writer, j JobRecord) error {
	if j.Kind != fleet.KindCheck || j.State == fleet.StateCancelled {
		return nil
	}
	v, err := w.Repository(ctx, j.RepositoryID)
	if errors.Is(err, ErrNotFound) {
		return nil // forgotten here while the check ran
	}
	if err != nil {
		return err
	}
	m := fleet.JobMarkOf(j.Job)
	if !m.After(v.LastCheck) {
		return nil
	}
	v.LastCheck = &m
	return w.NoteRepository(ctx, &v)
}

// reopened takes the mark of an end back that turned out to be none: the job was lost to sight and runs on.
func reopened(ctx context.Context, w Writer, was fleet.JobState, j *JobRecord) error {
	if was != fleet.StateLost || j.State.Ended() || j.Kind != fleet.KindBackup {
		return nil
	}
	h, err := w.Host(ctx, j.HostID)
	if err != nil {
		return err
	}
	h.Backups = fleet.WithoutMark(h.Backups, j.ID)
	return w.PutHost(ctx, &h)
}

// endUnsent ends a job that no agent ever held: its log is empty, and that is all of it.
func (s *Service) endUnsent(ctx context.Context, w Writer, j *JobRecord, o fleet.Outcome) error {
	j.Log, j.LogSealed = fleet.LogPosition{}, true
	_, err := s.end(ctx, w, j, o)
	return err
}

func cancelled(message string) fleet.Outcome {
	return fleet.Outcome{State: fleet.StateCancelled, Reason: fleet.ReasonCancelled, Message: message}
}

// Bounds of what is kept of an outcome; the log has it all.
const (
	maxMessage  = 4 << 10
	maxItem     = 4 << 10
	maxInOutput = 1000
)

// cleanOutcome refuses an end that is none and bounds what an agent may put into the store.
func cleanOutcome(o fleet.Outcome) (fleet.Outcome, error) {
	if !o.State.Final() {
		return o, fault.New(fault.Protocol, "The agent reported the end of a job with state %s. Update the agent.", shown(string(o.State)))
	}
	o.Message = cut(o.Message, maxMessage)
	o.Reason = fleet.Reason(cut(string(o.Reason), 64))
	o.Unreadable = slices.Clone(o.Unreadable[:min(len(o.Unreadable), fleet.MaxUnreadable)])
	for i, item := range o.Unreadable {
		o.Unreadable[i] = cut(item, maxItem)
	}
	if o.Summary != nil && o.Summary.Check != nil && len(o.Summary.Check.BrokenPacks) > maxInOutput {
		summary, check := *o.Summary, *o.Summary.Check
		check.BrokenPacks = check.BrokenPacks[:maxInOutput]
		summary.Check = &check
		o.Summary = &summary
	}
	return o, nil
}

// cut shortens s to at most n bytes of valid UTF-8.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
