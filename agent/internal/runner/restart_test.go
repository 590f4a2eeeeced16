//go:build !windows

package runner_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

func TestKilledAgentLeavesTheJobAlone(t *testing.T) {
	const n = 6000
	h := fakeHost(t, behaviour.Behaviour{Lines: n, LinesPerSec: 3000, StderrEvery: 100, LineBytes: 217})
	other := h.otherAgent(h.spec("job", fleet.KindBackup))
	shimID, resticID := h.processes("job")
	kill(t, other)
	for _, id := range []proc.Identity{shimID, resticID} {
		if alive, err := id.Alive(); !alive || err != nil {
			t.Fatalf("process %d went with the agent: %v", id.PID, err)
		}
	}
	a := h.agent()
	if state := a.state("job"); state != fleet.StateAccepted && state != fleet.StateRunning {
		t.Fatalf("adopted as %s", state)
	}
	j := a.open("job")
	a.await(j, "start known", func() bool { _, ok := j.Started(); return ok })
	// The same job asked for again is the same job.
	if state, err := a.Run(t.Context(), h.spec("job", fleet.KindBackup), 0); err != nil || state != fleet.StateRunning {
		t.Fatalf("%s, err %v", state, err)
	}
	end := a.ended("job")
	if end.Outcome.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end.Outcome)
	}
	wantNumbered(t, a.log("job"), n, 217, n/100)
	if n := h.starts("backup"); n != 1 {
		t.Fatalf("restic was started %d times", n)
	}
}

