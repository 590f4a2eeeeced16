package sharedtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// insideSecretService marks the copy of a test that runs in the session which packaging/test/secret-service.sh makes.
const insideSecretService = "BACKSTAY_INSIDE_SECRET_SERVICE"

// InSecretService runs the calling test once more, in a process of its own, with a private session bus and a real gnome-keyring
// (locked, when asked for). In that process it returns true: go on with the test. In the outer one it returns false after the
// inner test passed: return. Where the tools are missing the test is skipped, or fails with BACKSTAY_TEST_SECRET_SERVICE=1,
// which `make test` sets.
func InSecretService(t *testing.T, locked bool) bool {
	t.Helper()
	if os.Getenv(insideSecretService) == t.Name() {
		return true
	}
	if runtime.GOOS != "linux" {
		t.Skip("the Secret Service is Linux's keyring")
	}
	for _, tool := range []string{"dbus-run-session", "dbus-daemon", "dbus-send", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("BACKSTAY_TEST_SECRET_SERVICE") == "1" {
				t.Fatalf("%s is missing: run `make deps` first", tool)
			}
			t.Skipf("%s is missing: run `make deps` first", tool)
		}
	}
	home, err := os.MkdirTemp("", "backstay-keyring-") // not t.TempDir: a socket's path may have 107 bytes only
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	}()
	script := filepath.Join(RepoRoot(t), "packaging", "test", "secret-service.sh")
	cmd := exec.Command(script, home, os.Args[0], "-test.run", "^"+regexp.QuoteMeta(t.Name())+"$", "-test.count=1", "-test.v", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), insideSecretService+"="+t.Name())
	if locked {
		cmd.Env = append(cmd.Env, "BACKSTAY_KEYRING_LOCKED=1")
	}
	cmd.Stdin = strings.NewReader("keyring password of the test\n")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("inside the keyring's session: %v\n%s", err, out)
	}
	return false
}
