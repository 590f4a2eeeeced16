package fleet

import (
	"testing"

	"pgregory.net/rapid"
)

func anyState() *rapid.Generator[JobState] { return rapid.SampledFrom(JobStates[:]) }

// TestTransitions writes out the whole table, so that a change of a rule is a change of this test.
func TestTransitions(t *testing.T) {
	ended := []JobState{StateSucceeded, StateWarning, StateFailed, StateCancelled, StateLost, StateInterrupt}
	to := func(more ...JobState) []JobState { return append(more, ended...) }
	table := map[JobState][]JobState{
		StateQueued:     to(StateDispatched, StateAccepted, StateRunning),
		StateDispatched: to(StateAccepted, StateRunning, StateUnknown),
		StateAccepted:   to(StateRunning, StateUnknown),
		StateRunning:    to(StateUnknown),
		StateUnknown:    to(StateAccepted, StateRunning),
		StateLost:       {StateRunning, StateSucceeded, StateWarning, StateFailed, StateCancelled, StateInterrupt},
		StateSucceeded:  nil, StateWarning: nil, StateFailed: nil, StateCancelled: nil, StateInterrupt: nil,
	}
	for _, from := range JobStates {
		next, known := table[from]
		if !known {
			t.Fatalf("the table has no row for %s", from)
		}
		allowed := map[JobState]bool{}
		for _, s := range next {
			allowed[s] = true
		}
		for _, s := range JobStates {
			if from.CanBecome(s) != allowed[s] {
				t.Errorf("%s to %s: %v", from, s, from.CanBecome(s))
			}
		}
	}
}

// A job that follows only allowed steps never goes backwards, never leaves a final state, and ends.
func TestHistoriesGoForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state, highest := StateQueued, StateQueued.rank()
		visited := map[JobState]int{}
		for _, next := range rapid.SliceOfN(anyState(), 0, 40).Draw(t, "reports") {
			if !state.CanBecome(next) {
				continue
			}
			if state.Final() {
				t.Fatalf("%s became %s", state, next)
			}
			switch {
			case next == StateUnknown || state == StateUnknown || state == StateLost:
			case next.rank() <= highest:
				t.Fatalf("backwards: %s to %s", state, next)
			}
			if next != StateUnknown && next.rank() > highest && next != StateLost {
				highest = next.rank()
			}
			state = next
			visited[state]++
		}
		for _, s := range []JobState{StateQueued, StateDispatched} {
			if visited[s] > 1 {
				t.Fatalf("%s was reached %d times", s, visited[s])
			}
		}
	})
}

// Whatever two ends report in whatever order and however often, the first final state stays: late and doubled messages
// change nothing.
func TestFinalStateStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := StateQueued
		var first JobState
		for _, next := range rapid.SliceOfN(anyState(), 1, 60).Draw(t, "reports") {
			if state.CanBecome(next) {
				state = next
			}
			if first == "" && state.Final() {
				first = state
			}
			if first != "" && state != first {
				t.Fatalf("%s was replaced by %s", first, state)
			}
		}
	})
}

func TestStateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyState().Draw(t, "a"), anyState().Draw(t, "b")
		if a.CanBecome(a) {
			t.Fatalf("%s becomes itself", a)
		}
		if a.Final() && a.CanBecome(b) || a.Final() && !a.Ended() {
			t.Fatalf("%s is final and becomes %s", a, b)
		}
		if !a.Final() && !a.CanBecome(StateFailed) {
			t.Fatalf("%s cannot end", a)
		}
		if b == StateFailed && a == StateUnknown && !a.CanBecome(StateSucceeded) {
			t.Fatal("a late truth does not win over a lost contact")
		}
		if a.Live() && a.Ended() {
			t.Fatalf("%s is live and ended", a)
		}
		other := JobState(rapid.StringMatching(`[a-z]{0,12}`).Draw(t, "other"))
		if !other.Valid() && (a.CanBecome(other) || other.CanBecome(a) || other.Ended()) {
			t.Fatalf("the state %q exists nowhere and takes part", other)
		}
	})
}

func TestKinds(t *testing.T) {
	for _, k := range JobKinds {
		if !k.Valid() {
			t.Errorf("%s is not valid", k)
		}
	}
	if JobKind("").Valid() || JobKind("prune").Valid() {
		t.Error("an unknown kind is valid")
	}
}
