package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

const (
	patience = 60 * time.Second
	password = "planted-repository-password"
)

// host is a folder with what an agent has: jobs, a restic, a repository's address and password.
type host struct {
	t      testing.TB
	dir    string
	restic string
	url    string
	caCert string
	creds  secret.Credentials
	change func(*runner.Config) // nil: nothing
}

// fakeHost has the fake restic behaving as b.
func fakeHost(t testing.TB, b behaviour.Behaviour) *host {
	t.Helper()
	dir := t.TempDir()
	h := &host{t: t, dir: dir, restic: sharedtest.FakeRestic(t, dir), url: filepath.Join(dir, "repository"), creds: secret.Credentials{Password: secret.New(password)}}
	h.behave(b)
	t.Cleanup(h.killAll)
	return h
}

// killAll ends what a failed test left running.
func (h *host) killAll() {
	folders, err := os.ReadDir(h.jobsDir())
	if err != nil {
		return // no job was ever taken up
	}
	for _, d := range folders {
		s, ok, err := journal.Folder(filepath.Join(h.jobsDir(), d.Name())).ReadShim()
		if err != nil || !ok {
			continue
		}
		for _, id := range []*proc.Identity{&s.Self, s.Child} {
			if id != nil && id.PID != 0 {
				_ = id.KillGroup() // gone, as a rule
			}
		}
	}
}

// realHost has the real restic and an empty folder for a repository.
func realHost(t testing.TB) *host {
	t.Helper()
	dir := t.TempDir()
	h := &host{t: t, dir: dir, restic: sharedtest.Restic(t), url: filepath.Join(dir, "repository"), creds: secret.Credentials{Password: secret.New(password)}}
	t.Cleanup(h.killAll)
	return h
}

func (h *host) behave(b behaviour.Behaviour) {
	h.t.Helper()
	if err := behaviour.Write(h.restic, b); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) jobsDir() string { return filepath.Join(h.dir, "jobs") }

func (h *host) config() runner.Config {
	c := runner.Config{
		Dir: h.jobsDir(), Executable: os.Args[0], MaxParallel: 8,
		Restic:  func(context.Context) (string, string, error) { return h.restic, "0.19.1", nil },
		Secrets: func(context.Context, fleet.RepositoryID) (secret.Credentials, error) { return h.creds, nil },
		Tool:    shim.Tool{Home: h.dir, CacheDir: filepath.Join(h.dir, "cache"), Path: "/usr/bin:/bin"},
		RestoreTarget: func(s fleet.JobSpec) (string, error) {
			return filepath.Join(h.dir, "restore", s.Restore.Folder), nil
		},
		Timing: shim.Timing{Grace: 2 * time.Second},
		Log:    slog.New(slog.NewTextHandler(testWriter{h.t}, nil)),
	}
	if h.change != nil {
		h.change(&c)
	}
	return c
}

// testWriter passes log lines on to the test, which may have ended.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

// agent starts a Runner on the host.
func (h *host) agent() *agent {
	h.t.Helper()
	r, err := runner.New(h.config())
	if err != nil {
		h.t.Fatal(err)
	}
	r.Start(context.Background())
	a := &agent{host: h, Runner: r}
	h.t.Cleanup(a.stop)
	return a
}

// agent is a running Runner.
type agent struct {
	*host
	*runner.Runner
}

// stop ends the Runner as a stop of the agent does: jobs run on.
func (a *agent) stop() {
	a.t.Helper()
	if err := a.Runner.Close(); err != nil {
		a.t.Error(err)
	}
}

func (h *host) repository(id fleet.RepositoryID) fleet.RepositorySpec {
	return fleet.RepositorySpec{ID: id, URL: h.url, CACert: h.caCert}
}

func (h *host) spec(id fleet.JobID, kind fleet.JobKind) fleet.JobSpec {
	s := fleet.JobSpec{JobID: id, Kind: kind, Repository: h.repository("repo"), CreatedAt: time.Now().UTC()}
	if kind == fleet.KindBackup {
		s.Backup = &fleet.BackupSpec{Paths: []string{h.source()}, Verbose: true}
	}
	if kind == fleet.KindCheck {
		s.Check = &fleet.CheckSpec{}
	}
	return s
}

// source is a folder with something to back up.
func (h *host) source() string {
	h.t.Helper()
	dir := filepath.Join(h.dir, "source")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return dir
}

func (a *agent) run(spec fleet.JobSpec) {
	a.t.Helper()
	state, err := a.Run(a.t.Context(), spec, time.Hour)
	if err != nil || state != fleet.StateAccepted {
		a.t.Fatalf("run %s: %s, err %v", spec.JobID, state, err)
	}
}

func (a *agent) open(id fleet.JobID) *runner.Job {
	a.t.Helper()
	j, err := a.Open(id)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		if err := j.Close(); err != nil {
			a.t.Error(err)
		}
	})
	return j
}

