package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
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
	if end.Outcome.ExitCode == nil || *end.Outcome.ExitCode != 0 || end.Outcome.FinishedAt.Before(end.Outcome.StartedAt) {
		t.Fatalf("%+v", end.Outcome)
	}
	started, ok := a.open("job").Started()
	if !ok || !started.At.Equal(end.Outcome.StartedAt) || started.ResticVersion != "0.19.1" {
		t.Fatalf("started %+v %v", started, ok)
	}
}

func TestTenDuplicatesAreOneRun(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{Lines: 10})
	a := h.agent()
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if state, err := a.Run(t.Context(), h.spec("job", fleet.KindBackup), time.Hour); err != nil || state == "" {
				t.Errorf("state %q, err %v", state, err)
			}
		})
	}
	wait.Wait()
	a.ended("job")
	state, err := a.Run(t.Context(), h.spec("job", fleet.KindBackup), time.Hour)
	if err != nil || state != fleet.StateSucceeded {
		t.Fatalf("asked again after the end: %s, err %v", state, err)
	}
	if n := h.starts("backup"); n != 1 {
		t.Fatalf("restic was started %d times", n)
	}
	if held := a.Held(); len(held) != 1 || held[0].Acked || held[0].LastSeq != 11 || held[0].Spec == nil {
		t.Fatalf("%+v", held)
	}
}

func TestOneJobARepositoryAndInOrder(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	h := fakeHost(t, behaviour.Behaviour{Lines: 1, WaitFor: gate})
	a := h.agent()
	for i := range 3 {
		a.run(h.spec(fleet.JobID(fmt.Sprint("same", i)), fleet.KindBackup))
	}
	other := h.spec("other", fleet.KindBackup)
	other.Repository = h.repository("other")
	a.run(other)
	h.processes("same0")
	h.processes("other")
	h.startedTimes(2)
	waiting := a.open("same1")
	if p, ok := waiting.Progress(); !ok || p.Phase != fleet.PhaseWaiting {
		t.Fatalf("progress of a waiting job: %+v %v", p, ok)
	}
	first := a.open("same0")
	a.await(first, "the first runs", func() bool { return a.state("same0") == fleet.StateRunning })
	if _, ok := waiting.Started(); ok || a.state("same1") != fleet.StateAccepted || a.Busy() != 4 {
		t.Fatalf("%+v", a.Held())
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var ends []time.Time
	for i := range 3 {
		end := a.ended(fleet.JobID(fmt.Sprint("same", i)))
		if len(ends) > 0 && end.Outcome.StartedAt.Before(ends[len(ends)-1]) {
			t.Fatalf("job %d began before the one before it ended", i)
		}
		ends = append(ends, end.Outcome.FinishedAt)
	}
	a.ended("other")
}

func TestNoMoreJobsAtATimeThanAllowed(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	h := fakeHost(t, behaviour.Behaviour{Lines: 1, WaitFor: gate})
	h.change = func(c *runner.Config) { c.MaxParallel = 2 }
	a := h.agent()
	for i := range 5 {
		s := h.spec(fleet.JobID(fmt.Sprint("job", i)), fleet.KindBackup)
		s.Repository = h.repository(fleet.RepositoryID(fmt.Sprint("repo", i)))
		a.run(s)
	}
	h.processes("job0")
	h.processes("job1")
	h.startedTimes(2)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		a.ended(fleet.JobID(fmt.Sprint("job", i)))
	}
}

