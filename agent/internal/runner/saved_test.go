//go:build !windows

package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

// savedID is the id of the snapshot that snapshotOf lists.
const savedID fleet.SnapshotID = "abababababababababababababababababababababababababababababababab"

// snapshotOf is restic's list of one snapshot with this tag.
func snapshotOf(tag string) string {
	return fmt.Sprintf(`[{"time":"2026-11-23T15:13:47Z","tree":%q,"paths":["/x"],"hostname":"h","tags":[%q],"id":%q,"short_id":"abababab"}]`, savedID, tag, savedID)
}

// diedWithTheHost leaves a launched job as a host does that lost its power.
func (h *host) diedWithTheHost(id fleet.JobID, kind fleet.JobKind) {
	h.t.Helper()
	h.launchIn(h.acceptedOf(h.spec(id, kind)), "launch")
	h.powerLoss(id)
}

// endForgotten takes a job's end away: the host lost its power before anybody wrote it down.
func (h *host) endForgotten(ids ...fleet.JobID) {
	h.t.Helper()
	for _, id := range ids {
		if err := os.Remove(filepath.Join(string(h.folder(id)), "outcome.json")); err != nil {
			h.t.Fatal(err)
		}
		h.powerLoss(id)
	}
}

// TestPowerLossAfterTheSnapshotWasSaved: a real restic saved its snapshot, and the host went down before anybody could say so.
func TestPowerLossAfterTheSnapshotWasSaved(t *testing.T) {
	h := realHost(t)
	a := h.agent()
	a.succeed(h.spec("init", fleet.KindInit))
	want := a.succeed(h.spec("job", fleet.KindBackup)).Summary.Backup
	a.succeed(h.spec("other", fleet.KindBackup)) // which has a snapshot of its own
	torn := a.succeed(h.spec("torn", fleet.KindBackup)).Summary.Backup
	absent := filepath.Join(h.dir, "absent")
	spec := h.spec("partly", fleet.KindBackup)
	spec.Backup.Paths = append(spec.Backup.Paths, absent)
	a.run(spec)
	partly := a.ended("partly").Outcome
	if partly.State != fleet.StateWarning {
		t.Fatalf("%+v", partly)
	}
	a.stop()
	h.endForgotten("job", "torn", "partly")
	rewrite(t, h.folder("torn").Spool(), func(b []byte) []byte { return b[:len(b)-7] }) // restic's summary is its last line
	h.diedWithTheHost("early", fleet.KindBackup)
	a = h.agent()

	end := a.ended("job").Outcome
	if end.State != fleet.StateSucceeded || end.Reason != fleet.ReasonHostDown || end.Summary == nil || end.Summary.Backup == nil || *end.Summary.Backup != *want {
		t.Fatalf("%+v\n%s", end, notes(a.log("job")))
	}
	if want := "The host went down while the job ran, after the snapshot " + string(want.SnapshotID[:8]) + " had been saved. There is nothing to do."; end.Message != want {
		t.Fatalf("message %q", end.Message)
	}
	if !strings.Contains(notes(a.log("job")), string(want.SnapshotID)) {
		t.Fatalf("notes: %s", notes(a.log("job")))
	}
	if _, err := os.Stat(h.folder("job").Temp()); err == nil {
		t.Fatal("temporary files are left")
	}

	end = a.ended("torn").Outcome // its figures come from the snapshot itself
	if got := end.Summary.Backup; end.State != fleet.StateSucceeded || got.SnapshotID != torn.SnapshotID || got.TotalFilesProcessed != torn.TotalFilesProcessed ||
		got.TotalBytesProcessed != torn.TotalBytesProcessed || !strings.Contains(end.Message, "the end of the log is lost") {
		t.Fatalf("%+v, figures %+v, they were %+v", end, got, torn)
	}

	end = a.ended("partly").Outcome
	if end.State != fleet.StateWarning || end.Reason != partly.Reason || end.Errors != 1 || !slices.Equal(end.Unreadable, []string{absent}) ||
		end.Message != "The host went down while the job ran. "+partly.Message {
		t.Fatalf("%+v\nit was %+v", end, partly)
	}

	// One that saved none, although others did.
	end = a.ended("early").Outcome
	if end.State != fleet.StateInterrupt || end.Reason != fleet.ReasonHostDown || end.Summary != nil || !strings.Contains(end.Message, "before its snapshot was saved") {
		t.Fatalf("%+v", end)
	}
}

