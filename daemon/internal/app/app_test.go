package app_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/daemon/internal/app"
	"github.com/backstay/backstay/daemon/internal/config"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/sharedtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := sharedtest.RemoveBuilds(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

const (
	patience = 30 * time.Second
	password = "a-long-enough-password"
)

// settings is a daemon on any free port of the loopback.
func settings(t *testing.T, data string) config.Config {
	t.Helper()
	c := config.Default(data)
	c.Listen = "127.0.0.1:0"
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c
}

// running is a daemon in this process.
type running struct {
	t      *testing.T
	addr   string
	pin    string
	cancel context.CancelFunc
	ended  chan error
}

// ready is the log in which the daemon says where it listens.
type ready struct {
	slog.Handler
	said chan [2]string // address and pin; holds one
}

func (r ready) Handle(ctx context.Context, rec slog.Record) error {
	var addr, ca string
	rec.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "listen":
			addr = a.Value.String()
		case "ca_pin":
			ca = a.Value.String()
		}
		return true
	})
	if addr != "" && ca != "" {
		r.said <- [2]string{addr, ca}
	}
	return r.Handler.Handle(ctx, rec)
}

// start runs a daemon until stop; a test that forgets it is stopped at its end.
func start(t *testing.T, cfg config.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &running{t: t, cancel: cancel, ended: make(chan error, 1)}
	h := ready{slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}), make(chan [2]string, 1)}
	go func() {
		d.ended <- app.Run(ctx, cfg, slog.New(always{h}))
		close(d.ended)
	}()
	t.Cleanup(func() { cancel(); <-d.ended })
	select {
	case at := <-h.said:
		d.addr, d.pin = at[0], at[1]
	case err := <-d.ended:
		t.Fatalf("the daemon did not start: %v", err)
	case <-time.After(patience):
		t.Fatal("the daemon is not ready")
	}
	return d
}

// always shows ready every record, whatever the handler behind it wants to print.
type always struct{ ready }

func (always) Enabled(context.Context, slog.Level) bool { return true }

// stop asks for the end and gives what Run gave, and how long it took.
func (d *running) stop() (time.Duration, error) {
	d.t.Helper()
	began := time.Now()
	d.cancel()
	select {
	case err := <-d.ended:
		return time.Since(began), err
	case <-time.After(patience):
		d.t.Fatal("the daemon does not stop")
		return 0, nil
	}
}

func (d *running) client(token string) *apiclient.Client {
	d.t.Helper()
	c, err := apiclient.New(apiclient.Config{Address: "https://" + d.addr, Pin: d.pin, Token: token})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(c.Close)
	return c
}

func (d *running) signIn(user string) (*apiclient.Client, error) {
	s, err := d.client("").SignIn(d.t.Context(), api.SessionRequest{User: user, Password: password})
	return d.client(s.Token), err
}

func addUser(t *testing.T, cfg config.Config, name string) {
	t.Helper()
	a, err := app.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddUser(t.Context(), name, password, fleet.RoleAdmin); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
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

func TestServesUntilItIsStoppedAndAgain(t *testing.T) {
	cfg := settings(t, filepath.Join(t.TempDir(), "data"))
	if app.Exists(cfg) {
		t.Fatal("a folder that was never used holds data")
	}
	addUser(t, cfg, "ada")
	d := start(t, cfg)
	c, err := d.signIn("ada")
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Identity(t.Context())
	if err != nil || first.Daemon.Epoch == "" || first.Daemon.CAPin != d.pin {
		t.Fatalf("%+v, err %v", first, err)
	}
	addUser(t, cfg, "bob") // a command beside the running daemon
	if _, err := d.signIn("bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.stop(); err != nil {
		t.Fatal(err)
	}
	if !app.Exists(cfg) {
		t.Fatal("the data are gone")
	}
	again := start(t, cfg)
	if again.pin != d.pin {
		t.Fatal("another authority after a restart")
	}
	if c, err = again.signIn("bob"); err != nil {
		t.Fatal(err)
	}
	if now, err := c.Identity(t.Context()); err != nil || now.Daemon.Epoch != first.Daemon.Epoch {
		t.Fatalf("epoch %q became %q, err %v", first.Daemon.Epoch, now.Daemon.Epoch, err)
	}
}

func TestARelativeDataFolder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	cfg := settings(t, "data")
	addUser(t, cfg, "ada")
	d := start(t, cfg)
	t.Chdir(t.TempDir()) // wherever the process goes, its data stay
	if _, err := d.signIn("ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.stop(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("data folder: %v, err %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "state.db")); err != nil {
		t.Fatal(err)
	}
}