// TestSecretsReachResticAndNothingElse plants secrets and looks for them wherever a process or a file shows something.
func TestSecretsReachResticAndNothingElse(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	h := fakeHost(t, behaviour.Behaviour{Lines: 1, WaitFor: gate, RecordSecrets: true})
	h.url = "s3:https://s3.example.org/bucket"
	h.creds.S3 = &secret.S3Credentials{AccessKeyID: "planted-key-id", SecretAccessKey: secret.New("planted-s3-secret"), SessionToken: secret.New("planted-s3-token")}
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, resticID := h.processes("job")
	var shown []string
	for _, pid := range []int{shimID.PID, resticID.PID} {
		for _, what := range []string{"cmdline", "environ"} {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, what))
			if err != nil {
				t.Fatal(err)
			}
			shown = append(shown, string(b))
		}
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.ended("job")
	err := filepath.WalkDir(h.jobsDir(), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		shown = append(shown, string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range shown {
		for _, planted := range []string{password, "planted-key-id", "planted-s3-secret", "planted-s3-token"} {
			if strings.Contains(text, planted) {
				t.Errorf("%s is shown in %.200q", planted, text)
			}
		}
	}
	seen, err := behaviour.SeenBy(h.restic)
	if err != nil || len(seen) != 1 {
		t.Fatalf("%d starts, err %v", len(seen), err)
	}
	s := seen[0]
	wantAWS := "[default]\naws_access_key_id = planted-key-id\naws_secret_access_key = planted-s3-secret\naws_session_token = planted-s3-token"
	if s.Password != password || s.Repository != h.url || s.AWS != wantAWS {
		t.Fatalf("restic was given %q, %q, %q", s.Password, s.Repository, s.AWS)
	}
	if !slices.Contains(s.Env, "RESTIC_PROGRESS_FPS=4") || slices.ContainsFunc(s.Env, func(e string) bool { return strings.HasPrefix(e, "GOMAXPROCS") }) {
		t.Fatalf("environment %q", s.Env)
	}
}

func TestRESTCredentialsGoInsideTheRepositoryPipe(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{Lines: 1, RecordSecrets: true})
	h.url = "rest:https://backup.example.org/repo/"
	h.creds.REST = &secret.RESTCredentials{User: "anna", Password: secret.New("p@ss/word")}
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	a.ended("job")
	seen, err := behaviour.SeenBy(h.restic)
	if err != nil || len(seen) != 1 || seen[0].Repository != "rest:https://anna:p%40ss%2Fword@backup.example.org/repo/" {
		t.Fatalf("%+v, err %v", seen, err)
	}
}

func TestJobsThatCannotBeginSayWhy(t *testing.T) {
	slow := func(ctx context.Context, _ fleet.RepositoryID) (secret.Credentials, error) {
		<-ctx.Done()
		return secret.Credentials{}, ctx.Err()
	}
	refuse := func(code fault.Code) func(context.Context, fleet.RepositoryID) (secret.Credentials, error) {
		return func(context.Context, fleet.RepositoryID) (secret.Credentials, error) {
			return secret.Credentials{}, fault.New(code, "The words of the store.")
		}
	}
	restic := func(path string, err error) func(context.Context) (string, string, error) {
		return func(context.Context) (string, string, error) { return path, "0.19.1", err }
	}
	for name, c := range map[string]struct {
		change func(*runner.Config)
		reason fleet.Reason
		words  string
	}{
		"no secret":       {func(c *runner.Config) { c.Secrets = refuse(fault.NoSecret) }, fleet.ReasonNoSecret, "The words of the store."},
		"store broken":    {func(c *runner.Config) { c.Secrets = refuse(fault.SecretStore) }, fleet.ReasonSecretStore, "The words of the store."},
		"store hangs":     {func(c *runner.Config) { c.Secrets, c.SecretsTimeout = slow, 50*time.Millisecond }, fleet.ReasonSecretStore, "doctor"},
		"no restic":       {func(c *runner.Config) { c.Restic = restic("", fault.New(fault.ResticMissing, "None.")) }, fleet.ReasonResticMissing, "None."},
		"old restic":      {func(c *runner.Config) { c.Restic = restic("", fault.New(fault.ResticTooOld, "Old.")) }, fleet.ReasonResticTooOld, "Old."},
		"restic vanished": {func(c *runner.Config) { c.Restic = restic("/does/not/exist", nil) }, fleet.ReasonResticMissing, "doctor"},
	} {
		t.Run(name, func(t *testing.T) {
			h := fakeHost(t, behaviour.Behaviour{})
			h.change = c.change
			a := h.agent()
			a.run(h.spec("job", fleet.KindBackup))
			end := a.ended("job").Outcome
			if end.State != fleet.StateFailed || end.Reason != c.reason || !strings.Contains(end.Message, c.words) {
				t.Fatalf("%+v", end)
			}
			if log := notes(a.log("job")); log == "" {
				t.Fatal("the log says nothing")
			}
		})
	}
}

