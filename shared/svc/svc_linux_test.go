package svc

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

func TestJournalGetsPriorities(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(journal(&out, slog.LevelDebug))
	log.Debug("d")
	log.Info("i")
	log.Warn("w")
	log.Error("e", "err", errors.New("x"))
	if want := "<7>msg=d\n<6>msg=i\n<4>msg=w\n<3>msg=e err=x\n"; out.String() != want {
		t.Fatalf("%q, want %q", out.String(), want)
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, stream := range []string{"", "1:2", "nonsense"} {
		if isJournal(f, stream) {
			t.Errorf("%q was taken for this file", stream)
		}
	}
}

func TestWriterTakesBackWhatItWrote(t *testing.T) {
	dir := t.TempDir()
	changed, gone, fresh := filepath.Join(dir, "changed"), filepath.Join(dir, "gone"), filepath.Join(dir, "new", "fresh")
	for _, path := range []string{changed, gone} {
		if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var w writer
	if err := errors.Join(w.write(changed, "new"), w.write(changed, "new"), w.remove(gone), w.remove(gone), w.write(fresh, "new")); err != nil {
		t.Fatal(err)
	}
	if len(w.said) != 3 {
		t.Fatalf("said %q", w.said)
	}
	if b, err := os.ReadFile(fresh); err != nil || string(b) != "new" {
		t.Fatalf("%q, err %v", b, err)
	}
	if err := w.undo(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{changed, gone} {
		if b, err := os.ReadFile(path); err != nil || string(b) != "old" {
			t.Errorf("%s: %q, err %v", path, b, err)
		}
	}
	if _, err := os.Stat(fresh); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", fresh, err)
	}
}
