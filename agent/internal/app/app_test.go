package app_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/agent/internal/app"
	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(cleaning{m}) }

// cleaning removes what sharedtest.Build made once the tests are through.
type cleaning struct{ m *testing.M }

func (c cleaning) Run() int {
	code := c.m.Run()
	if err := sharedtest.RemoveBuilds(); err != nil && code == 0 {
		code = 1
	}
	return code
}

const patience = 30 * time.Second

// options enrol a new host at the daemon, its data below a folder of the test's own.
func options(t *testing.T, d *daemon) app.EnrolOptions {
	t.Helper()
	dir := t.TempDir()
	return app.EnrolOptions{DataDir: filepath.Join(dir, "agent"), Server: d.address, Token: d.token, Pin: d.ca.Pin(), Secrets: fleet.SecretsSealedFile,
		Restic: sharedtest.FakeRestic(t, dir)}
}

func enrol(t *testing.T, o app.EnrolOptions) config.Config {
	t.Helper()
	cfg, err := app.Enrol(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// running is an agent in this process.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan error
}

func start(t *testing.T, cfg config.Config) *running {
	t.Helper()
	former := slog.Default()
	ctx, cancel := context.WithCancel(context.Background())
	a := &running{t: t, cancel: cancel, ended: make(chan error, 1)}
	go func() {
		a.ended <- app.Run(ctx, cfg, slog.New(slog.DiscardHandler))
		close(a.ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-a.ended
		slog.SetDefault(former)
	})
	return a
}

func (a *running) stop() {
	a.t.Helper()
	a.cancel()
	select {
	case err := <-a.ended:
		if err != nil {
			a.t.Fatal(err)
		}
	case <-time.After(patience):
		a.t.Fatal("the agent does not stop")
	}
}

func wantCode(t *testing.T, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); err == nil || got != want {
		t.Fatalf("%v (%s), want %s", err, got, want)
	}
	if m, ok := fault.Message(err); !ok || m == "" {
		t.Fatalf("%v says nothing to a person", err)
	}
}

