package joblog

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// A commit that failed and is on disk all the same: the writer finds that out before it tries again, and no line is there twice.
func TestFailedCommitThatLanded(t *testing.T) {
	s, job := openBench(t, Config{}), benchJob()
	lines := backupLines(t, 3000)
	acks := make(chan int64, 10)
	add := func(from, to int) {
		t.Helper()
		if _, err := s.Append(job, int64(from)+1, lines[from:to], func(seq int64) { acks <- seq }); err != nil {
			t.Fatal(err)
		}
	}
	add(0, 10)
	<-acks
	LimitPages(t, s, job, 0)
	add(10, 2000)
	sharedtest.Eventually(t, time.Minute, "a failed commit", func() bool { return s.Stats().Failures > 0 })

	landElsewhere(t, s, job, lines[10:2000])
	add(2000, 3000)
	LimitPages(t, s, job, 1<<30)
	for _, want := range []int64{2000, 3000} {
		select {
		case seq := <-acks:
			if seq != want {
				t.Fatalf("ack %d, want %d", seq, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("no ack: %+v", s.Stats())
		}
	}
	if ok, err := s.Seal(t.Context(), job, advance(fleet.LogPosition{}, lines)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	got, err := s.Read(t.Context(), job, 0, 5000)
	if err != nil || !slices.Equal(got, truncated(lines)) {
		t.Fatalf("%d lines, %v", len(got), err)
	}
	if st := s.Stats(); st.PendingBytes != 0 || st.PendingLines != 0 {
		t.Errorf("%+v", st)
	}
}

// landElsewhere puts lines at the end of a job's log, as the writer does, through a connection of its own.
func landElsewhere(t *testing.T, s *Store, job fleet.JobID, lines []fleet.LogLine) {
	t.Helper()
	other, err := openMonth(t.Context(), s.months.path(hintedMonth(job)), sqlite.Existing)
	if err != nil {
		t.Fatal(err)
	}
	landed := func(tx *sql.Tx) error {
		st, err := other.state(t.Context(), job)
		if err != nil {
			return err
		}
		p, err := newPacker(liveLevel)
		if err != nil {
			return err
		}
		var rows []row
		for at, rest := st.end, lines; len(rest) > 0; {
			var part []fleet.LogLine
			part, rest = split(rest, liveLines, liveBytes)
			rows = append(rows, p.pack(at, part))
			at = rows[len(rows)-1].end
		}
		return other.insertTx(t.Context(), tx, st.key, rows)
	}
	if err := other.change(t.Context(), landed); err != nil {
		t.Fatal(err)
	}
	if err := other.close(); err != nil {
		t.Fatal(err)
	}
}

func truncated(lines []fleet.LogLine) []fleet.LogLine {
	lines = slices.Clone(lines)
	for i := range lines {
		lines[i].Time = lines[i].Time.Truncate(time.Microsecond)
	}
	return lines
}
