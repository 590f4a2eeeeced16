// Package sharedtest gives tests the real parts: restic and rest-server as pinned in packaging/tools, our own programs built
// once a test run, and small waiting helpers. It is imported by tests only.
package sharedtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// RepoRoot is the folder of go.mod.
func RepoRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}

// Restic is the absolute path of the pinned restic: $BACKSTAY_TEST_RESTIC, or bin/restic below RepoRoot.
func Restic(t testing.TB) string { return tool(t, "restic", "BACKSTAY_TEST_RESTIC") }

// RestServerBinary is the absolute path of the pinned rest-server.
func RestServerBinary(t testing.TB) string {
	return tool(t, "rest-server", "BACKSTAY_TEST_REST_SERVER")
}

func tool(t testing.TB, name, env string) string {
	t.Helper()
	path := os.Getenv(env)
	if path == "" {
		path = filepath.Join(RepoRoot(t), "bin", name)
	}
	if runtime.GOOS == "windows" && filepath.Ext(path) == "" {
		path += ".exe"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: run `make bin/%s` first (%v)", path, name, err)
	}
	return path
}

// builds caches Build: the test binary's one piece of state, guarded by its mutex.
type builds struct {
	mu   sync.Mutex
	dir  string
	done map[string]error
}

var built = &builds{done: map[string]error{}}

// Build compiles one of our programs (import path below the module, such as "agent/cmd/backstay-agent") once for this test
// process and gives its path. With BACKSTAY_TEST_RACE=1 it is built with the race detector.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	return buildOnce(t, pkg, os.Getenv("BACKSTAY_TEST_RACE") == "1")
}

// BuildWindow is Build for the console, always without the race detector: with it the window system's C code, which takes minutes,
// would be compiled a second time.
func BuildWindow(t testing.TB, pkg string) string {
	t.Helper()
	return buildOnce(t, pkg, false)
}

func buildOnce(t testing.TB, pkg string, race bool) string {
	t.Helper()
	if dir := os.Getenv(buildsEnv); dir != "" {
		if path := filepath.Join(dir, filepath.Base(pkg)); exists(path) {
			return path
		}
	}
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "backstay-test-bin-")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o755); err != nil { // tests run programs under other accounts, too
			t.Fatal(err)
		}
		built.dir = dir
	}
	out := filepath.Join(built.dir, filepath.Base(pkg))
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	err, ok := built.done[pkg]
	if !ok {
		err = build(RepoRoot(t), pkg, out, race)
		built.done[pkg] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// buildsEnv names a folder of programs that an outer test process has built, for an inner one whose surroundings cannot build.
const buildsEnv = "BACKSTAY_TEST_BUILDS"

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// RemoveBuilds deletes what Build made; call it at the end of TestMain.
func RemoveBuilds() error {
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.dir == "" {
		return nil
	}
	dir := built.dir
	built.dir, built.done = "", map[string]error{}
	return os.RemoveAll(dir)
}

func build(root, pkg, out string, race bool) error {
	args := []string{"build", "-trimpath", "-o", out}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./"+pkg)...)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// FakeRestic builds shared/sharedtest/fakerestic and gives the path of a copy of its own in dir, because its behaviour is set
// by files beside the binary.
func FakeRestic(t testing.TB, dir string) string {
	t.Helper()
	from := Build(t, "shared/sharedtest/fakerestic")
	to := filepath.Join(dir, filepath.Base(from))
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Eventually polls cond every 5 ms until it holds, and fails the test with what after limit.
func Eventually(t testing.TB, limit time.Duration, what string, cond func() bool) {
	t.Helper()
	if err := Await(limit, cond); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// ErrAwait says that a condition did not hold in time.
var ErrAwait = errors.New("condition did not hold in time")

// Await polls cond every 5 ms until it holds, and gives ErrAwait after limit.
func Await(limit time.Duration, cond func() bool) error {
	deadline := time.Now().Add(limit)
	for !cond() {
		if time.Now().After(deadline) {
			return fmt.Errorf("%w (%v)", ErrAwait, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}
