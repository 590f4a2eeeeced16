//go:build !windows

package proc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/shared/sharedtest"
)

func played(args ...string) proc.Command {
	return proc.Command{Path: os.Args[0], Args: append([]string{"play"}, args...)}
}

// startReady starts a played program and returns once it printed its first line.
func startReady(t *testing.T, args ...string) (*proc.Process, string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := played(args...)
	c.Stdout = w
	p, err := proc.Start(c)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		<-p.Done()
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return p, strings.TrimSpace(line)
}

func alive(t *testing.T, id proc.Identity) bool {
	t.Helper()
	ok, err := id.Alive()
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestIdentityIsNotTheNumberAlone(t *testing.T) {
	id, err := proc.Self()
	if err != nil {
		t.Fatal(err)
	}
	if !alive(t, id) {
		t.Fatal("this process is said to be dead")
	}
	other := id
	other.Start++
	if alive(t, other) {
		t.Fatal("another start time was taken for the same process")
	}
	p, _ := startReady(t, "sleep")
	imposter := p.Identity()
	imposter.Start--
	if err := imposter.KillGroup(); err != nil {
		t.Fatal(err)
	}
	if err := imposter.InterruptGroup(); err != nil {
		t.Fatal(err)
	}
	if !alive(t, p.Identity()) {
		t.Fatal("a process with another start time was signalled")
	}
}

func TestZombieIsNotAliveAndCanBeReaped(t *testing.T) {
	id, err := proc.Detach(played("exit3"))
	if err != nil {
		t.Fatal(err)
	}
	sharedtest.Eventually(t, 10*time.Second, "a zombie counts as dead", func() bool { return !alive(t, id) })
	if gone, err := id.Vanished(); gone || err != nil {
		t.Fatalf("a zombie is said to have vanished: %v %v", gone, err)
	}
	sharedtest.Eventually(t, 10*time.Second, "the zombie is reaped", func() bool {
		if err := proc.Reap(id); err != nil {
			t.Fatal(err)
		}
		return errors.Is(unix.Kill(id.PID, 0), unix.ESRCH)
	})
	if gone, err := id.Vanished(); !gone || err != nil {
		t.Fatalf("reaped, and not vanished: %v %v", gone, err)
	}
	if err := proc.Reap(proc.Identity{PID: 1}); err != nil {
		t.Fatalf("reaping a stranger: %v", err)
	}
}

func TestDetachedHasItsOwnSession(t *testing.T) {
	id, err := proc.Detach(played("sleep"))
	if err != nil {
		t.Fatal(err)
	}
	sid, err := unix.Getsid(id.PID)
	if err != nil || sid != id.PID {
		t.Fatalf("session %d of process %d, err %v", sid, id.PID, err)
	}
	if err := id.KillGroup(); err != nil {
		t.Fatal(err)
	}
	sharedtest.Eventually(t, 10*time.Second, "killed", func() bool { return !alive(t, id) })
	if err := proc.Reap(id); err != nil {
		t.Fatal(err)
	}
}

func TestKillReachesTheWholeGroup(t *testing.T) {
	p, line := startReady(t, "family")
	var child int
	if _, err := fmt.Sscanf(line, "child %d", &child); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	id, err := proc.Identify(child)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	exit, err := p.Wait(t.Context())
	if err != nil || exit != (proc.Exit{Code: -1, Signal: "SIGKILL"}) {
		t.Fatalf("exit %+v, err %v", exit, err)
	}
	sharedtest.Eventually(t, 10*time.Second, "the helper is gone too", func() bool { return !alive(t, id) })
	if err := p.Kill(); err != nil {
		t.Fatalf("kill after the end: %v", err)
	}
}

func TestWaitGivesUpWithItsContextAndLeavesTheProcess(t *testing.T) {
	p, _ := startReady(t, "sleep")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("err %v", err)
	}
	if !alive(t, p.Identity()) {
		t.Fatal("waiting killed the process")
	}
}

func TestRunPassesInputFilesAndAnEmptyEnvironment(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("from the pipe"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Setenv("BACKSTAY_TEST_PLANTED", "must not be passed on")
	c := played("echo", "/dev/fd/3")
	c.ExtraFiles = []*os.File{r}
	got, err := proc.Run(t.Context(), c, proc.RunOptions{Input: []byte("typed")})
	if err != nil || got.Exit.Code != 0 {
		t.Fatalf("%+v, err %v", got, err)
	}
	if want := "in=typed env=\n/dev/fd/3=from the pipe <nil>\n"; string(got.Stdout) != want || string(got.Stderr) != "oops" {
		t.Fatalf("stdout %q, stderr %q", got.Stdout, got.Stderr)
	}
}

func TestRunKeepsExitCodeAndBoundsOutput(t *testing.T) {
	got, err := proc.Run(t.Context(), played("exit3"), proc.RunOptions{})
	if err != nil || got.Exit.Code != 3 {
		t.Fatalf("%+v, err %v", got, err)
	}
	got, err = proc.Run(t.Context(), played("flood"), proc.RunOptions{MaxOutput: 1000})
	if err != nil || len(got.Stdout) != 1000 || !got.Cut || got.Exit.Code != 0 {
		t.Fatalf("%d bytes, cut %v, exit %+v, err %v", len(got.Stdout), got.Cut, got.Exit, err)
	}
	if _, err := proc.Run(t.Context(), proc.Command{Path: "/does/not/exist"}, proc.RunOptions{Input: []byte("x")}); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("err %v", err)
	}
}

func TestRunAsksThenKillsWhenItsTimeIsUp(t *testing.T) {
	for what, want := range map[string]string{"sleep": "SIGTERM", "stubborn": "SIGKILL"} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // the program has to be up by then
		got, err := proc.Run(ctx, played(what), proc.RunOptions{Grace: 300 * time.Millisecond})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || got.Exit.Signal != want {
			t.Fatalf("%s: exit %+v, err %v", what, got.Exit, err)
		}
	}
}

func TestRunDoesNotWaitForAHelperThatKeepsThePipe(t *testing.T) {
	got, err := proc.Run(t.Context(), played("family", "leave"), proc.RunOptions{})
	if err != nil || got.Exit.Code != 0 {
		t.Fatalf("%+v, err %v", got, err)
	}
	var child int
	if _, err := fmt.Sscanf(string(got.Stdout), "child %d", &child); err != nil {
		t.Fatalf("%q: %v", got.Stdout, err)
	}
	if id, err := proc.Identify(child); err == nil {
		if err := unix.Kill(id.PID, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBootAndUptimeAreSteady(t *testing.T) {
	a, errA := proc.BootID()
	b, errB := proc.BootID()
	if errA != nil || errB != nil || a == "" || !proc.SameBoot(a, b) || proc.SameBoot(a, a+"x") {
		t.Fatalf("%q %v, %q %v", a, errA, b, errB)
	}
	x, err := proc.Uptime()
	if err != nil || x <= 0 {
		t.Fatalf("%v, err %v", x, err)
	}
}