// TestShimKilledAfterTheSnapshotWasSaved: what is left of restic is ended first, and the repository asked then.
func TestShimKilledAfterTheSnapshotWasSaved(t *testing.T) {
	b := endless
	b.Snapshots = snapshotOf("job:job")
	h := fakeHost(t, b)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, _ := h.processes("job")
	if err := unix.Kill(shimID.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	end := a.ended("job").Outcome
	if end.State != fleet.StateSucceeded || end.Reason != fleet.ReasonShimDied || end.Summary.Backup.SnapshotID != savedID ||
		!strings.Contains(end.Message, "after the snapshot abababab had been saved") {
		t.Fatalf("%+v\n%s", end, notes(a.log("job")))
	}
	said := notes(a.log("job"))
	gone, asked := strings.Index(said, "restic is gone."), strings.Index(said, "saved the snapshot")
	if gone < 0 || asked < gone {
		t.Fatalf("notes: %s", said)
	}
}

// TestPowerLossOfAnotherKind: nobody is asked anything.
func TestPowerLossOfAnotherKind(t *testing.T) {
	h := fakeHost(t, once)
	h.diedWithTheHost("job", fleet.KindCheck)
	end := h.agent().ended("job").Outcome
	if end.State != fleet.StateInterrupt || end.Reason != fleet.ReasonHostDown || end.Message != "The host went down while the job ran. Start the job again." {
		t.Fatalf("%+v", end)
	}
	if n := h.starts(); n != 0 {
		t.Fatalf("%d starts of restic", n)
	}
}

// TestARepositoryThatDoesNotAnswerAboutADeadJob is asked again, and at last the outcome says that nobody knows.
func TestARepositoryThatDoesNotAnswerAboutADeadJob(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{SnapshotsCode: 1})
	h.change = func(c *runner.Config) { c.AskPause = time.Millisecond }
	h.diedWithTheHost("job", fleet.KindBackup)
	a := h.agent()
	end := a.ended("job").Outcome
	if end.State != fleet.StateInterrupt || end.Reason != fleet.ReasonHostDown || end.Summary != nil || !strings.Contains(end.Message, "did not answer") {
		t.Fatalf("%+v", end)
	}
	if n := h.starts("snapshots"); n < 2 || n > 10 {
		t.Fatalf("asked %d times", n)
	}
	if said := notes(a.log("job")); !strings.Contains(said, "exit code 1") {
		t.Fatalf("notes: %s", said)
	}
}

// TestNobodyWaitsForTheAnswerAboutADeadJob: the repository takes its time, and the next backup of it runs meanwhile, at once and without
// any restic before it. An agent that stops leaves the question to the next.
func TestNobodyWaitsForTheAnswerAboutADeadJob(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	h := fakeHost(t, behaviour.Behaviour{Lines: 3, SnapshotsGate: gate})
	h.diedWithTheHost("dead", fleet.KindBackup)
	a := h.agent()
	sharedtest.Eventually(t, patience, "the repository is asked", func() bool { return h.starts("snapshots") == 1 })
	a.run(h.spec("next", fleet.KindBackup))
	if end := a.ended("next").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
	if _, ended := a.open("dead").Finished(); ended {
		t.Fatal("it ended before there was an answer")
	}
	a.stop()
	if _, ended, err := h.folder("dead").Outcome(); ended || err != nil {
		t.Fatalf("it ended without an answer, err %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if end := h.agent().ended("dead").Outcome; end.State != fleet.StateInterrupt || !strings.Contains(end.Message, "before its snapshot was saved") {
		t.Fatalf("%+v", end)
	}
}

// TestCancelOfADeadJob: it counts as cancelled, and what it had saved is told all the same.
func TestCancelOfADeadJob(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{Snapshots: snapshotOf("job:job")})
	h.diedWithTheHost("job", fleet.KindBackup)
	a := h.agent()
	end := a.ended("job").Outcome
	if end.Summary == nil || end.Summary.Backup.SnapshotID != savedID {
		t.Fatalf("%+v", end)
	}
	a.stop()
	h.launchIn(h.acceptedOf(h.spec("stopped", fleet.KindBackup)), "launch")
	h.powerLoss("stopped")
	h.behave(behaviour.Behaviour{Snapshots: snapshotOf("job:stopped")})
	if err := h.folder("stopped").Cancel(journal.CancelMark{By: "anna"}); err != nil {
		t.Fatal(err)
	}
	a = h.agent()
	end = a.ended("stopped").Outcome
	wantCancelled(t, end)
	if end.Summary == nil || end.Summary.Backup.SnapshotID != savedID || !strings.Contains(end.Message, "abababab had been saved") {
		t.Fatalf("%+v", end)
	}
	// What another job saved is not this one's, whatever the repository says.
	a.stop()
	h.diedWithTheHost("third", fleet.KindBackup)
	if end := h.agent().ended("third").Outcome; end.Summary != nil {
		t.Fatalf("%+v", end)
	}
}
