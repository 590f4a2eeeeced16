package logstore_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
	"github.com/backstay/backstay/shared/plaintext"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// texts are what lines of a log look like, and what they should not.
var texts = []string{"", "new       /home/x  1.2 MiB", "unchanged /home/文档/預算.docx", "a\tb\tc", strings.Repeat("long ", 60), "é ü ß Straße", "👩\u200d💻 und 🇩🇪",
	"\x1b[31mred\x00\u202e", "cut \xff\xc3", "Error: ERROR error", "e\u0301e\u0301"}

func makeLine(seq int64) logline.Line {
	mix := uint64(seq) * 0x9e3779b97f4a7c15 >> 33
	src := logline.Restic
	if mix%13 == 0 {
		src = logline.Agent
	}
	level := logline.Info
	switch {
	case mix%97 == 0:
		level = logline.Error
	case mix%31 == 0:
		level = logline.Warn
	case mix%3 == 0:
		level = logline.Debug
	}
	return logline.Line{Seq: seq, Time: noon.Add(time.Duration(seq) * time.Millisecond), Level: level, Good: mix%7 == 0, Source: src, Text: texts[mix%uint64(len(texts))]}
}

// run gives n lines from seq on; every gap-th number is left out.
func run(seq int64, n, gap int) []logline.Line {
	var all []logline.Line
	for ; len(all) < n; seq++ {
		if gap > 1 && seq%int64(gap) == 0 {
			continue
		}
		all = append(all, makeLine(seq))
	}
	return all
}

// model is a store that does everything the slow way.
type model struct {
	lines []logline.Line // all that were accepted, in order; what is held is a run of them
	wrap  int
	least logline.Level
}

func (m *model) rows(l logline.Line) int64 {
	if l.Level < m.least {
		return 0
	}
	cols := 0
	cells := logstore.CellsOf([]byte(plaintext.Line(l.Text)))
	for c, ok := cells.Next(); ok; c, ok = cells.Next() {
		cols = c.Col + c.Cols
	}
	if m.wrap == 0 || cols <= m.wrap {
		return 1
	}
	return int64((cols + m.wrap - 1) / m.wrap)
}

type machine struct {
	s    *logstore.Store
	m    model
	hits *logstore.Hits
	hi   int64 // the last number that was given out
}

func (x *machine) add(t *rapid.T) {
	lines := run(x.hi+1, rapid.IntRange(1, 900).Draw(t, "n"), rapid.IntRange(0, 5).Draw(t, "gap"))
	x.hi = lines[len(lines)-1].Seq
	from, cut := x.s.End(), x.s.Cut()
	known := x.s.Append(lines[:min(3, len(lines))])
	n := known + x.s.Append(lines) // some of them for the second time
	switch {
	case cut && n != 0:
		t.Fatalf("%d lines added behind a hole", n)
	case !cut && n != len(lines):
		t.Fatalf("%d of %d lines added", n, len(lines))
	case !cut:
		x.m.lines = append(x.m.lines, lines...)
		x.hits.Search(from, x.s.End())
	}
	x.hits.Trim()
}

func (x *machine) older(t *rapid.T) {
	n, gap := rapid.IntRange(1, 900).Draw(t, "n"), rapid.IntRange(0, 5).Draw(t, "gap")
	if x.s.Len() == 0 {
		return
	}
	lines := run(x.s.FirstSeq()-int64(2*n), n, gap)
	lines = slices.DeleteFunc(lines, func(l logline.Line) bool { return l.Seq >= x.s.FirstSeq() })
	was := x.s.First()
	if got := x.s.Prepend(lines); got != len(lines) {
		t.Fatalf("%d of %d older lines added", got, len(lines))
	}
	x.hits.Search(x.s.First(), was)
	x.hits.Trim()
	at := slices.IndexFunc(x.m.lines, func(l logline.Line) bool { return l.Seq > lines[len(lines)-1].Seq })
	x.m.lines = append(slices.Clone(lines), x.m.lines[max(at, 0):]...)
}

func (x *machine) catchUp(t *rapid.T) {
	if !x.s.Cut() {
		return
	}
	x.m.lines = slices.DeleteFunc(x.m.lines, func(l logline.Line) bool { return l.Seq > x.s.LastSeq() })
	from := x.s.End()
	lines := run(x.s.LastSeq()+1, rapid.IntRange(1, 900).Draw(t, "n"), 0)
	lines = slices.DeleteFunc(lines, func(l logline.Line) bool { return l.Seq > x.hi })
	last := len(lines) == 0 || lines[len(lines)-1].Seq == x.hi
	if n := x.s.Continue(lines, last); n != len(lines) || x.s.Cut() == last {
		t.Fatalf("%d of %d lines added, last %v, cut %v", n, len(lines), last, x.s.Cut())
	}
	x.m.lines = append(x.m.lines, lines...)
	x.hits.Search(from, x.s.End())
	x.hits.Trim()
}

