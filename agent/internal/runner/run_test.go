package runner_test

import (
	"testing"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

func TestEveryLineIsInTheLogOnce(t *testing.T) {
	const n = 20_000
	h := fakeHost(t, behaviour.Behaviour{Lines: n, LineBytes: 217, StatusEvery: 100, StderrEvery: 50})
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	end := a.ended("job")
	if end.Outcome.State != fleet.StateSucceeded || end.Outcome.Summary == nil || end.Outcome.Summary.Backup.SnapshotID != behaviour.SnapshotID {
		t.Fatalf("%+v", end.Outcome)
	}
	wantNumbered(t, a.log("job"), n, 217, n/50)
}
