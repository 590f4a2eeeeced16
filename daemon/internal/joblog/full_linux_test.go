package joblog_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/backstay/backstay/daemon/internal/joblog"
)

// A real disk of 2 MiB that somebody else fills. TestFullFile covers the same where mounting is not allowed.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700"); err != nil {
		t.Skipf("mounting a small disk is not allowed here (%v); TestFullFile covers SQLITE_FULL", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := open(t, joblog.Config{Dir: dir, MaxPending: 1 << 20})
	ballast := filepath.Join(dir, "ballast")
	takeRoom := func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for block := make([]byte, 4096); ; {
			if _, err := f.Write(block); err != nil {
				return
			}
		}
	}
	fillsUp(t, s, newJob(), takeRoom, func() {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	})
}
