package joblog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// follow reads a tail until line n and checks every batch: consecutive, its frame saying the same.
func follow(tail *joblog.Tail, n int64) error {
	defer tail.Close()
	after := int64(0)
	deadline := time.After(limit * 3)
	for after < n {
		bell := tail.Bell()
		for {
			b, ok := tail.Next(after)
			if !ok {
				break
			}
			if b.First != after+1 || b.Count == 0 {
				return fmt.Errorf("after %d came %d lines from %d", after, b.Count, b.First)
			}
			lines, err := framed(b)
			if err != nil {
				return err
			}
			for _, l := range lines {
				after++
				if l.Text != line(after).Text {
					return fmt.Errorf("line %d is %q", after, l.Text)
				}
			}
		}
		if err := tail.Err(); err != nil {
			return err
		}
		if after >= n {
			break
		}
		select {
		case <-bell:
		case <-deadline:
			return fmt.Errorf("stuck after line %d, known %d", after, tail.Known())
		}
	}
	return nil
}

// framed reads a batch's frame the long way and checks that it holds what the batch says.
func framed(b joblog.Batch) ([]fleet.LogLine, error) {
	env, err := agentwire.Decode(b.Frame)
	if err != nil || env.Type != agentwire.TypeLogStream || len(b.Frame) > agentwire.MaxFrame {
		return nil, fmt.Errorf("frame of %d bytes, type %s: %w", len(b.Frame), env.Type, err)
	}
	p, err := agentwire.Payload[agentwire.LogStream](env)
	if err != nil || p.FirstSeq != b.First || int64(len(p.Lines)) != b.Count {
		return nil, fmt.Errorf("frame of %d lines from %d, batch of %d from %d: %w", len(p.Lines), p.FirstSeq, b.Count, b.First, err)
	}
	return p.Lines, nil
}

// Tails that open early, late, and with a ring too small for them all see 1..N.
func TestTailsSeeEverything(t *testing.T) {
	s := open(t, joblog.Config{Dir: t.TempDir(), RingPerJob: 32 << 10, RingTotal: 48 << 10})
	const n = 6000
	jobs := []fleet.JobID{newJob(), newJob()}
	var wg sync.WaitGroup
	reader := func(job fleet.JobID) {
		if err := follow(s.Tail(job), n); err != nil {
			t.Error(err)
		}
	}
	for _, job := range jobs {
		for range 5 {
			wg.Go(func() { reader(job) })
		}
		wg.Go(func() {
			for next := int64(1); next <= n; {
				k := min(1+rand.IntN(200), int(n-next)+1)
				expect, err := s.Append(job, next, numbered(next, k), nil)
				if err != nil {
					t.Error(err)
					return
				}
				if next = expect; next%10 == 0 {
					wg.Go(func() { reader(job) })
				}
			}
		})
	}
	wg.Wait()
	for _, job := range jobs {
		wg.Go(func() { reader(job) })
	}
	wg.Wait()
	if st := s.Stats(); st.Tails != 0 || st.RingBytes > 48<<10 {
		t.Errorf("%+v", st)
	}
}

func TestLargeBatchesFitFrames(t *testing.T) {
	s := open(t, joblog.Config{Dir: t.TempDir(), RingPerJob: 1})
	job := newJob()
	var lines []fleet.LogLine
	for i := range 70 { // more text than one read of the store gives
		lines = append(lines, fleet.LogLine{Time: began, Stream: fleet.StreamErr, Text: strings.Repeat("\x01", fleet.MaxLineText-i)})
	}
	for range 10_000 {
		lines = append(lines, fleet.LogLine{Time: began, Stream: fleet.StreamNote, Text: ""})
	}
	read := func() {
		t.Helper()
		tail := s.Tail(job)
		defer tail.Close()
		var got []fleet.LogLine
		for int64(len(got)) < tail.Known() {
			b, ok := tail.Next(int64(len(got)))
			if !ok {
				t.Fatal(tail.Err())
			}
			some, err := framed(b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, some...)
		}
		same(t, got, lines)
	}
	appendAll(t, s, job, 1, lines)
	read()
	if ok, err := s.Seal(t.Context(), job, position(lines)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	sharedtest.Eventually(t, limit, "compaction", func() bool { return s.Stats().Compacted == 1 })
	read()
	same(t, readAll(t, s, job, 1<<30), lines)
}

func TestProgressAndNotify(t *testing.T) {
	s := open(t, joblog.Config{Dir: t.TempDir()})
	job := newJob()
	s.Notify(job) // nobody there
	tail := s.Tail(job)
	defer tail.Close()
	rung := func(do func()) {
		t.Helper()
		bell := tail.Bell()
		do()
		select {
		case <-bell:
		default:
			t.Error("the bell did not ring")
		}
	}
	if _, ok := tail.Progress(); ok || tail.Known() != 0 || tail.Version() != 0 {
		t.Error("a fresh job has a past")
	}
	rung(func() { s.SetProgress(job, fleet.Progress{Phase: "one"}) })
	rung(func() { s.SetProgress(job, fleet.Progress{Phase: "two"}) })
	if p, ok := tail.Progress(); !ok || p.Phase != "two" {
		t.Errorf("progress %+v, %v", p, ok)
	}
	v := tail.Version()
	rung(func() { s.Notify(job) })
	if tail.Version() == v {
		t.Error("Notify did not change the version")
	}
	rung(func() { appendAll(t, s, job, 1, numbered(1, 1)) })
	if tail.Known() != 1 {
		t.Errorf("known %d", tail.Known())
	}
	invalid := s.Tail("no/job")
	defer invalid.Close()
	if _, ok := invalid.Next(0); ok || invalid.Err() == nil {
		t.Error("an impossible job has a log")
	}
	select {
	case <-invalid.Bell():
		t.Error("an impossible job rings")
	default:
	}
}

// Who comes late is told how far the job was: a point every five seconds of the last five minutes, of this run and this clock only.
func TestPastProgress(t *testing.T) {
	s := open(t, joblog.Config{Dir: t.TempDir()})
	job, start := newJob(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tell := func(second int, bytes int64) {
		s.SetProgress(job, fleet.Progress{At: start.Add(time.Duration(second) * time.Second), BytesDone: bytes})
	}
	tail := s.Tail(job)
	defer tail.Close()
	if len(tail.Past()) != 0 {
		t.Error("a fresh job has a past")
	}
	for second := range 1000 {
		tell(second, int64(second)*10)
	}
	points := tail.Past()
	if len(points) != 60 || points[59] != (fleet.ProgressPoint{At: start.Add(995 * time.Second), BytesDone: 9950}) {
		t.Fatalf("%d points up to %+v", len(points), points[len(points)-1])
	}
	for i, p := range points[1:] {
		if p.At.Sub(points[i].At) != 5*time.Second || p.BytesDone-points[i].BytesDone != 50 {
			t.Errorf("%+v follows on %+v", p, points[i])
		}
	}
	late := s.Tail(job)
	defer late.Close()
	if !slices.Equal(late.Past(), points) {
		t.Error("who comes late is told something else")
	}
	tell(1001, 3) // begun anew
	if points := tail.Past(); len(points) != 1 || points[0].BytesDone != 3 {
		t.Errorf("%+v", points)
	}
	tell(400, 9) // the clock was set back
	if points := tail.Past(); len(points) != 1 || points[0].BytesDone != 9 {
		t.Errorf("%+v", points)
	}
}
