package spool_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/agent/internal/spool"
	"github.com/backstay/backstay/shared/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 4, 12, 0, 0, 123456000, time.UTC)

func open(t *testing.T, path string, o spool.Options) *spool.Writer {
	t.Helper()
	w, err := spool.OpenWriter(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func shut(t *testing.T, w *spool.Writer) {
	t.Helper()
	if err := w.Close(noon, nil); err != nil {
		t.Fatal(err)
	}
}

func reader(t *testing.T, path string) *spool.Reader {
	t.Helper()
	r, err := spool.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// readAll reads the log in batches of maxBytes.
func readAll(t *testing.T, r *spool.Reader, maxBytes int) []fleet.LogLine {
	t.Helper()
	var all []fleet.LogLine
	for {
		lines, err := r.ReadFrom(int64(len(all)), maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) == 0 {
			return all
		}
		all = append(all, lines...)
	}
}

func number(i int) fleet.LogLine {
	return fleet.LogLine{Time: noon.Add(time.Duration(i) * time.Microsecond), Stream: fleet.StreamOut, Text: fmt.Sprintf("line %d", i)}
}

func fill(t *testing.T, path string, n int) {
	t.Helper()
	w := open(t, path, spool.Options{})
	for i := 1; i <= n; i++ {
		w.Add(number(i))
		if i%7 == 0 {
			w.Flush(noon)
		}
	}
	shut(t, w)
}

func TestLinesComeBackByteIdentical(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.spool")
	want := []fleet.LogLine{
		{Time: noon, Stream: fleet.StreamOut, Text: ""},
		{Time: noon, Stream: fleet.StreamErr, Text: "\xff\x00 \x1b[31m \r"},
		{Time: noon.Add(-time.Hour), Stream: fleet.StreamNote, Text: "an earlier clock"},
		{Time: noon, Stream: fleet.StreamOut, Text: strings.Repeat("x", fleet.MaxLineText), Cont: true},
		{Time: noon, Stream: fleet.StreamGap, Text: `{"from":1,"to":2,"bytes":3}`},
		{Time: noon, Stream: fleet.StreamOut, Text: "end"},
	}
	w := open(t, path, spool.Options{})
	var pos fleet.LogPosition
	for _, l := range want {
		w.Add(l)
		pos = pos.Add(l)
	}
	shut(t, w)
	if w.Position() != pos {
		t.Fatalf("position %+v, want %+v", w.Position(), pos)
	}
	r := reader(t, path)
	for _, size := range []int{1, 100, fleet.MaxLineText + 2, 1 << 20} {
		if got := readAll(t, r, size); !slices.Equal(got, want) {
			t.Fatalf("batches of %d: %v", size, got)
		}
	}
	if got, err := r.Position(); err != nil || got != pos {
		t.Fatalf("reader's position %+v, err %v", got, err)
	}
	text, err := io.ReadAll(r.Text(fleet.StreamOut))
	if err != nil || string(text) != "\n"+want[3].Text+"end\n" {
		t.Fatalf("%d bytes of text, err %v", len(text), err)
	}
}

func TestReaderFollowsTheTailAndJumpsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.spool")
	r := reader(t, path)
	if lines, err := r.ReadFrom(0, 100); err != nil || lines != nil {
		t.Fatalf("before the file exists: %v, err %v", lines, err)
	}
	const n = 5000
	w := open(t, path, spool.Options{})
	for i := 1; i <= n; i++ {
		w.Add(number(i))
		if lines, err := r.ReadFrom(int64(i-1), 100); err != nil || len(lines) != 0 {
			t.Fatalf("line %d was there before the flush: %v, err %v", i, lines, err)
		}
		w.Flush(noon)
		lines, err := r.ReadFrom(int64(i-1), 100)
		if err != nil || len(lines) != 1 || lines[0] != number(i) {
			t.Fatalf("line %d: %v, err %v", i, lines, err)
		}
	}
	shut(t, w)
	for _, after := range []int64{0, 511, 512, 513, 4095, 1, n - 1, 700} {
		lines, err := r.ReadFrom(after, 1)
		if err != nil || len(lines) != 1 || lines[0] != number(int(after)+1) {
			t.Fatalf("after %d: %v, err %v", after, lines, err)
		}
	}
	for _, after := range []int64{n, n + 1, 1 << 40} {
		if lines, err := r.ReadFrom(after, 100); err != nil || len(lines) != 0 {
			t.Fatalf("after %d: %v, err %v", after, lines, err)
		}
	}
	if _, err := r.ReadFrom(-1, 100); err == nil {
		t.Fatal("a negative number was taken")
	}
	if got := readAll(t, r, 1000); len(got) != n {
		t.Fatalf("%d lines", len(got))
	}
}

func TestBatchBytesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.spool")
	fill(t, path, 50_000)
	r := reader(t, path)
	lines, err := r.ReadFrom(0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, l := range lines {
		size += len(l.Text) + 1
	}
	if size > 100_000 || size < 99_900 {
		t.Fatalf("%d lines of %d bytes", len(lines), size)
	}
}

// TestTornTailIsCut cuts and damages the file at every byte of its last records.
func TestTornTailIsCut(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log.spool")
	fill(t, path, 20)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(dir, "torn.spool")
	check := func(what string, data []byte, least, most int) {
		t.Helper()
		if err := os.WriteFile(torn, data, 0o600); err != nil {
			t.Fatal(err)
		}
		before := readAll(t, reader(t, torn), 100)
		w := open(t, torn, spool.Options{})
		last := int(w.Position().LastSeq)
		if last < least || last > most || len(before) != last {
			t.Fatalf("%s: %d lines read, %d kept, want %d to %d", what, len(before), last, least, most)
		}
		w.Add(fleet.LogLine{Time: noon, Stream: fleet.StreamNote, Text: "after the crash"})
		shut(t, w)
		got := readAll(t, reader(t, torn), 100)
		if len(got) != last+1 || got[last].Text != "after the crash" || last > 0 && got[last-1] != number(last) {
			t.Fatalf("%s: %v", what, got)
		}
	}
	for cut := range len(whole) {
		check(fmt.Sprintf("cut at %d", cut), whole[:cut], 0, 19)
	}
	for at := 8; at < len(whole); at++ {
		bad := slices.Clone(whole)
		bad[at] ^= 0x40
		check(fmt.Sprintf("damaged at %d", at), bad, 0, 19)
	}
	check("zeros behind", append(slices.Clone(whole), make([]byte, 4096)...), 20, 20)
	check("the first page never written", make([]byte, 4096), 0, 0)
}

func TestAnotherFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.spool")
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := spool.Open(path); !errors.Is(err, spool.ErrNotSpool) {
		t.Fatalf("reader: %v", err)
	}
	if _, err := spool.OpenWriter(path, spool.Options{}); !errors.Is(err, spool.ErrNotSpool) {
		t.Fatalf("writer: %v", err)
	}
}

func TestSyncedAboutOnceASecondAndOnlyWhenWritten(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		disk := &disk{room: 1 << 20}
		w := open(t, filepath.Join(dir, "log.spool"), spool.Options{Open: disk.open})
		for range 3000 { // 3 s, a line each millisecond
			w.Add(number(1))
			w.Flush(time.Now())
			time.Sleep(time.Millisecond)
		}
		if n := disk.syncs.Load(); n < 2 || n > 3 {
			t.Fatalf("%d syncs in 3 s", n)
		}
		time.Sleep(time.Hour)
		if n := disk.syncs.Load(); n > 4 {
			t.Fatalf("%d syncs of an idle spool", n)
		}
		before := disk.syncs.Load()
		shut(t, w)
		if disk.syncs.Load() != before+1 {
			t.Fatal("closed without a sync")
		}
	})
}
