//go:build !windows

package systemd_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/systemd"
)

// socket is systemd's end; it gives what it was told.
func socket(t *testing.T) (path string, told <-chan string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	said := make(chan string, 100)
	go func() {
		defer close(said)
		b := make([]byte, 1000)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			said <- string(b[:n])
		}
	}()
	return path, said
}

func env(of map[string]string) func(string) string { return func(k string) string { return of[k] } }

func TestNotify(t *testing.T) {
	path, told := socket(t)
	n := systemd.FromEnv(env(map[string]string{"NOTIFY_SOCKET": path}))
	for want, say := range map[string]func() error{"READY=1": n.Ready, "STOPPING=1": n.Stopping} {
		if err := say(); err != nil {
			t.Fatal(err)
		}
		if got := <-told; got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
	}
	if err := n.Watch(t.Context(), func(context.Context) error { t.Error("nobody watches"); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestWatchdogHearsOfHealthOnly(t *testing.T) {
	path, told := socket(t)
	n := systemd.FromEnv(env(map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())}))
	ctx, cancel := context.WithCancel(t.Context())
	sick, asked := make(chan struct{}), make(chan struct{}, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- n.Watch(ctx, func(context.Context) error {
			select {
			case <-sick:
				asked <- struct{}{}
				return errors.New("sick")
			default:
				return nil
			}
		})
	}()
	for range 3 {
		if got := <-told; got != "WATCHDOG=1" {
			t.Fatalf("told %q", got)
		}
	}
	close(sick)
	<-asked
	for len(told) > 0 {
		<-told // said before it fell sick
	}
	for range 5 {
		<-asked
	}
	if len(told) > 0 {
		t.Fatalf("a sick service said %q", <-told)
	}
	cancel()
	if err := <-ended; err == nil || err.Error() != "sick" {
		t.Fatalf("err %v", err)
	}
}

func TestNobodyIsTold(t *testing.T) {
	for name, of := range map[string]map[string]string{
		"no systemd": {}, "a watchdog without a socket": {"WATCHDOG_USEC": "1000"}, "the parent's watchdog": {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
	} {
		if err := systemd.FromEnv(env(of)).Watch(t.Context(), func(context.Context) error { t.Error("asked"); return nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := systemd.FromEnv(env(nil)).Ready(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if _, err := systemd.Open(ctx, true); !errors.Is(err, systemd.ErrNone) {
		t.Fatalf("a systemd where there is none: %v", err)
	}
}
