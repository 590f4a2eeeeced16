package joblog_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/goleak"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

func TestMain(m *testing.M) {
	if childMain() {
		return
	}
	// Each check of the model costs many synchronous commits: fewer than rapid's 100 unless the command line says otherwise.
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const limit = 20 * time.Second

// newJob is an id as the daemon makes them.
func newJob() fleet.JobID { return fleet.JobID(ulid.Make().String()) }

func jobAt(t time.Time) fleet.JobID {
	return fleet.JobID(ulid.MustNew(ulid.Timestamp(t), ulid.DefaultEntropy()).String())
}

// open opens a store that the test closes; closing must not fail.
func open(t testing.TB, cfg joblog.Config) *joblog.Store {
	t.Helper()
	s, err := joblog.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var began = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

// line is line number seq of a provable log.
func line(seq int64) fleet.LogLine {
	return fleet.LogLine{Time: began.Add(time.Duration(seq) * time.Millisecond), Stream: fleet.StreamOut, Text: fmt.Sprintf("line %d", seq)}
}

func numbered(first int64, n int) []fleet.LogLine {
	lines := make([]fleet.LogLine, n)
	for i := range lines {
		lines[i] = line(first + int64(i))
	}
	return lines
}

func position(lines []fleet.LogLine) (p fleet.LogPosition) {
	for _, l := range lines {
		p = p.Add(l)
	}
	return p
}

// appendAll appends and waits until all of it is on disk.
func appendAll(t testing.TB, s *joblog.Store, job fleet.JobID, first int64, lines []fleet.LogLine) {
	t.Helper()
	done := make(chan int64, 1)
	expect, err := s.Append(job, first, lines, func(seq int64) { done <- seq })
	if err != nil || expect < first+int64(len(lines)) {
		t.Fatalf("append %d lines from %d: expects %d, %v", len(lines), first, expect, err)
	}
	select {
	case seq := <-done:
		if seq != first+int64(len(lines))-1 {
			t.Fatalf("ack %d, want %d", seq, first+int64(len(lines))-1)
		}
	case <-time.After(limit):
		t.Fatal("no ack")
	}
}

// readAll reads a job's whole log.
func readAll(t testing.TB, s *joblog.Store, job fleet.JobID, step int) []fleet.LogLine {
	t.Helper()
	var all []fleet.LogLine
	for {
		part, err := s.Read(t.Context(), job, int64(len(all)), step)
		if err != nil {
			t.Fatal(err)
		}
		if len(part) == 0 {
			return all
		}
		if len(part) > step {
			t.Fatalf("Read gave %d lines, asked for %d", len(part), step)
		}
		all = append(all, part...)
	}
}

func same(t testing.TB, got, want []fleet.LogLine) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Text != w.Text || g.Stream != w.Stream || g.Cont != w.Cont || !g.Time.Equal(w.Time.Truncate(time.Microsecond)) {
			t.Fatalf("line %d is %+v, want %+v", i+1, g, w)
		}
	}
}

func TestAppendReadSealReopen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, joblog.Config{Dir: dir})
	job := newJob()
	want := numbered(1, 3000)
	want[7].Text, want[8].Text = "", "\xff\xfe not UTF-8 \x00"
	want[9].Stream, want[10].Stream, want[11].Stream = fleet.StreamErr, fleet.StreamNote, fleet.StreamGap
	want[12].Cont = true
	want[13].Text = strings.Repeat("x", fleet.MaxLineText)
	want[14].Time = time.Time{}
	for i := 0; i < len(want); i += 100 {
		appendAll(t, s, job, int64(i)+1, want[i:i+100])
	}
	same(t, readAll(t, s, job, 777), want)
	pos, err := s.Durable(t.Context(), job)
	if err != nil || pos != position(want) {
		t.Fatalf("durable %+v, %v", pos, err)
	}
	wrong := pos
	wrong.CRC32C++
	for try, p := range []fleet.LogPosition{wrong, {LastSeq: 2999}, pos, pos, wrong} {
		ok, err := s.Seal(t.Context(), job, p)
		if err != nil || ok != (p == pos) {
			t.Errorf("seal %d: %v, %v", try, ok, err)
		}
	}
	if _, err := s.Append(job, 3001, numbered(3001, 1), nil); fault.CodeOf(err) != fault.JobEnded {
		t.Errorf("append to a sealed log: %v", err)
	}
	appendAll(t, s, job, 2990, want[2989:]) // a repetition is acknowledged again
	sharedtest.Eventually(t, limit, "compaction", func() bool { return s.Stats().Compacted == 1 })
	same(t, readAll(t, s, job, 777), want)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, joblog.Config{Dir: dir})
	same(t, readAll(t, s, job, 5000), want)
	if pos, sealed, err := s.Position(t.Context(), job); err != nil || !sealed || pos != position(want) {
		t.Errorf("after reopening: %+v, sealed %v, %v", pos, sealed, err)
	}
	if _, err := s.Append(job, 3001, numbered(3001, 1), nil); fault.CodeOf(err) != fault.JobEnded {
		t.Errorf("append to a sealed log after reopening: %v", err)
	}
}

