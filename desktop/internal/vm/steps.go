package vm

import (
	"slices"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// StepName says what a step of a job is.
type StepName string

// The steps, in their order. Which of them a job has depends on its kind; the last two show only where they happen.
const (
	StepQueued    StepName = "queued"    // waits for its host
	StepWaiting   StepName = "waiting"   // waits on the host for the repository to be free there
	StepStarting  StepName = "starting"  // restic starts: lock and index
	StepScanning  StepName = "scanning"  // counts what there is to read; of a check: looks at the structure
	StepReading   StepName = "reading"   // reads and saves; of a restore: writes; of a check: reads the data
	StepFinishing StepName = "finishing" // everything is read; the last of it is uploaded and the snapshot saved
	StepStopping  StepName = "stopping"  // a cancel is carried out
	StepUnlocking StepName = "unlocking" // the agent removes the lock that a killed restic left
)

// stepOrder is the order of a life.
var stepOrder = []StepName{StepQueued, StepWaiting, StepStarting, StepScanning, StepReading, StepFinishing, StepStopping, StepUnlocking}

// rank is the place of a step in stepOrder, -1 for none.
func rank(s StepName) int { return slices.Index(stepOrder, s) }

// extra tells whether a step is one of those that show only where they happen.
func extra(s StepName) bool { return s == StepStopping || s == StepUnlocking }

// StepState says how a step stands.
type StepState string

// The states of steps.
const (
	StepPending   StepState = "pending"
	StepActive    StepState = "active"
	StepDone      StepState = "done"
	StepWarned    StepState = "warned" // it left something out
	StepFailed    StepState = "failed"
	StepCancelled StepState = "cancelled"
	StepSkipped   StepState = "skipped" // the job ended before it
)

// Step is one step of a job.
type Step struct {
	Name     StepName
	State    StepState
	Duration time.Duration // how long it took, or takes until now; holds when Known
	Known    bool
}

// stepsOf are the steps of each kind of job.
func stepsOf(j *fleet.Job) []StepName {
	steps := []StepName{StepQueued, StepWaiting, StepStarting}
	switch j.Kind {
	case fleet.KindBackup:
		return append(steps, StepScanning, StepReading, StepFinishing)
	case fleet.KindRestore:
		return append(steps, StepReading)
	case fleet.KindCheck:
		steps = append(steps, StepScanning)
		if j.Spec.Check != nil && j.Spec.Check.ReadData != "" {
			steps = append(steps, StepReading)
		}
		return steps
	}
	return steps
}

// course is the steps of a job with what is known of when each began, by the host's clock; zero where that is not known.
type course struct {
	names  []StepName
	begins []time.Time
	at     int // the step that the job is in, or was in when it ended or was stopped
}

// Steps gives the steps as of now.
func (v *Job) Steps(now time.Time) []Step {
	if !v.have {
		return nil
	}
	c := v.course()
	steps := make([]Step, 0, len(c.names))
	for i, name := range c.names {
		s := Step{Name: name, State: v.stepState(c, i)}
		if s.State != StepPending && s.State != StepSkipped {
			s.Duration, s.Known = v.stepLength(c, i, s.State, now)
		}
		steps = append(steps, s)
	}
	return steps
}

func (v *Job) course() course {
	c := course{names: stepsOf(&v.row)}
	for _, extra := range []StepName{StepStopping, StepUnlocking} {
		if _, seen := v.phases.begins[extra]; seen {
			c.names = append(c.names, extra)
		}
	}
	furthest := max(rank(v.phases.work), rank(stepOfRow(&v.row)))
	for i, name := range c.names {
		begin := v.phases.begins[name]
		switch {
		case name == StepQueued:
			begin = v.row.CreatedAt.Add(v.skew())
		case name == StepStarting && v.row.StartedAt != nil:
			begin = *v.row.StartedAt
		}
		c.begins = append(c.begins, begin)
		if rank(name) <= furthest && !extra(name) {
			c.at = i
		}
	}
	return c
}

// stepOfRow says how far a job came by its row alone.
func stepOfRow(j *fleet.Job) StepName {
	switch {
	case j.State.Ended() && j.StartedAt != nil:
		return lastStepOf(j)
	case j.StartedAt != nil, j.State == fleet.StateRunning:
		return StepStarting
	case j.State == fleet.StateAccepted:
		return StepWaiting
	}
	return StepQueued
}

// lastStepOf says how far an ended job surely came that nobody watched.
func lastStepOf(j *fleet.Job) StepName {
	if j.State == fleet.StateSucceeded || j.State == fleet.StateWarning {
		return StepFinishing
	}
	if j.Outcome == nil {
		return StepStarting
	}
	switch j.Outcome.Reason {
	case fleet.ReasonWrongPassword, fleet.ReasonNoRepository, fleet.ReasonRepositoryLocked, fleet.ReasonRepositoryExists, fleet.ReasonUnknownSnapshot:
		return StepStarting
	case fleet.ReasonSourceMissing:
		return StepScanning
	}
	if j.Outcome.Summary != nil || j.Outcome.Errors > 0 {
		return StepReading
	}
	return StepStarting
}

func (v *Job) stepState(c course, i int) StepState {
	state, ended := v.row.State, v.row.State.Ended()
	stopped := extra(v.phases.step)
	switch {
	case extra(c.names[i]) && !ended && c.names[i] == v.phases.step:
		return StepActive
	case state == fleet.StateWarning && c.names[i] == StepReading:
		return StepWarned
	case state == fleet.StateSucceeded, state == fleet.StateWarning, i < c.at, extra(c.names[i]):
		return StepDone
	case i > c.at && (ended || stopped):
		return StepSkipped
	case i > c.at:
		return StepPending
	case state == fleet.StateCancelled, stopped && !ended:
		return StepCancelled
	case ended:
		return StepFailed
	}
	return StepActive
}

// stepLength is how long step i took: from its begin to that of the next one, or to the end of the job, where both are known.
func (v *Job) stepLength(c course, i int, state StepState, now time.Time) (time.Duration, bool) {
	from := c.begins[i]
	if from.IsZero() {
		return 0, false
	}
	if state == StepActive {
		return max(v.hostNow(now).Sub(from), 0), true
	}
	next := i + 1
	if c.names[i] == StepQueued && c.begins[next].IsZero() && c.at > 0 {
		next++ // how long of it the job waited on the host is not known
	}
	if i == c.at { // what is behind it was skipped
		for next < len(c.begins) && !extra(c.names[next]) {
			next++
		}
	}
	switch {
	case next < len(c.begins) && !c.begins[next].IsZero():
		return max(c.begins[next].Sub(from), 0), true
	case next >= len(c.begins) && v.row.State.Ended() && v.row.FinishedAt != nil:
		return max(v.row.FinishedAt.Sub(from), 0), true
	}
	return 0, false
}

// hostNow is the time on the host.
func (v *Job) hostNow(now time.Time) time.Time {
	if !v.phases.last.IsZero() && !v.taken.IsZero() {
		return v.phases.last.Add(v.passed(now))
	}
	return now.Add(v.skew())
}