func TestCancelByTheNextAgent(t *testing.T) {
	h := fakeHost(t, endless)
	other := h.otherAgent(h.spec("job", fleet.KindBackup))
	h.processes("job")
	kill(t, other)
	// Cancelled while no agent runs: the marker alone does it.
	if err := h.folder("job").Cancel(journal.CancelMark{By: "anna", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	a := h.agent()
	wantCancelled(t, a.ended("job").Outcome)

	a.run(h.spec("again", fleet.KindBackup))
	h.processes("again")
	a.stop()
	a = h.agent()
	a.cancel("again")
	wantCancelled(t, a.ended("again").Outcome)
}

func TestJobThatEndedWithoutAnAgent(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{Lines: 500, LinesPerSec: 1000})
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, _ := h.processes("job")
	a.stop()
	sharedtest.Eventually(t, patience, "the shim ends", func() bool { alive, err := shimID.Alive(); return err == nil && !alive })
	a = h.agent()
	if state := a.state("job"); state != fleet.StateSucceeded {
		t.Fatalf("state %s", state)
	}
	if _, ok := a.open("job").Started(); !ok {
		t.Fatal("nobody knows when it began")
	}
	wantNumbered(t, a.log("job"), 500, 0, 0)
}

func TestKilledShim(t *testing.T) {
	b := endless
	b.IgnoreSIGTERM, b.KeepLock = true, true
	h := fakeHost(t, b)
	// Nothing is written for a while, so that a broken pipe does not end restic first.
	b.Lines, b.HangMS = 50, int(patience.Milliseconds())
	h.behave(b)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, resticID := h.processes("job")
	j := a.open("job")
	a.await(j, "lines", func() bool { lines, err := j.ReadFrom(49, 1000); return err == nil && len(lines) > 0 })
	if err := unix.Kill(shimID.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	end := a.ended("job").Outcome
	if end.State != fleet.StateInterrupt || end.Reason != fleet.ReasonShimDied || end.Message == "" {
		t.Fatalf("%+v", end)
	}
	if alive, err := resticID.Alive(); alive || err != nil {
		t.Fatalf("restic lives on: %v %v", alive, err)
	}
	log := a.log("job")
	if h.locked() {
		t.Fatalf("the lock is still there:\n%s", notes(log))
	}
	wantNumbered(t, log, 50, 0, 0)
	for _, want := range []string{"ended without a word", "SIGTERM was sent", "SIGKILL was sent", "successfully removed 1 locks", "No lock is left"} {
		if !strings.Contains(notes(log), want) {
			t.Errorf("%q is not in the notes:\n%s", want, notes(log))
		}
	}
}

func TestKilledAgentAndShim(t *testing.T) {
	h := fakeHost(t, endless)
	other := h.otherAgent(h.spec("job", fleet.KindBackup))
	shimID, resticID := h.processes("job")
	sharedtest.Eventually(t, patience, "the repository is locked", h.locked)
	kill(t, other)
	if err := unix.Kill(shimID.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	a := h.agent()
	end := a.ended("job").Outcome
	if end.State != fleet.StateInterrupt || end.Reason != fleet.ReasonShimDied {
		t.Fatalf("%+v", end)
	}
	if alive, err := resticID.Alive(); alive || err != nil || h.locked() {
		t.Fatalf("restic lives %v %v, locked %v", alive, err, h.locked())
	}
	// The repository is free for the next.
	h.behave(behaviour.Behaviour{Lines: 1})
	a.run(h.spec("next", fleet.KindBackup))
	if end := a.ended("next").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
}

func TestKilledShimOfACancelledJob(t *testing.T) {
	b := endless
	b.IgnoreSIGTERM = true
	h := fakeHost(t, b)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, _ := h.processes("job")
	a.cancel("job")
	if err := unix.Kill(shimID.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantCancelled(t, a.ended("job").Outcome)
}

func TestSIGTERMToTheShimIsAHostThatGoesDown(t *testing.T) {
	h := fakeHost(t, endless)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, resticID := h.processes("job")
	h.startedTimes(1)
	sharedtest.Eventually(t, patience, "the repository is locked", h.locked)
	if err := unix.Kill(shimID.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	end := a.ended("job").Outcome
	if end.State != fleet.StateInterrupt || end.Reason != fleet.ReasonHostDown || end.ExitCode == nil || *end.ExitCode != 130 {
		t.Fatalf("%+v", end)
	}
	if alive, err := resticID.Alive(); alive || err != nil || h.locked() {
		t.Fatalf("restic lives %v %v, locked %v", alive, err, h.locked())
	}
}

// TestHostThatRestarted leaves the folder of a running job as a power loss does: another boot, a torn log, unsynced files lost.
func TestHostThatRestarted(t *testing.T) {
	h := fakeHost(t, endless)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, resticID := h.processes("job")
	j := a.open("job")
	a.await(j, "lines", func() bool { lines, err := j.ReadFrom(20, 1000); return err == nil && len(lines) > 0 })
	a.stop()
	for _, id := range []proc.Identity{shimID, resticID} {
		if err := unix.Kill(id.PID, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	sharedtest.Eventually(t, patience, "all is dead", func() bool {
		x, errX := shimID.Alive()
		y, errY := resticID.Alive()
		return errX == nil && errY == nil && !x && !y
	})
	h.powerLoss("job")
	rewrite(t, h.folder("job").Spool(), func(b []byte) []byte { return b[:len(b)-7] })
	a = h.agent()
	end := a.ended("job").Outcome
	if end.State != fleet.StateInterrupt || end.Reason != fleet.ReasonHostDown {
		t.Fatalf("%+v", end)
	}
	log := a.log("job")
	if said := notes(log); !strings.Contains(said, "host restarted") {
		t.Fatalf("notes: %s", said)
	}
	own := strings.Count(notes(log), "\n")
	wantNumbered(t, log, len(log)-own, 0, 0)
	if n := h.starts("backup"); n != 1 {
		t.Fatalf("restic was started %d times", n)
	}
}

// powerLoss makes of a job's folder what a power loss leaves: another boot, and unsynced files lost.
func (h *host) powerLoss(id fleet.JobID) {
	h.t.Helper()
	f := h.folder(id)
	boot, err := proc.BootID()
	if err != nil {
		h.t.Fatal(err)
	}
	rewrite(h.t, filepath.Join(string(f), "journal.ndjson"), func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), boot, "another-boot")) })
	if err := os.Remove(filepath.Join(string(f), "shim.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatal(err)
	}
}

func rewrite(t testing.TB, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, f(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// accepted makes the folder of a job that an agent took up and did no more with.
func (h *host) accepted(id fleet.JobID) journal.Folder {
	h.t.Helper()
	return h.acceptedOf(h.spec(id, fleet.KindBackup))
}

func (h *host) launchIn(f journal.Folder, id string) {
	h.t.Helper()
	boot, err := proc.BootID()
	if err == nil {
		err = f.Launch(id, boot)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

var once = behaviour.Behaviour{Lines: 3}

// The crash points of a launch: where an agent may have died between acceptance and a running shim.

func TestCrashAfterAcceptance(t *testing.T) {
	h := fakeHost(t, once)
	h.accepted("job")
	wantOneGoodRun(t, h)
}

func TestCrashAfterACancelThatCameBeforeTheLaunch(t *testing.T) {
	h := fakeHost(t, once)
	if err := h.accepted("job").Cancel(journal.CancelMark{By: "anna"}); err != nil {
		t.Fatal(err)
	}
	wantCancelled(t, h.agent().ended("job").Outcome)
	if n := h.starts(); n != 0 {
		t.Fatalf("%d starts", n)
	}
}

func TestCrashBetweenLaunchAndShim(t *testing.T) {
	h := fakeHost(t, once)
	h.launchIn(h.accepted("job"), "lost")
	wantOneGoodRun(t, h)
}

func TestCrashWithAShimThatIsLate(t *testing.T) {
	h := fakeHost(t, once)
	f := h.accepted("job")
	h.launchIn(f, "late")
	late := h.startShim(f, "late")
	wantOneGoodRun(t, h) // either of them may have it
	if err := late.Wait(); err != nil && !strings.Contains(readFile(t, f.Output()), "withdrawn") {
		t.Fatalf("the late shim: %v, %s", err, readFile(t, f.Output()))
	}
	if n := h.starts("backup"); n != 1 {
		t.Fatalf("restic was started %d times", n)
	}
}

func TestCrashWithAShimThatHasSaidNothingYet(t *testing.T) {
	h := fakeHost(t, once)
	f := h.accepted("job")
	h.launchIn(f, "slow")
	hold, err := datafolder.Hold(string(f), "test")
	if err != nil {
		t.Fatal(err)
	}
	a := h.agent()
	slow := h.startShim(f, "slow") // waits for the lock
	if err := hold.Release(); err != nil {
		t.Fatal(err)
	}
	if end := a.ended("job").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
	_ = slow.Wait() // it or another shim had the job
	if n := h.starts("backup"); n != 1 {
		t.Fatalf("restic was started %d times", n)
	}
}

func TestCrashWithAShimThatHasHalfItsLaunchData(t *testing.T) {
	h := fakeHost(t, once)
	f := h.accepted("job")
	h.launchIn(f, "cut")
	l := h.launchData("cut")
	cmd := exec.Command(os.Args[0], "run-job", "--dir", string(f))
	cmd.Stdin = strings.NewReader(l[:len(l)-1])
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "cut off") || strings.Contains(string(out), password) {
		t.Fatalf("a shim with half its data: %v %s", err, out)
	}
	wantOneGoodRun(t, h)
}

func wantOneGoodRun(t *testing.T, h *host) {
	t.Helper()
	a := h.agent()
	if end := a.ended("job").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
	wantNumbered(t, a.log("job"), 3, 0, 0)
	if n := h.starts("backup"); n != 1 {
		t.Fatalf("restic was started %d times", n)
	}
}

func (h *host) launchData(id string) string {
	h.t.Helper()
	c := h.config()
	c.Tool.Restic, c.Tool.Version = h.restic, "0.19.1"
	data, err := shim.Launch{ID: id, Spec: h.spec("job", fleet.KindBackup), Tool: c.Tool, Timing: c.Timing, Credentials: h.creds}.Encode()
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

// startShim starts a shim by hand, as an agent that then died did.
func (h *host) startShim(f journal.Folder, id string) *exec.Cmd {
	h.t.Helper()
	cmd := exec.CommandContext(context.Background(), os.Args[0], "run-job", "--dir", string(f))
	cmd.Stdin = strings.NewReader(h.launchData(id))
	out, err := os.OpenFile(f.Output(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		h.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	return cmd
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