// held are the lines of the model that the store should hold, checked to be many enough.
func (x *machine) held(t *rapid.T, limit int) []logline.Line {
	n := x.s.Len()
	if n == 0 {
		if len(x.m.lines) > 0 {
			t.Fatal("the store is empty")
		}
		return nil
	}
	at := slices.IndexFunc(x.m.lines, func(l logline.Line) bool { return l.Seq == x.s.FirstSeq() })
	if at < 0 || at+n > len(x.m.lines) || x.m.lines[at+n-1].Seq != x.s.LastSeq() {
		t.Fatalf("%d lines from number %d to %d are no run of %d lines", n, x.s.FirstSeq(), x.s.LastSeq(), len(x.m.lines))
	}
	if n > limit || n < len(x.m.lines) && n < limit {
		t.Fatalf("%d lines of %d held, the limit is %d", n, len(x.m.lines), limit)
	}
	return x.m.lines[at : at+n]
}

func (x *machine) check(t *rapid.T, limit int) {
	held := x.held(t, limit)
	q, rows, shown, wantHits := x.hits.Query(), int64(0), int64(0), []logstore.ID(nil)
	sample := rapid.IntRange(20, 200).Draw(t, "sample")
	prev := x.s.First() - 1
	for i, l := range held {
		id := x.s.First() + logstore.ID(i)
		visible := l.Level >= x.m.least
		if i%sample == 0 {
			checkLine(t, x.s.At(id), l)
			if got := x.s.RowsAbove(logstore.Pos{ID: id}); got != rows {
				t.Fatalf("%d rows above line %d, want %d", got, l.Seq, rows)
			}
			if visible {
				row := rapid.Int64Range(0, x.m.rows(l)-1).Draw(t, "row")
				if got, ok := x.s.RowAt(rows + row); !ok || got != (logstore.Pos{ID: id, Row: row}) {
					t.Fatalf("row %d is %+v, want row %d of %d", rows+row, got, row, id)
				}
			}
			if got, ok := x.s.Find(l.Seq); !ok || got != id {
				t.Fatalf("number %d is at %d, want %d", l.Seq, got, id)
			}
		}
		if visible {
			if got, ok := x.s.Next(prev); !ok || got != id {
				t.Fatalf("next to %d is %d, want %d", prev, got, id)
			}
			if got, ok := x.s.Prev(id); ok && got != prev || !ok && shown > 0 {
				t.Fatalf("before %d is %d, want %d", id, got, prev)
			}
			prev = id
			shown++
			if strings.Contains(strings.ToLower(plaintext.Line(l.Text)), strings.ToLower(q.Text())) {
				wantHits = append(wantHits, id)
			}
		}
		rows += x.m.rows(l)
	}
	if x.s.Rows() != rows || x.s.Shown() != shown {
		t.Fatalf("%d rows, %d lines shown, want %d and %d", x.s.Rows(), x.s.Shown(), rows, shown)
	}
	checkHits(t, x.hits, x.s, wantHits)
	checkMarks(t, x, held, rows)
}

func checkLine(t *rapid.T, got logstore.Line, want logline.Line) {
	text := plaintext.Line(want.Text)
	if string(got.Text) != text || got.Seq != want.Seq || got.MS != want.Time.UnixMilli() || got.Level != want.Level || got.Good != want.Good || got.Source != want.Source {
		t.Fatalf("held %+v %q, want %+v", got, got.Text, want)
	}
}

func checkHits(t *rapid.T, h *logstore.Hits, s *logstore.Store, want []logstore.ID) {
	var got []logstore.ID
	for id, ok := h.Next(s.First() - 1); ok; id, ok = h.Next(id) {
		got = append(got, id)
	}
	if !slices.Equal(got, want) || h.Count() != int64(len(want)) {
		t.Fatalf("%d hits counted, %d found, want %d", h.Count(), len(got), len(want))
	}
	got = got[:0]
	for id, ok := h.Prev(s.End()); ok; id, ok = h.Prev(id) {
		if n := h.Rank(id); n != int64(len(want)-1-len(got)) {
			t.Fatalf("hit %d has rank %d", id, n)
		}
		got = append(got, id)
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		t.Fatalf("%d hits backwards, want %d", len(got), len(want))
	}
}

