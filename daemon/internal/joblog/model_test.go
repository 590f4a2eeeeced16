package joblog_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/fleet"
)

func background() context.Context { return context.Background() }

// model is what a job's log must be.
type model struct {
	id     fleet.JobID
	lines  []fleet.LogLine // received, in order
	sealed bool
	sureOf int64 // acknowledged: guarded by machine.mu
}

// machine runs the store against models. Commits are an hour apart unless something hurries them, so that a crash finds lines in
// memory.
type machine struct {
	t     *testing.T
	dir   string
	cfg   joblog.Config
	store *joblog.Store
	jobs  []*model
	mu    sync.Mutex
}

func (m *machine) open(t *rapid.T) {
	m.cfg.Dir = m.dir
	s, err := joblog.Open(m.cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.store = s
}

func (m *machine) job(t *rapid.T) *model { return rapid.SampledFrom(m.jobs).Draw(t, "job") }

func (m *machine) Append(t *rapid.T) {
	j := m.job(t)
	have := int64(len(j.lines))
	first := max(1, have+1+rapid.Int64Range(-30, 3).Draw(t, "shift"))
	n := rapid.IntRange(0, 60).Draw(t, "lines")
	lines := make([]fleet.LogLine, n)
	for i := range lines {
		if k := first + int64(i); k <= have {
			lines[i] = j.lines[k-1]
			continue
		}
		lines[i] = fleet.LogLine{
			Time:   began.Truncate(time.Microsecond).Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "time")) * time.Microsecond),
			Stream: rapid.SampledFrom([]fleet.LogStream{fleet.StreamOut, fleet.StreamErr, fleet.StreamNote, fleet.StreamGap}).Draw(t, "stream"),
			Text:   string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "text")),
			Cont:   rapid.Bool().Draw(t, "cont"),
		}
	}
	last := first + int64(n) - 1
	expect, err := m.store.Append(j.id, first, slices.Clone(lines), func(seq int64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		j.sureOf = max(j.sureOf, seq)
	})
	switch {
	case n == 0 || first > have+1 || last <= have:
		if expect != have+1 || err != nil {
			t.Fatalf("append %d from %d onto %d: %d, %v", n, first, have, expect, err)
		}
	case j.sealed:
		if err == nil {
			t.Fatal("a sealed log took lines")
		}
	default:
		j.lines = append(j.lines, lines[have+1-first:]...)
		if expect != last+1 || err != nil {
			t.Fatalf("append %d from %d onto %d: %d, %v", n, first, have, expect, err)
		}
	}
}

func (m *machine) Seal(t *rapid.T) {
	j := m.job(t)
	want := position(j.lines)
	right := rapid.Bool().Draw(t, "right")
	if !right {
		want.Bytes++
	}
	ok, err := m.store.Seal(background(), j.id, want)
	if err != nil || ok != right {
		t.Fatalf("seal: %v, %v", ok, err)
	}
	j.sealed = j.sealed || ok
	if pos, err := m.store.Durable(background(), j.id); err != nil || pos != position(j.lines) {
		t.Fatalf("durable after seal: %+v, %v", pos, err)
	}
}

func (m *machine) Read(t *rapid.T) {
	j := m.job(t)
	after := rapid.Int64Range(0, int64(len(j.lines))+2).Draw(t, "after")
	n := rapid.IntRange(0, 300).Draw(t, "n")
	got, err := m.store.Read(background(), j.id, after, n)
	if err != nil {
		t.Fatal(err)
	}
	want := j.lines[min(after, int64(len(j.lines))):]
	equal(t, got, want[:min(n, len(want))])
}

func (m *machine) Tail(t *rapid.T) {
	j := m.job(t)
	tail := m.store.Tail(j.id)
	defer tail.Close()
	after := rapid.Int64Range(0, int64(len(j.lines))).Draw(t, "after")
	var got []fleet.LogLine
	for {
		b, ok := tail.Next(after + int64(len(got)))
		if !ok {
			break
		}
		some, err := framed(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, some...)
	}
	equal(t, got, j.lines[after:])
	if tail.Known() != int64(len(j.lines)) || tail.Err() != nil {
		t.Fatalf("known %d of %d, %v", tail.Known(), len(j.lines), tail.Err())
	}
}

// Crash goes on with a copy of the files: what was in memory only is gone, what was acknowledged is not.
func (m *machine) Crash(t *rapid.T) {
	if rapid.Bool().Draw(t, "gently") {
		if err := m.store.Close(); err != nil {
			t.Fatal(err)
		}
		for _, j := range m.jobs {
			if m.sure(j) != j.lastLine() {
				t.Fatalf("closed, but %d of %d acknowledged", m.sure(j), len(j.lines))
			}
		}
	}
	sure := make([]int64, len(m.jobs))
	for i, j := range m.jobs {
		sure[i] = m.sure(j)
	}
	m.dir = copyStore(m.t, m.dir)
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	m.open(t)
	for i, j := range m.jobs {
		pos, sealed, err := m.store.Position(background(), j.id)
		if err != nil || pos.LastSeq < sure[i] || pos.LastSeq > int64(len(j.lines)) || sealed != j.sealed {
			t.Fatalf("after a crash: %+v of %d, acknowledged %d, sealed %v, %v", pos, len(j.lines), sure[i], sealed, err)
		}
		j.lines = j.lines[:pos.LastSeq]
		m.mu.Lock()
		j.sureOf = pos.LastSeq
		m.mu.Unlock()
		if pos != position(j.lines) {
			t.Fatalf("position %+v", pos)
		}
	}
}

func (m *machine) sure(j *model) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return j.sureOf
}

func (j *model) lastLine() int64 { return int64(len(j.lines)) }

func equal(t *rapid.T, got, want []fleet.LogLine) {
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Text != w.Text || g.Stream != w.Stream || g.Cont != w.Cont || !g.Time.Equal(w.Time) {
			t.Fatalf("line %d of the answer is %+v, want %+v", i, g, w)
		}
	}
}

func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: t, dir: t.TempDir(), cfg: joblog.Config{
			Gather:     time.Hour,
			RingPerJob: rapid.SampledFrom([]int64{1, 4 << 10, 1 << 20}).Draw(rt, "ring"),
			IdleAfter:  50 * time.Millisecond,
		}}
		for i := range 3 {
			m.jobs = append(m.jobs, &model{id: fleet.JobID(fmt.Sprintf("job-%d", i))})
		}
		m.jobs[0].id, m.jobs[1].id = newJob(), "slot:plan:host:2026-02-01T00:00:00Z"
		m.open(rt)
		defer func() {
			if err := m.store.Close(); err != nil {
				rt.Error(err)
			}
		}()
		rt.Repeat(map[string]func(*rapid.T){"append": m.Append, "seal": m.Seal, "read": m.Read, "tail": m.Tail, "crash": m.Crash})
	})
}
