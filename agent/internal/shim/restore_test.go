package shim

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/backstay/backstay/shared/fault"
)

func TestRestoreFolderIsFreshAndBelowItsRoot(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	link := filepath.Join(dir, "link")
	if err := os.Mkdir(real, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	got, err := makeTarget(filepath.Join(link, "fresh"))
	if err != nil || filepath.Base(got) != "fresh" || filepath.Base(filepath.Dir(got)) != "real" {
		t.Fatalf("%q, err %v", got, err)
	}
	if info, err := os.Stat(got); err != nil || !info.IsDir() {
		t.Fatal(err)
	}
	if _, err := makeTarget(filepath.Join(dir, "new", "root", "a")); err != nil {
		t.Fatalf("a missing root: %v", err)
	}
	if err := os.WriteFile(filepath.Join(real, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(real, "out")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(link, "fresh"), filepath.Join(real, "file"), filepath.Join(real, "out"), "relative/x", "/", "",
		filepath.Join(real, "file", "below")} {
		if got, err := makeTarget(bad); fault.CodeOf(err) != fault.InvalidPath {
			t.Errorf("%q gave %q, err %v", bad, got, err)
		}
	}
}
