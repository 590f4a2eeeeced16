package logview_test

import (
	"strings"
	"testing"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
)

func matching(lines []logline.Line, text string) (seqs []int64) {
	for _, l := range lines {
		if strings.Contains(strings.ToLower(l.Text), strings.ToLower(text)) {
			seqs = append(seqs, l.Seq)
		}
	}
	return seqs
}

func TestSearch(t *testing.T) {
	var last logview.SearchState
	s := painted(t, 1, 60_000, func(c *logview.Config) { c.OnSearch = func(st logview.SearchState) { last = st } })
	all := matching(backupLines(1, 60_000), "PERMISSION denied")
	s.view.Reveal(30_000)
	s.view.Search("PERMISSION denied")
	if !s.view.SearchState().Running {
		t.Fatal("it does not run")
	}
	s.searched()
	s.settle()
	at := 0
	for all[at] < 30_000-9 {
		at++
	}
	want := logview.SearchState{Text: "PERMISSION denied", Hits: int64(len(all)), Current: int64(at + 1)}
	if last != want || s.view.SearchState() != want {
		t.Fatalf("told %+v, want %+v", last, want)
	}
	shows := func(seq int64) {
		t.Helper()
		if a, b := s.view.OnScreen(); seq < a || seq > b {
			t.Errorf("lines %d to %d show, and not the hit %d", a, b, seq)
		}
	}
	shows(all[at])
	for range len(all) {
		s.view.NextHit()
		at = (at + 1) % len(all)
		shows(all[at])
	}
	for range len(all) {
		s.view.PrevHit()
		at = (at + len(all) - 1) % len(all)
		shows(all[at])
		if last.Current != int64(at+1) {
			t.Fatalf("at hit %d, told %+v", at+1, last)
		}
	}
	s.view.Append([]logline.Line{{Seq: 60_001, Text: "permission DENIED"}, {Seq: 60_002, Text: "granted"}})
	if last.Hits != int64(len(all)+1) {
		t.Errorf("%d hits with a new one, want %d", last.Hits, len(all)+1)
	}
	s.view.SetLevel(logline.Error)
	if last.Hits != int64(len(all)) {
		t.Errorf("%d hits among errors, want %d", last.Hits, len(all))
	}
	s.view.Search("no such thing")
	s.searched()
	s.view.NextHit()
	s.view.PrevHit()
	if last.Hits != 0 || last.Current != 0 {
		t.Errorf("told %+v", last)
	}
	s.view.Search("")
	if last != (logview.SearchState{}) {
		t.Errorf("told %+v", last)
	}
}

// A new search takes the place of one that runs, and a Reset keeps the text.
func TestSearchAgain(t *testing.T) {
	s := painted(t, 1, 60_000, nil)
	s.view.Search("e")
	s.view.Search("pg_xact")
	s.searched()
	want := int64(len(matching(backupLines(1, 60_000), "pg_xact")))
	if got := s.view.SearchState(); got.Hits != want {
		t.Errorf("%+v, want %d hits", got, want)
	}
	s.view.Reset()
	s.view.Append(backupLines(1, 1000))
	want = int64(len(matching(backupLines(1, 1000), "pg_xact")))
	if got := s.view.SearchState(); got.Hits != want || got.Running || got.Text != "pg_xact" {
		t.Errorf("after a reset %+v, want %d hits", got, want)
	}
}

// Close comes back while a search waits for a UI goroutine that does not listen any more; goleak watches.
func TestCloseStopsASearch(t *testing.T) {
	s := painted(t, 1, 60_000, nil)
	s.view.Search("new")
	s.view.Close()
	if st := s.view.SearchState(); st.Running {
		t.Errorf("%+v", st)
	}
}

// A hit far to the right comes into view.
func TestHitFarRight(t *testing.T) {
	far := strings.Repeat("文 ", 400) + "needle"
	s := newStage(t, theme.Light, 1, panel, nil)
	s.view.Append([]logline.Line{{Seq: 1, Text: far}})
	s.paint()
	s.view.Search("needle")
	s.searched()
	s.settle()
	if n := s.view.Shift(); n > 1190 || n < 1206-100 {
		t.Errorf("column %d is at the left", n)
	}
}
