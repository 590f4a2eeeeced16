package runner_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

// endless is a backup that runs until it is stopped.
var endless = behaviour.Behaviour{Lines: 10_000_000, LinesPerSec: 200}

func (a *agent) cancel(id fleet.JobID) {
	a.t.Helper()
	if err := a.Cancel(a.t.Context(), id, "anna"); err != nil {
		a.t.Fatal(err)
	}
}

func wantCancelled(t *testing.T, o fleet.Outcome) {
	t.Helper()
	if o.State != fleet.StateCancelled || o.Reason != fleet.ReasonCancelled || o.Message == "" {
		t.Fatalf("%+v", o)
	}
}

// wantUnstarted: restic never ran for it.
func wantUnstarted(t *testing.T, o fleet.Outcome) {
	t.Helper()
	if !o.StartedAt.IsZero() || o.FinishedAt.IsZero() {
		t.Fatalf("it began at %v and ended at %v", o.StartedAt, o.FinishedAt)
	}
}

func TestCancelWhileRunning(t *testing.T) {
	h := fakeHost(t, endless)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	_, resticID := h.processes("job")
	j := a.open("job")
	a.await(j, "lines", func() bool { lines, err := j.ReadFrom(0, 1000); return err == nil && len(lines) > 0 })
	a.cancel("job")
	end := a.ended("job").Outcome
	wantCancelled(t, end)
	if end.ExitCode == nil || *end.ExitCode != 130 {
		t.Fatalf("exit code %v", end.ExitCode)
	}
	if alive, err := resticID.Alive(); alive || err != nil {
		t.Fatalf("restic lives on: %v %v", alive, err)
	}
	if h.locked() {
		t.Fatal("the lock is still there")
	}
	log := a.log("job")
	if said := notes(log); !strings.Contains(said, "anna") || !strings.Contains(said, "SIGTERM") || !strings.Contains(said, "exit code 130") {
		t.Fatalf("notes: %s", said)
	}
	if n := h.starts("unlock", "list"); n != 0 {
		t.Fatalf("%d further restics after a clean end", n)
	}
	a.cancel("job") // over: nothing happens
	if got := a.ended("job").Outcome; got.FinishedAt != end.FinishedAt {
		t.Fatalf("%+v", got)
	}
}

func TestCancelOfAResticThatIgnoresSIGTERM(t *testing.T) {
	b := endless
	b.IgnoreSIGTERM, b.KeepLock = true, true
	h := fakeHost(t, b)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	_, resticID := h.processes("job")
	sharedtest.Eventually(t, patience, "the repository is locked", h.locked)
	a.cancel("job")
	sharedtest.Eventually(t, patience, "the progress says so", func() bool {
		p, ok, err := h.folder("job").ReadProgress()
		return err == nil && ok && p.Phase == fleet.PhaseStopping
	})
	wantCancelled(t, a.ended("job").Outcome)
	if alive, err := resticID.Alive(); alive || err != nil {
		t.Fatalf("restic lives on: %v %v", alive, err)
	}
	if h.locked() {
		t.Fatal("the lock of the killed restic is still there")
	}
	said := notes(a.log("job"))
	for _, want := range []string{"SIGTERM was sent", "SIGKILL was sent", "by SIGKILL", "successfully removed 1 locks", "No lock is left"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in the notes:\n%s", want, said)
		}
	}
}

func TestUnlockThatDoesNotEndIsSaid(t *testing.T) {
	b := endless
	b.IgnoreSIGTERM, b.KeepLock, b.UnlockHangMS = true, true, int(patience.Milliseconds())
	h := fakeHost(t, b)
	h.change = func(c *runner.Config) {
		c.Timing.Grace, c.Timing.StepLimit = 200*time.Millisecond, 500*time.Millisecond
	}
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	h.startedTimes(1)
	a.cancel("job")
	wantCancelled(t, a.ended("job").Outcome)
	if said := notes(a.log("job")); !strings.Contains(said, "does not answer") {
		t.Fatalf("notes: %s", said)
	}
}

func TestCancelBeforeItsTurn(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	h := fakeHost(t, behaviour.Behaviour{Lines: 1, WaitFor: gate})
	a := h.agent()
	a.run(h.spec("first", fleet.KindBackup))
	a.run(h.spec("second", fleet.KindBackup))
	h.startedTimes(1)
	a.cancel("second")
	wantCancelled(t, a.ended("second").Outcome)
	wantUnstarted(t, a.ended("second").Outcome)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.ended("first")
	if n := h.starts("backup"); n != 1 {
		t.Fatalf("restic was started %d times", n)
	}
}

func TestCancelWhileTheSecretIsAwaited(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	h := fakeHost(t, endless)
	h.change = func(c *runner.Config) {
		c.Secrets = func(context.Context, fleet.RepositoryID) (secret.Credentials, error) {
			close(asked)
			<-answer
			return secret.Credentials{Password: secret.New(password)}, nil
		}
	}
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	<-asked
	a.cancel("job")
	close(answer)
	wantCancelled(t, a.ended("job").Outcome)
	wantUnstarted(t, a.ended("job").Outcome)
	if n := h.starts("backup"); n != 0 {
		t.Fatalf("restic was started %d times", n)
	}
}

func TestCancelOfAnUnknownJob(t *testing.T) {
	a := fakeHost(t, endless).agent()
	if err := a.Cancel(t.Context(), "nobody", "anna"); fault.CodeOf(err) != fault.UnknownJob {
		t.Fatalf("err %v", err)
	}
	if _, err := a.Open("nobody"); fault.CodeOf(err) != fault.UnknownJob {
		t.Fatalf("err %v", err)
	}
	if err := a.Acked(t.Context(), "nobody", 1, true); err != nil {
		t.Fatalf("err %v", err)
	}
}

func TestRepositoryThatDoesNotAnswerIsGivenUp(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{RetryLines: 1000, RetryEvery: 50})
	h.change = func(c *runner.Config) {
		c.Timing.RetryPhase, c.Timing.RetryGiveUp = 300*time.Millisecond, 1200*time.Millisecond
	}
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	j := a.open("job")
	a.await(j, "retrying", func() bool { p, ok := j.Progress(); return ok && p.Phase == fleet.PhaseRetrying })
	end := a.ended("job").Outcome
	if end.State != fleet.StateFailed || end.Reason != fleet.ReasonRepositoryUnreachable || end.Message == "" {
		t.Fatalf("%+v", end)
	}
	if said := notes(a.log("job")); !strings.Contains(said, "has not answered") {
		t.Fatalf("notes: %s", said)
	}
}

func TestRetriesAfterProgressAreRestics(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{RetryLines: 3, RetryEvery: 50, Lines: 100, LinesPerSec: 100})
	h.change = func(c *runner.Config) {
		c.Timing.RetryPhase, c.Timing.RetryGiveUp = 300*time.Millisecond, 700*time.Millisecond
	}
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	if end := a.ended("job").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
}

// TestHelperThatKeepsThePipeOpen: restic's own helpers inherit its pipes; one that outlives restic must not keep the job open.
func TestHelperThatKeepsThePipeOpen(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{Lines: 100, HelperMS: 20_000})
	a := h.agent()
	began := time.Now()
	a.run(h.spec("job", fleet.KindBackup))
	if end := a.ended("job").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
	if took := time.Since(began); took > 18*time.Second {
		t.Fatalf("the job was kept open for %v", took)
	}
	log := a.log("job")
	wantNumbered(t, log, 100, 0, 0)
	if said := notes(log); !strings.Contains(said, "helper of restic lived on") {
		t.Fatalf("notes: %s", said)
	}
}