func inspect(t *testing.T, dir string) app.Status {
	t.Helper()
	s, err := app.Inspect(t.Context(), dir, true)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A host from its enrolment, with a relative folder, to the end of its agent and the beginning of the next.
func TestALifeOfAnAgent(t *testing.T) {
	d := newDaemon(t)
	o := options(t, d)
	full := o.DataDir
	t.Chdir(filepath.Dir(full))
	o.DataDir = filepath.Base(full)
	cfg := enrol(t, o)
	if cfg.DataDir != full {
		t.Fatalf("data folder %s, want %s", cfg.DataDir, full)
	}
	if s := inspect(t, o.DataDir); s.Running || s.HostID != hostID || s.SecretStore != fleet.SecretsSealedFile {
		t.Fatalf("%+v", s)
	}
	a := start(t, cfg)
	first := d.next(t)
	if f := first.Facts; first.AgentID != agentID || f.ResticVersion == "" || f.SealingKey != cfg.SealingKey || f.SecretStore != fleet.SecretsSealedFile {
		t.Fatalf("hello %+v", first)
	}
	sharedtest.Eventually(t, patience, "status says connected", func() bool {
		s := inspect(t, o.DataDir)
		return s.Running && s.Connection != nil && s.Connection.Connected
	})
	wantCode(t, app.Run(t.Context(), cfg, slog.New(slog.DiscardHandler)), fault.DataLocked)
	_, err := app.Enrol(t.Context(), o)
	wantCode(t, err, fault.DataLocked)
	var said bytes.Buffer
	if err := app.Doctor(t.Context(), o.DataDir, &said); err != nil || strings.Contains(said.String(), "!!") {
		t.Fatalf("doctor: %v\n%s", err, said.String())
	}
	a.stop()
	if s := inspect(t, o.DataDir); s.Running {
		t.Fatalf("%+v", s)
	}
	start(t, cfg)
	if second := d.next(t); second.Incarnation == first.Incarnation || second.Facts.SealingKey != first.Facts.SealingKey {
		t.Fatalf("hello %+v after %+v", second, first)
	}
}

// With nobody to connect to, the agent says so to who asks, and ends when it is told to.
func TestWithoutADaemon(t *testing.T) {
	d := newDaemon(t)
	cfg := enrol(t, options(t, d))
	d.stop()
	a := start(t, cfg)
	sharedtest.Eventually(t, patience, "status says why", func() bool {
		s := inspect(t, cfg.DataDir)
		return s.Running && s.Connection != nil && !s.Connection.Connected && strings.Contains(s.Connection.Problem, "does not answer")
	})
	var text bytes.Buffer
	if err := inspect(t, cfg.DataDir).Write(&text, false); err != nil || !strings.Contains(text.String(), "running, not connected since") {
		t.Fatalf("%v\n%s", err, text.String())
	}
	var said bytes.Buffer
	if err := app.Doctor(t.Context(), cfg.DataDir, &said); err == nil || !strings.Contains(said.String(), "!!  daemon") {
		t.Fatalf("doctor: %v\n%s", err, said.String())
	}
	a.stop()
}

// Whatever can be refused is refused before the token is spent, and leaves no host that looks enrolled.
func TestEnrolRefuses(t *testing.T) {
	d := newDaemon(t)
	other := newDaemon(t)
	for name, c := range map[string]struct {
		spoil func(*app.EnrolOptions)
		want  fault.Code
	}{
		"unknown store":    {func(o *app.EnrolOptions) { o.Secrets = "drawer" }, fault.InvalidInput},
		"relative restic":  {func(o *app.EnrolOptions) { o.Restic = "restic" }, fault.InvalidInput},
		"no address":       {func(o *app.EnrolOptions) { o.Server = "http://" }, fault.InvalidInput},
		"garbled pin":      {func(o *app.EnrolOptions) { o.Pin = "sha256:none" }, fault.InvalidInput},
		"another's pin":    {func(o *app.EnrolOptions) { o.Pin = other.ca.Pin() }, fault.PinMismatch},
		"a file as folder": {func(o *app.EnrolOptions) { o.DataDir = o.Restic }, fault.InvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, d)
			c.spoil(&o)
			_, err := app.Enrol(t.Context(), o)
			wantCode(t, err, c.want)
			if _, err := config.Load(o.DataDir, os.Getenv); err == nil {
				t.Error("the host looks enrolled")
			}
		})
	}
	if n := d.spent(); n != 0 {
		t.Fatalf("the token was spent %d times", n)
	}
	o := options(t, d)
	cfg := enrol(t, o)
	_, err := app.Enrol(t.Context(), o)
	wantCode(t, err, fault.Conflict)
	o.Again = true
	if again := enrol(t, o); again.SealingKey != cfg.SealingKey {
		t.Fatalf("another sealing key after a second enrolment: what was sealed to the first is lost")
	}
	if n := d.spent(); n != 2 {
		t.Fatalf("the token was spent %d times", n)
	}
}

// The shim's arguments are known from all others.
func TestRunJobIsTheShimsAlone(t *testing.T) {
	for _, args := range [][]string{nil, {"backstay-agent"}, {"backstay-agent", "run"}, {"backstay-agent", "run-job", "--dir"}, {"backstay-agent", "run-job", "--data", "x"},
		{"backstay-agent", "run-job", "--dir", "x", "y"}} {
		if _, mine := app.RunJob(args, strings.NewReader("")); mine {
			t.Errorf("%q is taken for the shim", args)
		}
	}
	limit := debug.SetMemoryLimit(-1) // the shim lowers it
	defer debug.SetMemoryLimit(limit)
	if code, mine := app.RunJob([]string{"backstay-agent", "run-job", "--dir", t.TempDir()}, failing{}); !mine || code == 0 {
		t.Errorf("code %d, mine %v", code, mine)
	}
}

// failing is a standard input that cannot be read.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no input") }