func TestASecondDaemonOnTheFolder(t *testing.T) {
	cfg := settings(t, t.TempDir())
	addUser(t, cfg, "ada")
	d := start(t, cfg)
	wantCode(t, app.Run(t.Context(), cfg, slog.New(slog.DiscardHandler)), fault.DataLocked)
	if _, err := d.signIn("ada"); err != nil {
		t.Fatalf("the first daemon suffers: %v", err)
	}
}

// TestTheStoreIsPutBackFromACopy: the daemon notices by itself at its start what stands beside the store, and is told of the rest by a
// command, which wants the daemon stopped.
func TestTheStoreIsPutBackFromACopy(t *testing.T) {
	cfg := settings(t, filepath.Join(t.TempDir(), "data"))
	wantCode(t, app.NoteRestored(t.Context(), cfg), fault.NotFound)
	if app.Exists(cfg) {
		t.Fatal("a store was made")
	}
	addUser(t, cfg, "ada")
	state, kept := filepath.Join(cfg.Data, "state.db"), filepath.Join(t.TempDir(), "copy")
	var epochs []string
	live := func(change bool) {
		t.Helper()
		d := start(t, cfg)
		c, err := d.signIn("ada")
		if err != nil {
			t.Fatal(err)
		}
		id, err := c.Identity(t.Context())
		if err == nil && change {
			_, err = c.AddRepository(t.Context(), api.RepositoryRequest{Name: "main", URL: "/srv/main"})
		}
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, app.NoteRestored(t.Context(), cfg), fault.DataLocked)
		if _, err := d.stop(); err != nil {
			t.Fatal(err)
		}
		epochs = append(epochs, id.Daemon.Epoch)
	}
	live(false)
	copyFile(t, state, kept)
	live(true)
	copyFile(t, kept, state)
	live(true) // the name is free again: it is the copy
	live(false)
	if err := app.NoteRestored(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	live(false)
	if e := epochs; e[0] != e[1] || e[1] == e[2] || e[2] != e[3] || e[3] == e[4] || e[4] == e[0] {
		t.Fatalf("epochs %q", epochs)
	}
}

// copyFile takes the place of what is there.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What stops a start leaves nothing held: the next start, with it mended, succeeds.
func TestAStartThatFailsLetsGoOfAll(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := settings(t, t.TempDir())
	port := cfg.Listen
	cfg.Listen = taken.Addr().String()
	wantCode(t, app.Run(t.Context(), cfg, slog.New(slog.DiscardHandler)), fault.AddressInUse)
	cfg.Listen = "192.0.2.1:0" // an address that no machine has
	wantCode(t, app.Run(t.Context(), cfg, slog.New(slog.DiscardHandler)), fault.InvalidInput)
	cfg.Listen = taken.Addr().String()
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(cfg.Data, "state.db")
	if err := os.WriteFile(state, []byte("this is no database, and longer than the header of one would be …………………………………………"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, app.Run(t.Context(), cfg, slog.New(slog.DiscardHandler)), fault.StorageCorrupt)
	if l, err := net.Listen("tcp", cfg.Listen); err != nil {
		t.Fatalf("the port is still held: %v", err)
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	cfg.Listen = port
	start(t, cfg)
}

// TestStopWaitsForNobodyWhoWantsNothing: connections that are open without a request under way do not hold the end up. net/http
// alone would give five seconds to one that has said nothing yet, and one to HTTP/2.
func TestStopWaitsForNobodyWhoWantsNothing(t *testing.T) {
	cfg := settings(t, t.TempDir())
	addUser(t, cfg, "ada")
	d := start(t, cfg)
	if _, err := d.signIn("ada"); err != nil { // its connection, HTTP/2, is kept by the client
		t.Fatal(err)
	}
	silent, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, protocol := range []string{"http/1.1", "h2"} {
		settings := pin.ClientTLS(d.pin, nil)
		settings.NextProtos = []string{protocol}
		shaken, err := tls.Dial("tcp", d.addr, settings)
		if err != nil {
			t.Fatal(err)
		}
		defer shaken.Close()
	}
	took, err := d.stop()
	if err != nil {
		t.Fatal(err)
	}
	if most := 2 * time.Second; took > most { // a few milliseconds, on a machine with nothing else to do
		t.Fatalf("the stop took %v", took)
	}
	t.Logf("stopped in %v", took)
}