func TestJobsThatAreNotTaken(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{})
	h.change = func(c *runner.Config) {
		c.Policy = func(s fleet.JobSpec) error {
			if s.Kind == fleet.KindInit {
				return fault.New(fault.PolicyDenied, "Not here.")
			}
			return nil
		}
	}
	a := h.agent()
	if _, err := a.Run(t.Context(), h.spec("denied", fleet.KindInit), 0); fault.CodeOf(err) != fault.PolicyDenied {
		t.Fatalf("err %v", err)
	}
	bad := h.spec("bad", fleet.KindBackup)
	bad.Backup.Paths = []string{"relative"}
	if _, err := a.Run(t.Context(), bad, 0); err == nil || fault.CodeOf(err) == fault.Internal {
		t.Fatalf("err %v", err)
	}
	if held := a.Held(); len(held) != 0 {
		t.Fatalf("%+v", held)
	}
	// What the host's own schedule begins is refused to nobody: it fails where all can see it.
	slot := fleet.SlotID("P1", "H1", time.Unix(1_800_000_000, 0))
	if _, err := a.RunSlot(t.Context(), h.spec(slot, fleet.KindInit)); err != nil {
		t.Fatal(err)
	}
	if end := a.ended(slot); end.Outcome.State != fleet.StateFailed || end.Outcome.Reason != fleet.ReasonPolicyDenied || end.Outcome.Message != "Not here." {
		t.Fatalf("%+v", end.Outcome)
	}
	// The same id may come again once it is allowed.
	if _, err := a.Run(t.Context(), h.spec("bad", fleet.KindBackup), 0); err != nil {
		t.Fatal(err)
	}
	a.ended("bad")
}

func TestJobThatCouldNotBeginInItsTimeExpires(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	h := fakeHost(t, behaviour.Behaviour{Lines: 1, WaitFor: gate})
	a := h.agent()
	a.run(h.spec("first", fleet.KindBackup))
	if _, err := a.Run(t.Context(), h.spec("second", fleet.KindBackup), 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	end := a.ended("second").Outcome
	if end.State != fleet.StateFailed || end.Reason != fleet.ReasonExpired || h.starts("backup") > 1 {
		t.Fatalf("%+v", end)
	}
	wantUnstarted(t, end)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if end := a.ended("first").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
}

func TestProgressComesAtOnceAndTheNewestInTheEnd(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{Lines: 400, LinesPerSec: 200, StatusEvery: 10})
	a := h.agent()
	began := time.Now()
	a.run(h.spec("job", fleet.KindBackup))
	j := a.open("job")
	var first fleet.Progress
	a.await(j, "figures", func() bool { p, ok := j.Progress(); first = p; return ok && p.FilesTotal == 400 })
	if took := time.Since(began); took > 1500*time.Millisecond || first.FilesDone > 300 {
		t.Logf("first figures after %v: %+v", took, first) // a busy machine; what matters is below
	}
	seen := map[int64]bool{}
	a.await(j, "the end", func() bool {
		if p, ok := j.Progress(); ok {
			seen[p.FilesDone] = true
		}
		_, ok := j.Finished()
		return ok
	})
	if len(seen) > 5 {
		t.Fatalf("%d different figures in 2 s: more than one a second", len(seen))
	}
	p, ok, err := h.folder("job").ReadProgress()
	if err != nil || !ok || p.FilesDone != 400 || p.Phase == "" {
		t.Fatalf("the last progress is %+v %v %v", p, ok, err)
	}
}

func TestLongHostileAndUnendedLines(t *testing.T) {
	long := strings.Repeat("é", 100_000)                 // in four pieces
	huge := strings.Repeat("h", 3*(256<<10)+17)          // more than one read takes
	exact := strings.Repeat("e", fleet.MaxLineText)      // just one piece
	over := strings.Repeat("o", fleet.MaxLineText+1)     // just two
	hostile := "\x1b]0;owned\x07 \xff\xfe \x00 \r\u202e" // kept as it is
	lines := []string{long, "", huge, exact, over, hostile, `{"message_type":`, "{}"}
	output := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(output, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := fakeHost(t, behaviour.Behaviour{OutputFile: output, Final: "no newline at the end"})
	lines = append(lines, "no newline at the end")
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	a.ended("job")
	var got []string
	var open strings.Builder
	for _, l := range a.log("job") {
		if len(l.Text) > fleet.MaxLineText {
			t.Fatalf("a piece of %d bytes", len(l.Text))
		}
		if l.Stream != fleet.StreamOut {
			continue
		}
		open.WriteString(l.Text)
		if !l.Cont {
			got = append(got, open.String())
			open.Reset()
		}
	}
	if len(got) != len(lines) || open.Len() != 0 {
		t.Fatalf("%d lines, want %d; %d bytes open", len(got), len(lines), open.Len())
	}
	for i := range lines {
		if got[i] != lines[i] {
			t.Errorf("line %d: %d bytes, want %d: %.80q", i, len(got[i]), len(lines[i]), got[i])
		}
	}
}
