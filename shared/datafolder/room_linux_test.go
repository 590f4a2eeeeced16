package datafolder_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/backstay/backstay/shared/datafolder"
)

func TestRoom(t *testing.T) {
	dir := t.TempDir()
	look := func() error {
		t.Helper()
		err := datafolder.Room(dir)
		if left, globErr := filepath.Glob(filepath.Join(dir, "room*")); globErr != nil || len(left) > 0 {
			t.Fatalf("left behind: %v, err %v", left, globErr)
		}
		return err
	}
	if err := look(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m,mode=0700"); err != nil {
		t.Skipf("mounting a small disk is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<19), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := look(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("err %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := look(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if err := look(); !errors.Is(err, syscall.EROFS) {
		t.Fatalf("err %v", err)
	}
}
