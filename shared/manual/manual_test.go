package manual_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/manual"
)

func book() manual.Book {
	root := &cobra.Command{Use: "prog", Short: "does things", Version: "1.2.3"}
	root.AddCommand(&cobra.Command{Use: "thing", Short: "does one", Run: func(*cobra.Command, []string) {}},
		&cobra.Command{Use: "inner", Short: "is not for people", Hidden: true, Run: func(*cobra.Command, []string) {}})
	return manual.Book{Command: root, Section: "8", Files: map[string]string{"systemd/prog.service": "[Unit]\n"}}
}

func TestTheManualIsWholeAndTheSameEachTime(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	date := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, dir := range []string{first, second} {
		if err := manual.Write(book(), dir, date); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"man/prog.8": "Feb 2026", "man/prog-thing.8": "does one", "bash/prog": "prog", "zsh/_prog": "#compdef prog",
		"fish/prog.fish": "complete -c prog", "systemd/prog.service": "[Unit]"} {
		a, err := os.ReadFile(filepath.Join(first, path))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(second, path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) || !strings.Contains(string(a), want) {
			t.Errorf("%s: the same twice: %v; wanted %q in\n%.300s", path, bytes.Equal(a, b), want, a)
		}
	}
	if hidden, err := filepath.Glob(filepath.Join(first, "man", "*inner*")); err != nil || len(hidden) != 0 {
		t.Errorf("a hidden command has a page: %v, %v", hidden, err)
	}
}

func TestTheManualHasADateOfItsOwn(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	if code := manual.Main(book(), []string{t.TempDir()}); code != 1 {
		t.Fatalf("without a date it ended with %d", code)
	}
	if code := manual.Main(book(), nil); code != 2 {
		t.Fatalf("without a folder it ended with %d", code)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	dir := t.TempDir()
	if code := manual.Main(book(), []string{dir}); code != 0 {
		t.Fatalf("it ended with %d", code)
	}
	page, err := os.ReadFile(filepath.Join(dir, "man", "prog.8"))
	if err != nil || !strings.Contains(string(page), "Nov 2023") {
		t.Fatalf("%v: %.200s", err, page)
	}
}
