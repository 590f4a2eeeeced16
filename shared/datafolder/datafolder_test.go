package datafolder_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
)

func TestOneHolderAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "data")
	first, err := datafolder.Hold(dir, "backstayd")
	if err != nil {
		t.Fatal(err)
	}
	_, err = datafolder.Hold(dir, "backstayd")
	if fault.CodeOf(err) != fault.DataLocked {
		t.Fatalf("second holder: %v", err)
	}
	if msg, _ := fault.Message(err); !strings.Contains(msg, "--data") || !strings.Contains(msg, "pid") {
		t.Fatalf("message without the next step: %q", msg)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if err := first.Release(); err != nil {
		t.Fatalf("second release: %v", err)
	}
	again, err := datafolder.Hold(dir, "backstayd")
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestFolderIsForItsOwnerAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has access lists instead of permission bits")
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := datafolder.Hold(dir, "backstayd")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("mode %v, err %v", info.Mode(), err)
	}
}
