//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/backstay/backstay/shared/fault"
)

// TestReadOnlyFolder runs itself as an unprivileged user when it is root: root may write everywhere.
func TestReadOnlyFolder(t *testing.T) {
	if dir := os.Getenv("BACKSTAY_TEST_READONLY"); dir != "" {
		_, err := Open(filepath.Join(dir, "new.db"), Create)
		_, err2 := Open(filepath.Join(dir, "old.db"), Create)
		fmt.Printf("codes %s %s\n", fault.CodeOf(err), fault.CodeOf(err2))
		return
	}
	dir, err := os.MkdirTemp("", "backstay-readonly-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(os.Chmod(dir, 0o700), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	db := open(t, filepath.Join(dir, "old.db"), Create)
	if _, err := db.Write.ExecContext(t.Context(), "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "old.db"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestReadOnlyFolder$")
	cmd.Env = append(os.Environ(), "BACKSTAY_TEST_READONLY="+dir)
	if os.Geteuid() == 0 {
		bin := dir + ".test"
		copyExecutable(t, self, bin)
		cmd.Path, cmd.Dir = bin, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	want := fmt.Sprintf("codes %s %s\n", fault.StorageDenied, fault.StorageDenied)
	if err != nil || len(out) < len(want) || string(out[:len(want)]) != want {
		t.Errorf("child: %v\n%s", err, out)
	}
}

// copyExecutable puts the test binary where an unprivileged user can run it.
func copyExecutable(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(to) })
}
