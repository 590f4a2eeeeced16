package spool_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/fleet"
)

// FuzzReader reads any bytes as a spool: no panic, no endless loop, and whatever it gives is bounded and agrees with its position
// and with what a writer would keep.
func FuzzReader(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed.spool")
	w, err := spool.OpenWriter(path, spool.Options{})
	if err != nil {
		f.Fatal(err)
	}
	w.Add(number(1))
	w.Add(fleet.LogLine{Time: noon, Stream: fleet.StreamErr, Text: "half", Cont: true})
	w.Add(fleet.LogLine{Time: noon, Stream: fleet.StreamGap, Text: `{"from":2,"to":9}`})
	if err := w.Close(noon, nil); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)-3])
	f.Add([]byte("bstspl1\n\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Fuzz(readAny)
}

func readAny(t *testing.T, data []byte) {
	path := filepath.Join(t.TempDir(), "f.spool")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := spool.Open(path)
	if err != nil {
		return
	}
	defer r.Close()
	var pos fleet.LogPosition
	for {
		lines, err := r.ReadFrom(pos.LastSeq, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			break
		}
		for _, l := range lines {
			if len(l.Text) > fleet.MaxLineText {
				t.Fatalf("a line of %d bytes", len(l.Text))
			}
			pos = pos.Add(l)
		}
	}
	if got, err := r.Position(); err != nil || got != pos {
		t.Fatalf("position %+v, the lines give %+v, err %v", got, pos, err)
	}
	w, err := spool.OpenWriter(path, spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w.Position() != pos {
		t.Fatalf("writer at %+v, reader at %+v", w.Position(), pos)
	}
	if err := w.Close(noon, nil); err != nil {
		t.Fatal(err)
	}
}
