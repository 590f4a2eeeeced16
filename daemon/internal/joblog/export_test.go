package joblog

import (
	"fmt"
	"testing"

	"github.com/backstay/backstay/shared/fleet"
)

// LimitPages lets the file of a job grow to n pages and no further; to its present size when n is smaller.
func LimitPages(t *testing.T, s *Store, job fleet.JobID, n int) {
	t.Helper()
	f, err := s.file(t.Context(), hintedMonth(job), false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.giveBack(f)
	if _, err := f.db.Write.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", max(n, 1))); err != nil {
		t.Fatal(err)
	}
}

// Chunks counts the chunks of a job.
func Chunks(t *testing.T, s *Store, job fleet.JobID) (n int) {
	t.Helper()
	f, err := s.file(t.Context(), hintedMonth(job), false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.giveBack(f)
	err = f.db.Read.QueryRowContext(t.Context(), `SELECT count(*) FROM chunks JOIN jobs ON jobs.id = chunks.job
		WHERE jobs.job_id = ?`, string(job)).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
