package joblog_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".db") {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestMonthOfAJob(t *testing.T) {
	now := time.Date(2026, 7, 31, 23, 59, 0, 0, time.UTC)
	for id, want := range map[fleet.JobID]string{
		jobAt(time.Date(2026, 3, 31, 23, 59, 59, 0, time.UTC)): "202603",
		jobAt(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)):     "202604",
		"slot:01PLAN:01HOST:2026-05-06T07:08:09Z":              "202605",
		"slot:01PLAN:01HOST:2026-05-06T07:08Z":                 "202605",
		"slot:01PLAN:01HOST:20260606T070809Z":                  "202606",
		"slot:01PLAN:01HOST:9999-05-06T07:08:09Z":              "202607",
		"slot:01PLAN:01HOST:tomorrow":                          "202607",
		"slot:2026-05-06T07:08:09Z":                            "202607",
		"any-other.id":                                         "202607",
	} {
		dir := t.TempDir()
		s := open(t, joblog.Config{Dir: dir, Clock: func() time.Time { return now }})
		appendAll(t, s, id, 1, numbered(1, 3))
		if got := files(t, dir); !slices.Equal(got, []string{"logs-" + want + ".db"}) {
			t.Errorf("%s is in %v, want %s", id, got, want)
		}
	}
}

// A job whose id tells no time stays in the month of its first line, whoever asks, however late.
func TestOddIDIsFoundAgain(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	var want []fleet.LogLine
	for month := range 6 {
		at := now.AddDate(0, 0, month*31)
		s := open(t, joblog.Config{Dir: dir, Clock: func() time.Time { return at }})
		appendAll(t, s, fleet.JobID(fmt.Sprintf("filler-%d", month)), 1, numbered(1, 1))
		first := int64(len(want)) + 1
		appendAll(t, s, "odd", first, numbered(first, 10))
		want = append(want, numbered(first, 10)...)
		same(t, readAll(t, s, "odd", 7), want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(files(t, dir)); n != 6 {
		t.Errorf("%d files", n)
	}
	s := open(t, joblog.Config{Dir: dir})
	if lines := readAll(t, s, "never-seen", 10); len(lines) != 0 {
		t.Errorf("%d lines of an unknown job", len(lines))
	}
}

func TestRetention(t *testing.T) {
	dir := t.TempDir()
	s := open(t, joblog.Config{Dir: dir})
	jobs := map[string]fleet.JobID{}
	for month := time.January; month <= time.June; month++ {
		job := jobAt(time.Date(2026, month, 15, 0, 0, 0, 0, time.UTC))
		jobs[fmt.Sprintf("logs-2026%02d.db", month)] = job
		appendAll(t, s, job, 1, numbered(1, 10))
	}
	held := jobs["logs-202602.db"]
	tail := s.Tail(held)
	defer tail.Close()
	drop := func() []string {
		t.Helper()
		var gone []string
		// The writer lets go of a job just after the last ack of it.
		sharedtest.Eventually(t, limit, "months dropped", func() bool {
			now, err := s.DropBefore(time.Date(2026, 4, 30, 0, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			gone = append(gone, now...)
			return len(files(t, dir)) <= 4 && len(gone) > 0
		})
		return gone
	}
	if gone := drop(); !slices.Equal(gone, []string{"202601", "202603"}) {
		t.Errorf("dropped %v", gone)
	}
	want := []string{"logs-202602.db", "logs-202604.db", "logs-202605.db", "logs-202606.db"}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %v", got)
	}
	for name, job := range jobs {
		lines := readAll(t, s, job, 100)
		if kept := slices.Contains(want, name); kept && len(lines) != 10 || !kept && len(lines) != 0 {
			t.Errorf("%s: %d lines", name, len(lines))
		}
	}
	tail.Close()
	if gone := drop(); !slices.Equal(gone, []string{"202602"}) {
		t.Errorf("dropped %v", gone)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), "202601") || strings.Contains(e.Name(), "202602") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// A job that nobody uses leaves memory, and comes back from the disk.
func TestIdleJobsAreForgotten(t *testing.T) {
	s := open(t, joblog.Config{Dir: t.TempDir(), IdleAfter: 10 * time.Millisecond})
	var jobs []fleet.JobID
	for range 20 {
		job := newJob()
		jobs = append(jobs, job)
		appendAll(t, s, job, 1, numbered(1, 10))
	}
	tail := s.Tail(jobs[0])
	sharedtest.Eventually(t, limit, "all but the tailed job forgotten", func() bool { return s.Stats().Jobs == 1 })
	tail.Close()
	sharedtest.Eventually(t, limit, "all jobs forgotten", func() bool { return s.Stats().Jobs == 0 })
	if st := s.Stats(); st.RingBytes != 0 || st.PendingBytes != 0 || st.PendingLines != 0 {
		t.Errorf("%+v", st)
	}
	for _, job := range jobs {
		appendAll(t, s, job, 6, numbered(6, 10))
		same(t, readAll(t, s, job, 100), numbered(1, 15))
	}
}

// Sealing and stopping at once leaves the compaction to the next start.
func TestCompactionAfterRestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, joblog.Config{Dir: dir})
	job := newJob()
	const n = 30_000
	for i := int64(1); i <= n; i += 500 {
		appendAll(t, s, job, i, numbered(i, 500))
	}
	if ok, err := s.Seal(t.Context(), job, position(numbered(1, n))); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s = open(t, joblog.Config{Dir: dir})
		same(t, readAll(t, s, job, 10_000), numbered(1, n))                                                  // while it is rewritten
		sharedtest.Eventually(t, limit, "long chunks", func() bool { return joblog.Chunks(t, s, job) < 40 }) // 120 as they came
		same(t, readAll(t, s, job, 10_000), numbered(1, n))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
