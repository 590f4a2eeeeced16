package app_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/sharedtest"
)

// TestNotReadyWhileTheDiskIsFull on a real disk of its own, that somebody else fills.
func TestNotReadyWhileTheDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m,mode=0700"); err != nil {
		t.Skipf("mounting a small disk is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	d := start(t, settings(t, dir))
	client := d.client("")
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 64<<20), 0o600); err == nil {
		t.Fatal("the disk takes everything")
	}
	sharedtest.Eventually(t, patience, "not ready", func() bool { return fault.CodeOf(client.Ready(t.Context())) == fault.StorageFull })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	sharedtest.Eventually(t, patience, "ready again", func() bool { return client.Ready(t.Context()) == nil })
	if _, err := d.stop(); err != nil {
		t.Fatal(err)
	}
}
