package spool_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/fleet"
)

// disk is a file on a disk that holds room bytes; a write beyond it is short and fails as on a real one, and says nothing of the
// part that it wrote, as os.File does.
type disk struct {
	*os.File
	room  int64
	syncs atomic.Int32
}

func (d *disk) open(path string) (spool.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	d.File = f
	return d, err
}

func (d *disk) Sync() error { d.syncs.Add(1); return nil }

func (d *disk) WriteAt(b []byte, off int64) (int, error) {
	fits := max(0, min(int64(len(b)), d.room-off))
	n, err := d.File.WriteAt(b[:fits], off)
	if err == nil && n < len(b) {
		return 0, syscall.ENOSPC
	}
	return n, err
}

// audit checks that log tells the truth about wrote: every line is there whole and in its place, or counted in a gap.
func audit(t interface {
	Helper()
	Fatalf(string, ...any)
}, log []fleet.LogLine, wrote []string, notes []string) {
	t.Helper()
	var next int64 = 1
	var noted []string
	for _, l := range log {
		switch l.Stream {
		case fleet.StreamNote:
			noted = append(noted, l.Text)
		case fleet.StreamGap:
			var gap fleet.LogGap
			if err := json.Unmarshal([]byte(l.Text), &gap); err != nil || gap.From != next || gap.To < gap.From {
				t.Fatalf("gap %s where line %d must come, err %v", l.Text, next, err)
			}
			var bytes int64
			for i := gap.From; i <= gap.To; i++ {
				bytes += int64(len(wrote[i-1])) + 1
			}
			if gap.Bytes != bytes {
				t.Fatalf("gap %s held %d bytes", l.Text, bytes)
			}
			next = gap.To + 1
		default:
			if l.Text != wrote[next-1] {
				t.Fatalf("line %d is %q, want %q", next, l.Text, wrote[next-1])
			}
			next++
		}
	}
	if next != int64(len(wrote))+1 {
		t.Fatalf("the log accounts for lines up to %d of %d", next-1, len(wrote))
	}
	if strings.Join(noted, "\n") != strings.Join(notes, "\n") {
		t.Fatalf("notes %q, want %q", noted, notes)
	}
}

func TestFullDiskLosesNoTruth(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "log.spool")
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		h := &history{disk: &disk{room: rapid.Int64Range(8, 300).Draw(t, "room")}, now: noon}
		w, err := spool.OpenWriter(path, spool.Options{Open: h.disk.open, RetryEvery: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		h.w = w
		t.Repeat(map[string]func(*rapid.T){
			"line": h.line, "note": h.note,
			"flush": func(*rapid.T) { w.Flush(h.now) },
			"wait":  func(*rapid.T) { h.now = h.now.Add(time.Second) },
			"space": func(t *rapid.T) { h.disk.room += rapid.Int64Range(0, 400).Draw(t, "more") },
		})
		if err := w.Close(h.now, func() error { h.disk.room = 1 << 30; return nil }); err != nil {
			t.Fatal(err)
		}
		log, pos := readWhole(t, path)
		audit(t, log, h.wrote, h.notes)
		if pos != w.Position() {
			t.Fatalf("position %+v, the writer's %+v", pos, w.Position())
		}
	})
}

// history is what was offered to a writer whose disk fills up and empties.
type history struct {
	w            *spool.Writer
	disk         *disk
	now          time.Time
	wrote, notes []string
}

func (h *history) line(t *rapid.T) {
	text := rapid.StringN(0, 20, 40).Draw(t, "text")
	s := rapid.SampledFrom([]fleet.LogStream{fleet.StreamOut, fleet.StreamErr}).Draw(t, "stream")
	h.w.Add(fleet.LogLine{Time: h.now, Stream: s, Text: text})
	h.wrote = append(h.wrote, text)
}

func (h *history) note(t *rapid.T) {
	if len(h.notes) >= 60 { // more are held by number only
		return
	}
	text := rapid.StringN(1, 5, 10).Draw(t, "note")
	h.w.Add(fleet.LogLine{Time: h.now, Stream: fleet.StreamNote, Text: text})
	h.notes = append(h.notes, text)
}

func readWhole(t *rapid.T, path string) ([]fleet.LogLine, fleet.LogPosition) {
	t.Helper()
	r, err := spool.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var log []fleet.LogLine
	for {
		lines, err := r.ReadFrom(int64(len(log)), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			break
		}
		log = append(log, lines...)
	}
	pos, err := r.Position()
	if err != nil {
		t.Fatal(err)
	}
	return log, pos
}

func TestLineCutShortByAFullDiskIsEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.spool")
	disk := &disk{room: 1 << 20}
	w := open(t, path, spool.Options{Open: disk.open})
	w.Add(fleet.LogLine{Time: noon, Stream: fleet.StreamOut, Text: "begin of 1", Cont: true})
	w.Flush(noon)
	disk.room = 0
	w.Add(fleet.LogLine{Time: noon, Stream: fleet.StreamOut, Text: "end of 1"})
	w.Flush(noon)
	if !errors.Is(w.Err(), syscall.ENOSPC) || w.Lost().To != 1 {
		t.Fatalf("err %v, lost %+v", w.Err(), w.Lost())
	}
	disk.room = 1 << 20
	w.Flush(noon.Add(time.Minute))
	w.Add(fleet.LogLine{Time: noon, Stream: fleet.StreamOut, Text: "2"})
	shut(t, w)
	var got []string
	for _, l := range readAll(t, reader(t, path), 1000) {
		got = append(got, string(l.Stream)+":"+l.Text)
	}
	if want := `out:begin of 1 out: gap:{"from":1,"to":1,"bytes":9} out:2`; strings.Join(got, " ") != want {
		t.Fatalf("%q", got)
	}
	// A later writer numbers on from there.
	disk.room = 0
	w, err := spool.OpenWriter(path, spool.Options{Open: disk.open})
	if err != nil {
		t.Fatal(err)
	}
	w.Add(fleet.LogLine{Time: noon, Stream: fleet.StreamErr, Text: "3"})
	if err := w.Close(noon, nil); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("closed on a full disk: %v", err)
	}
	if want := (fleet.LogGap{From: 3, To: 3, Bytes: 2}); w.Lost() != want {
		t.Fatalf("lost %+v", w.Lost())
	}
}