// await waits by the job's bell until cond holds.
func (a *agent) await(j *runner.Job, what string, cond func() bool) {
	a.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		bell := j.Bell()
		if cond() {
			return
		}
		select {
		case <-bell:
		case <-limit.C:
			a.t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// ended waits for the job's end.
func (a *agent) ended(id fleet.JobID) agentwire.JobFinished {
	a.t.Helper()
	j := a.open(id)
	var end agentwire.JobFinished
	a.await(j, fmt.Sprintf("the end of job %s", id), func() (ok bool) { end, ok = j.Finished(); return ok })
	return end
}

func (a *agent) state(id fleet.JobID) fleet.JobState {
	for _, h := range a.Held() {
		if h.JobID == id {
			return h.State
		}
	}
	return ""
}

// log reads the whole log and holds it against the outcome's position.
func (a *agent) log(id fleet.JobID) []fleet.LogLine {
	a.t.Helper()
	j := a.open(id)
	var all []fleet.LogLine
	var pos fleet.LogPosition
	for {
		lines, err := j.ReadFrom(pos.LastSeq, 1<<20)
		if err != nil {
			a.t.Fatal(err)
		}
		if len(lines) == 0 {
			break
		}
		for _, l := range lines {
			pos = pos.Add(l)
			all = append(all, l)
		}
	}
	if end, ok := j.Finished(); ok && end.Log != pos {
		a.t.Fatalf("the log ends at %+v, the outcome says %+v", pos, end.Log)
	}
	return all
}

// wantNumbered holds the log against lines 1..n of the fake restic and its m lines on standard error.
func wantNumbered(t testing.TB, log []fleet.LogLine, n, size, m int) {
	t.Helper()
	out, errs := 0, 0
	for _, l := range log {
		switch {
		case l.Stream == fleet.StreamOut && strings.Contains(l.Text, `"verbose_status"`):
			out++
			if want := behaviour.Line(out, size); l.Text != want {
				t.Fatalf("line %d is %q, want %q", out, l.Text, want)
			}
		case l.Stream == fleet.StreamErr && strings.HasPrefix(l.Text, "warning"):
			errs++
			if want := behaviour.StderrLine(errs); l.Text != want {
				t.Fatalf("line %d of standard error is %q", errs, l.Text)
			}
		case strings.Contains(l.Text, `"message_type":"status"`):
			t.Fatalf("a status line is in the log: %q", l.Text)
		case l.Stream == fleet.StreamGap:
			t.Fatalf("a gap: %s", l.Text)
		}
	}
	if out != n || errs != m {
		t.Fatalf("%d lines and %d on standard error, want %d and %d", out, errs, n, m)
	}
}

func notes(log []fleet.LogLine) string {
	var b strings.Builder
	for _, l := range log {
		if l.Stream == fleet.StreamNote {
			b.WriteString(l.Text + "\n")
		}
	}
	return b.String()
}

func (h *host) folder(id fleet.JobID) journal.Folder {
	return journal.Folder(filepath.Join(h.jobsDir(), journal.FolderName(id)))
}

// processes gives the shim and the restic of a job once both run.
func (h *host) processes(id fleet.JobID) (shimID, resticID proc.Identity) {
	h.t.Helper()
	sharedtest.Eventually(h.t, patience, "restic runs", func() bool {
		s, ok, err := h.folder(id).ReadShim()
		if err != nil {
			h.t.Fatal(err)
		}
		if ok && s.Child != nil && s.StartedAt != nil {
			shimID, resticID = s.Self, *s.Child
		}
		return ok && s.Child != nil && s.StartedAt != nil
	})
	return shimID, resticID
}

func (h *host) starts(commands ...string) int {
	h.t.Helper()
	all, err := behaviour.Starts(h.restic, commands...)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(all)
}

// startedTimes waits until restic was started for n backups, and fails when it was for more.
func (h *host) startedTimes(n int) {
	h.t.Helper()
	sharedtest.Eventually(h.t, patience, fmt.Sprintf("%d backups run", n), func() bool { return h.starts("backup") >= n })
	if got := h.starts("backup"); got != n {
		h.t.Fatalf("%d backups were started, want %d", got, n)
	}
}

func (h *host) locked() bool {
	h.t.Helper()
	locked, err := behaviour.Locks(h.restic)
	if err != nil {
		h.t.Fatal(err)
	}
	return locked
}

// agentPlay is what a played agent is told.
type agentPlay struct {
	Dir, Restic, URL, Home string
	Grace                  time.Duration
	Spec                   fleet.JobSpec
	Abandon                bool // die by SIGKILL right after Run returned
}

// playAgent is an agent in a process of its own, to be killed: it takes up one job and stays.
func playAgent(file string) int {
	data, err := os.ReadFile(file)
	var p agentPlay
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	r, err := runner.New(runner.Config{
		Dir: p.Dir, Executable: os.Args[0], Timing: shim.Timing{Grace: p.Grace}, Tool: shim.Tool{Home: p.Home, CacheDir: filepath.Join(p.Home, "cache")},
		Restic: func(context.Context) (string, string, error) { return p.Restic, "0.19.1", nil },
		Secrets: func(context.Context, fleet.RepositoryID) (secret.Credentials, error) {
			return secret.Credentials{Password: secret.New(password)}, nil
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	r.Start(context.Background())
	if _, err := r.Run(context.Background(), p.Spec, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("accepted")
	time.Sleep(patience)
	return 0
}