// checkMarks: every error, warning and hit has a mark at its place or, in a long log, just before it, and no mark is without one.
func checkMarks(t *rapid.T, x *machine, held []logline.Line, rows int64) {
	const places = 8
	var got, want [places]logstore.Mark
	x.s.Marks(got[:], x.hits)
	row, exact := int64(0), rows/places < 256
	for i, l := range held {
		n := x.m.rows(l)
		if n == 0 {
			continue
		}
		place := row * places / rows
		row += n
		if l.Level == logline.Warn {
			want[place] |= logstore.MarkWarn
		}
		if l.Level == logline.Error {
			want[place] |= logstore.MarkError
		}
		if x.hits.Has(x.s.First() + logstore.ID(i)) {
			want[place] |= logstore.MarkHit
		}
	}
	if exact && got != want {
		t.Fatalf("marks %v, want %v", got, want)
	}
	var a, b logstore.Mark
	for i := range places {
		a, b = a|got[i], b|want[i]
	}
	if a != b {
		t.Fatalf("marks %v, want %v", got, want)
	}
}

func TestStoreIsWhatAListWouldBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 4096
		x := &machine{s: logstore.New(logstore.Limits{Lines: limit, Bytes: 64 << 20})}
		x.hi = rapid.Int64Range(-5, 1<<40).Draw(t, "first")
		x.hits = logstore.NewHits(x.s, logstore.NewQuery(rapid.SampledFrom([]string{"e", "ERROR", "straße", "文", `\x1b`, "\t", "none", "é"}).Draw(t, "query")))
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"add", "add", "older", "older", "catch up", "wrap", "level", "reset"}).Draw(t, "step") {
			case "add":
				x.add(t)
			case "older":
				x.older(t)
			case "catch up":
				x.catchUp(t)
			case "wrap":
				x.m.wrap = rapid.SampledFrom([]int{0, 1, 7, 80}).Draw(t, "wrap")
				x.s.SetWrap(x.m.wrap)
			case "level":
				x.m.least = logline.Level(rapid.IntRange(0, 3).Draw(t, "level"))
				x.s.SetLevel(x.m.least)
			case "reset":
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					x.s.Reset()
					x.m.lines = nil
					x.hits = logstore.NewHits(x.s, x.hits.Query())
				}
			}
		}
		x.check(t, limit)
	})
}

// A search in a snapshot finds what a search in the store finds, also when it starts in the middle and the store moves on.
func TestSnapshotSearch(t *testing.T) {
	s := logstore.New(logstore.DefaultLimits)
	s.Append(run(1, 120_000, 0))
	want, got := logstore.NewHits(s, logstore.NewQuery("error")), logstore.NewHits(s, logstore.NewQuery("error"))
	want.Search(s.First(), s.End())
	snap, end := s.Snapshot(70_000), s.End()
	done := make(chan struct{})
	var found [][]logstore.Found
	go func() {
		defer close(done)
		for more := true; more; {
			var f []logstore.Found
			f, more = snap.Search(t.Context(), got.Query())
			found = append(found, f)
		}
	}()
	s.Append(run(120_001, 5000, 0))
	s.Prepend(nil)
	<-done
	if len(found) != 3 {
		t.Errorf("120,000 lines in %d slices", len(found))
	}
	for _, f := range found {
		got.Add(f)
	}
	if got.Count() != want.Count() || got.Count() == 0 {
		t.Errorf("%d hits, want %d", got.Count(), want.Count())
	}
	got.Search(end, s.End())
	want.Search(end, s.End())
	if got.Count() != want.Count() {
		t.Errorf("%d hits with the newest, want %d", got.Count(), want.Count())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, more := s.Snapshot(0).Search(ctx, got.Query()); len(f) > 0 || more {
		t.Error("a search goes on that was stopped")
	}
}

func TestLongLinesAreBounded(t *testing.T) {
	s := logstore.New(logstore.Limits{Lines: 5000, Bytes: 16 << 20})
	for i := range int64(1000) {
		s.Append([]logline.Line{{Seq: i + 1, Time: noon, Text: strings.Repeat("\x00", 8<<10)}})
	}
	if n := s.Len(); n < 15*31 || n > 16*31 {
		t.Errorf("%d lines of 32 KiB held", n)
	}
	s.Append([]logline.Line{{Seq: 1001, Time: noon, Text: strings.Repeat("\x00", 64<<10)}})
	l := s.At(s.End() - 1)
	if len(l.Text) != 256<<10 || !l.ASCII || l.Cols != len(l.Text) {
		t.Errorf("%d bytes, %d columns", len(l.Text), l.Cols)
	}
}

func ExampleQuery() {
	q := logstore.NewQuery("straße K")
	text := []byte("in der STRASSE, der STRAẞE \u212aK")
	fmt.Println(q.Find(text, 0))
	fmt.Println(q.In([]byte("straẞe k")), logstore.NewQuery("").In(text))
	// Output:
	// 20 32
	// true false
}