func TestOverlapAndGap(t *testing.T) {
	s := open(t, joblog.Config{Dir: t.TempDir()})
	job := newJob()
	check := func(first int64, n int, want int64) {
		t.Helper()
		if got, err := s.Append(job, first, numbered(first, n), nil); err != nil || got != want {
			t.Errorf("append %d from %d: expects %d (%v), want %d", n, first, got, err, want)
		}
	}
	check(2, 1, 1) // gap at the very beginning
	check(1, 10, 11)
	check(12, 5, 11) // gap
	check(5, 10, 15) // overlap
	check(3, 4, 15)  // known
	check(1, 0, 15)  // nothing
	differs := numbered(10, 10)
	differs[1].Text = "another text"
	if got, err := s.Append(job, 10, differs, nil); err != nil || got != 20 {
		t.Errorf("append: %d, %v", got, err)
	}
	if n := s.Stats().Conflicts; n != 1 {
		t.Errorf("%d conflicts, want 1", n)
	}
	same(t, readAll(t, s, job, 100), numbered(1, 19)) // what came first stays
	for _, bad := range []func() error{
		func() error { _, err := s.Append(job, 0, numbered(1, 1), nil); return err },
		func() error { _, err := s.Append("../x", 1, numbered(1, 1), nil); return err },
		func() error { _, err := s.Read(t.Context(), "", 0, 1); return err },
		func() error {
			_, err := s.Append(job, 20, []fleet.LogLine{{Text: strings.Repeat("x", fleet.MaxLineText+1)}}, nil)
			return err
		},
	} {
		if err := bad(); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("bad input: %v", err)
		}
	}
}

func TestEmptyLogIsSealed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, joblog.Config{Dir: dir})
	for _, job := range []fleet.JobID{newJob(), "some-id"} {
		if ok, err := s.Seal(t.Context(), job, fleet.LogPosition{LastSeq: 1}); ok || err != nil {
			t.Errorf("seal a line that never came: %v, %v", ok, err)
		}
		if ok, err := s.Seal(t.Context(), job, fleet.LogPosition{}); !ok || err != nil {
			t.Errorf("seal: %v, %v", ok, err)
		}
		if lines := readAll(t, s, job, 10); len(lines) != 0 {
			t.Errorf("%d lines", len(lines))
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, joblog.Config{Dir: dir})
	if _, sealed, err := s.Position(t.Context(), "some-id"); !sealed || err != nil {
		t.Errorf("sealed %v, %v", sealed, err)
	}
}

func TestCloseWritesAndRefuses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, joblog.Config{Dir: dir, Gather: time.Hour})
	job := newJob()
	var mu sync.Mutex
	var acks []int64
	for i := int64(1); i <= 50; i++ {
		if _, err := s.Append(job, i, numbered(i, 1), func(seq int64) { mu.Lock(); acks = append(acks, seq); mu.Unlock() }); err != nil {
			t.Fatal(err)
		}
	}
	tail := s.Tail(job)
	defer tail.Close()
	bell := tail.Bell()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-bell
	mu.Lock()
	for i, seq := range acks {
		if seq != int64(i)+1 {
			t.Fatalf("acks out of order: %v", acks)
		}
	}
	if len(acks) != 50 {
		t.Errorf("%d acks", len(acks))
	}
	mu.Unlock()
	if _, err := s.Append(job, 51, numbered(51, 1), nil); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("append after Close: %v", err)
	}
	if _, err := s.Seal(context.Background(), job, fleet.LogPosition{}); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("seal after Close: %v", err)
	}
	same(t, readAll(t, open(t, joblog.Config{Dir: dir}), job, 100), numbered(1, 50))
}

func TestOpenNeedsTheFolder(t *testing.T) {
	if _, err := joblog.Open(joblog.Config{Dir: t.TempDir() + "/missing"}); err == nil {
		t.Error("opened a folder that is not there")
	}
}
