package svc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/sharedtest"
)

func definition(dir string) Definition {
	return Definition{Name: "backstay-test", Label: "io.backstay.test", Title: "Test", Description: "for a test", Executable: filepath.Join(dir, "program"),
		DataDir: filepath.Join(dir, "data"), Config: filepath.Join(dir, "data", "config"), LogDir: filepath.Join(dir, "log")}
}

// fake is a service manager that keeps what it is told.
type fake struct {
	state State
	done  []string
	calls []string
	fail  map[string]error
}

func (f *fake) call(name string) error { f.calls = append(f.calls, name); return f.fail[name] }

func (f *fake) Install(context.Context) ([]string, error)   { return f.done, f.call("install") }
func (f *fake) Uninstall(context.Context) ([]string, error) { return f.done, f.call("uninstall") }
func (f *fake) Start(context.Context) error                 { f.state.Running = true; return f.call("start") }
func (f *fake) Stop(context.Context) error                  { return f.call("stop") }
func (f *fake) Restart(context.Context) error               { return f.call("restart") }
func (f *fake) State(context.Context) (State, error)        { return f.state, nil }
func (f *fake) Close() error                                { return nil }

var _ Manager = (*fake)(nil)

func TestInstallStartsWhatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		running bool
		done    []string
		order   Order
		want    string
	}{
		"first":               {false, []string{"wrote it"}, Order{}, "install start"},
		"again, unchanged":    {true, nil, Order{}, "install"},
		"again, changed":      {true, []string{"wrote it anew"}, Order{}, "install restart"},
		"not to be started":   {false, []string{"wrote it"}, Order{NoStart: true}, "install"},
		"something is missed": {false, []string{"wrote it"}, Order{NextRun: "enrol"}, "install"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &fake{done: c.done, state: State{Running: c.running}}
			o := c.order
			o.Definition = definition(t.TempDir())
			o.User = true
			lines, err := o.install(t.Context(), m)
			if err != nil || strings.Join(m.calls, " ") != c.want {
				t.Fatalf("calls %v, want %s, err %v", m.calls, c.want, err)
			}
			for _, place := range []string{o.Executable, o.Config, o.DataDir} {
				if !strings.Contains(strings.Join(lines, "\n"), place) {
					t.Errorf("%s is not said: %q", place, lines)
				}
			}
		})
	}
}

func TestUninstallLeavesDataUnlessPurged(t *testing.T) {
	d := definition(t.TempDir())
	key := d.DataDir + ".key"
	for _, path := range []string{filepath.Join(d.DataDir, "lock"), filepath.Join(key, "key")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	drained := 0
	o := Order{Definition: d, Folders: []string{d.DataDir, key}, Drain: func(context.Context) ([]string, error) { drained++; return nil, nil }}
	if _, err := o.uninstall(t.Context(), &fake{done: []string{"removed it"}}); err != nil || drained != 2 {
		t.Fatalf("drained %d times, err %v", drained, err)
	}
	if _, err := os.Stat(filepath.Join(key, "key")); err != nil {
		t.Fatal(err)
	}
	busy := errors.New("a job does not end")
	o.Drain = func(context.Context) ([]string, error) { return nil, busy }
	m := &fake{}
	if _, err := o.uninstall(t.Context(), m); !errors.Is(err, busy) || len(m.calls) != 0 {
		t.Fatalf("calls %v, err %v", m.calls, err)
	}
	o.Drain, o.Purge = nil, true
	if _, err := o.uninstall(t.Context(), &fake{}); err != nil {
		t.Fatal(err)
	}
	for _, f := range o.Folders {
		if _, err := os.Stat(f); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", f, err)
		}
	}
}

func TestPurgeTakesNothingForeign(t *testing.T) {
	d := definition(t.TempDir())
	if err := os.MkdirAll(d.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, folders := range map[string][]string{"no lock in it": {d.DataDir}, "the root": {"/"}} {
		m := &fake{}
		if _, err := (Order{Definition: d, Purge: true, Folders: folders}).uninstall(t.Context(), m); fault.CodeOf(err) != fault.InvalidInput || len(m.calls) != 0 {
			t.Errorf("%s: calls %v, err %v", name, m.calls, err)
		}
	}
}

func TestControlCharactersAreNotWrittenIntoADefinition(t *testing.T) {
	d := definition("/srv")
	d.DataDir = "/srv/data\nExecStartPre=/bin/evil"
	if err := d.validate(); fault.CodeOf(err) != fault.InvalidInput {
		t.Fatal(err)
	}
}

func TestProgramThatOthersMayReplaceIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has access lists instead of permission bits")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "open", "program")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := checkTrusted(path); err != nil {
			t.Fatalf("one of root alone: %v", err)
		}
	}
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := checkTrusted(path); fault.CodeOf(err) != fault.InvalidInput {
		t.Fatalf("below a folder that everybody may write: %v", err)
	}
}

func TestLevelsGoToTheirOutlets(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(both{newLevels(slog.LevelInfo, func(l slog.Level) io.Writer { return tagged{&out, l} }), slog.NewTextHandler(io.Discard, nil)})
	log = log.With("host_id", "h").WithGroup("g")
	log.Debug("not this")
	log.Info("told", "a", 1)
	log.Warn("warned")
	log.Error("failed")
	want := "INFO msg=told host_id=h g.a=1\nWARN msg=warned host_id=h\nERROR msg=failed host_id=h\n"
	if out.String() != want {
		t.Fatalf("got %q\nwant %q", out.String(), want)
	}
}

type tagged struct {
	w     io.Writer
	level slog.Level
}

func (w tagged) Write(b []byte) (int, error) {
	_, err := fmt.Fprintf(w.w, "%v %s", w.level, b)
	return len(b), err
}

// text is written by one goroutine and read by another.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(b)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

func TestLogFileIsShownAndFollowedAcrossItsNewBeginning(t *testing.T) {
	d := definition(t.TempDir())
	if err := showFile(t.Context(), d, View{Lines: 1}, io.Discard); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("a log that is not there: %v", err)
	}
	f := openLogFile(d)
	write := func(s string) {
		if _, err := io.WriteString(f, s+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		write(fmt.Sprintf("line %d", i))
	}
	var last bytes.Buffer
	if err := showFile(t.Context(), d, View{Lines: 2}, &last); err != nil || last.String() != "line 8\nline 9\n" {
		t.Fatalf("%q, err %v", last.String(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var seen text
	ended := make(chan error, 1)
	go func() { ended <- showFile(ctx, d, View{Lines: 1, Follow: true}, &seen) }()
	has := func(s string) func() bool { return func() bool { return strings.Contains(seen.String(), s) } }
	sharedtest.Eventually(t, 20*time.Second, "the last line", has("line 9\n"))
	write("line 10")
	sharedtest.Eventually(t, 20*time.Second, "what comes", has("line 10\n"))
	if err := f.(interface{ Rotate() error }).Rotate(); err != nil {
		t.Fatal(err)
	}
	write("line 11")
	sharedtest.Eventually(t, 20*time.Second, "what comes after the new beginning", has("line 11\n"))
	cancel()
	if err := errors.Join(<-ended, f.Close()); err != nil {
		t.Fatal(err)
	}
	if got, want := seen.String(), "line 9\nline 10\nline 11\n"; got != want {
		t.Fatalf("%q, want %q", got, want)
	}
}
