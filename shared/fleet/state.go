package fleet

// JobState is where a job is in its life. The reason for a state is a second field (Reason), never a new state.
type JobState string

// The states, in the order of a life that goes well; then those of a lost contact.
const (
	StateQueued     JobState = "queued"     // stored by the daemon, not yet sent
	StateDispatched JobState = "dispatched" // sent to the agent, not yet acknowledged
	StateAccepted   JobState = "accepted"   // in the agent's journal on disk; waits for its repository to be free
	StateRunning    JobState = "running"    // restic runs
	StateSucceeded  JobState = "succeeded"
	StateWarning    JobState = "warning" // restic's exit 3: some source files could not be read; they are named
	StateFailed     JobState = "failed"
	StateCancelled  JobState = "cancelled"
	StateUnknown    JobState = "unknown"     // contact with the agent is lost; the job may well run on
	StateLost       JobState = "lost"        // the agent came back and does not know the job
	StateInterrupt  JobState = "interrupted" // the host or the job's shim went down while it ran
)

// JobStates lists every state.
var JobStates = [...]JobState{StateQueued, StateDispatched, StateAccepted, StateRunning, StateSucceeded, StateWarning,
	StateFailed, StateCancelled, StateUnknown, StateLost, StateInterrupt}

// Valid tells whether s is one of JobStates.
func (s JobState) Valid() bool {
	for _, k := range JobStates {
		if k == s {
			return true
		}
	}
	return false
}

// Ended tells whether the job is over as far as is known. StateLost and StateInterrupt count as ended, though a late truth
// from the agent may still replace StateLost.
func (s JobState) Ended() bool {
	switch s {
	case StateSucceeded, StateWarning, StateFailed, StateCancelled, StateLost, StateInterrupt:
		return true
	}
	return false
}

// Final tells whether nothing may replace s any more.
func (s JobState) Final() bool { return s.Ended() && s != StateLost }

// Live tells whether restic may be running for a job in state s.
func (s JobState) Live() bool { return s == StateRunning || s == StateUnknown }

// rank orders the states of a normal life, so that a late or doubled message never takes a job backwards.
func (s JobState) rank() int {
	switch s {
	case StateQueued:
		return 1
	case StateDispatched:
		return 2
	case StateAccepted:
		return 3
	case StateRunning:
		return 4
	}
	return 5
}

// CanBecome tells whether a job in state s may go to state next. A state is never its own successor. A job never goes
// backwards, except that a lost contact (StateUnknown) ends in whatever the agent then reports, and that StateLost gives way
// to a late report.
func (s JobState) CanBecome(next JobState) bool {
	if s == next || !s.Valid() || !next.Valid() || s.Final() {
		return false
	}
	switch s {
	case StateUnknown:
		return next == StateAccepted || next == StateRunning || next.Ended()
	case StateLost:
		return next == StateRunning || next.Final()
	}
	if next == StateUnknown {
		return s == StateDispatched || s == StateAccepted || s == StateRunning
	}
	return next.Ended() || next.rank() > s.rank()
}
