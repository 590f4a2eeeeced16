package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// explain gives SQLite's plan of a query, line by line.
func explain(t *testing.T, s *Store, query string, args []any) []string {
	t.Helper()
	rows, err := s.db.Read.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// boundedPlan fails unless rows of the table are reached only by their number or from the cursor on, in the order of the list.
func boundedPlan(t *testing.T, table string, lines []string, byCursor *regexp.Regexp) {
	t.Helper()
	byNumber := "SEARCH " + table + " USING INTEGER PRIMARY KEY (rowid=?)"
	cursors := 0
	for _, line := range lines {
		switch {
		case line == byNumber:
		case byCursor.MatchString(line):
			cursors++
		case strings.HasPrefix(line, "SEARCH "+table), strings.HasPrefix(line, "SCAN "+table):
			t.Fatalf("%q reads without bound:\n%s", line, strings.Join(lines, "\n"))
		}
	}
	if cursors == 0 || !slices.Contains(lines, byNumber) {
		t.Fatalf("unexpected plan:\n%s", strings.Join(lines, "\n"))
	}
}

func TestEveryFilterOfJobsHasAnIndex(t *testing.T) {
	s := newStore(t)
	cursor := regexp.MustCompile(`^SEARCH jobs USING (INTEGER PRIMARY KEY|COVERING INDEX jobs_\w+) \(.*(rowid|n)<\?\)$`)
	some := []fleet.JobState{fleet.StateFailed, fleet.StateLost}
	for mask := range 1 << 5 {
		for _, states := range [][]fleet.JobState{nil, some[:1], some, fleet.JobStates[:]} {
			q := control.JobQuery{States: states, Limit: 50}
			for i, set := range []func(){func() { q.HostID = "h" }, func() { q.PlanID = "p" }, func() { q.RepositoryID = "r" },
				func() { q.Kind = fleet.KindBackup }, func() { q.Text = "x" }} {
				if mask&(1<<i) != 0 {
					set()
				}
			}
			p := planJobPage(q, 1000)
			boundedPlan(t, "jobs", explain(t, s, p.sql, p.args), cursor)
		}
	}
}

func TestEveryFilterOfSnapshotsHasAnIndex(t *testing.T) {
	s := newStore(t)
	cursor := regexp.MustCompile(`^SEARCH snapshots USING COVERING INDEX snapshots_\w+ \(.*\(?time(,id)?(,repository_id)?\)?<`)
	for mask := range 1 << 5 {
		q := control.SnapshotQuery{Limit: 50}
		if mask&1 != 0 {
			q.RepositoryID = "r"
		}
		if mask&2 != 0 {
			q.Hostname = "h"
		}
		if mask&4 != 0 {
			q.Tag = "t"
		}
		if mask&8 != 0 {
			q.HostID = "h"
		}
		if mask&16 != 0 {
			q.PlanID = "p"
		}
		p := planSnapshotPage(q, snapshotKey{time: 5})
		boundedPlan(t, "snapshots", explain(t, s, p.sql, p.args), cursor)
	}
}

func TestOtherLookUpsOfJobsHaveAnIndex(t *testing.T) {
	s := newStore(t)
	for _, query := range []string{
		"SELECT n FROM jobs WHERE ended = 0 AND host_id = 'h' ORDER BY n",
		"SELECT id, n, created_at FROM jobs WHERE state = 'queued' ORDER BY n LIMIT 500",
		"SELECT id FROM jobs WHERE repository_id = 'r' AND state = 'running' ORDER BY n LIMIT 1",
		"SELECT 1 FROM jobs WHERE id = 'x'",
	} {
		lines := explain(t, s, query, nil)
		if text := strings.Join(lines, "\n"); !strings.Contains(text, "SEARCH jobs USING") || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("%s:\n%s", query, text)
		}
	}
}

// jobsOf is a store with hosts h0.., plans, repositories and jobs as draw makes them.
func storeWithJobs(t testing.TB, s *Store, n int, draw func(i int) fleet.Job) []fleet.Job {
	t.Helper()
	ctx := context.Background()
	var all []fleet.Job
	for from := 0; from < n; from += 5000 {
		_, err := s.Update(ctx, func(w control.Writer) error {
			if from == 0 {
				for i := range 3 {
					h := fleet.Host{ID: fleet.HostID(fmt.Sprint("h", i)), Name: fmt.Sprint("web", i)}
					if err := w.PutHost(ctx, &h); err != nil {
						return err
					}
				}
			}
			for i := from; i < min(n, from+5000); i++ {
				j := control.JobRecord{Job: draw(i)}
				if err := w.PutJob(ctx, &j); err != nil {
					return err
				}
				all = append(all, j.Job)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Reverse(all) // newest first
	return all
}

func pages(t interface {
	Fatalf(string, ...any)
	Helper()
}, s *Store, q control.JobQuery) (got []fleet.JobID, short int) {
	t.Helper()
	ctx := context.Background()
	for {
		var page api.Page[fleet.Job]
		err := s.View(ctx, func(r control.Reader) (err error) {
			page, err = r.JobPage(ctx, q)
			return err
		})
		if err != nil {
			t.Fatalf("page: %v", err)
		}
		if len(page.Items) > q.Limit {
			t.Fatalf("%d items on a page of %d", len(page.Items), q.Limit)
		}
		for _, j := range page.Items {
			got = append(got, j.ID)
		}
		if page.Next == "" {
			return got, short
		}
		if len(page.Items) < q.Limit {
			short++
		}
		q.Cursor = page.Next
	}
}

func TestPagesOfJobsAreTheWholeList(t *testing.T) {
	s := newStore(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	all := storeWithJobs(t, s, 150, func(i int) fleet.Job {
		return fleet.Job{ID: fleet.JobID(fmt.Sprintf("%08d", rnd.IntN(1e7)*100+i)), // ids in no order
			HostID: fleet.HostID(pick("h0", "h1", "h2")), PlanID: fleet.PlanID(pick("", "p1", "p2")),
			RepositoryID: fleet.RepositoryID(pick("r1", "r2")), Kind: fleet.JobKinds[rnd.IntN(len(fleet.JobKinds))],
			State: fleet.JobStates[rnd.IntN(len(fleet.JobStates))], CreatedBy: pick("ada", "bob")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		q := control.JobQuery{Limit: rapid.IntRange(1, 40).Draw(rt, "limit"),
			States:       rapid.SliceOfNDistinct(rapid.SampledFrom(fleet.JobStates[:]), 0, 5, rapid.ID).Draw(rt, "states"),
			HostID:       rapid.SampledFrom([]fleet.HostID{"", "h0", "h1"}).Draw(rt, "host"),
			PlanID:       rapid.SampledFrom([]fleet.PlanID{"", "p1"}).Draw(rt, "plan"),
			RepositoryID: rapid.SampledFrom([]fleet.RepositoryID{"", "r1"}).Draw(rt, "repository"),
			Kind:         rapid.SampledFrom([]fleet.JobKind{"", "backup", "check"}).Draw(rt, "kind"),
			Text:         rapid.SampledFrom([]string{"", "WEB1", "ad", "_"}).Draw(rt, "text")}
		var want []fleet.JobID
		for _, j := range all {
			if matches(q, control.JobRecord{Job: j}) && matchesText(q.Text, j) {
				want = append(want, j.ID)
			}
		}
		if got, _ := pages(rt, s, q); !slices.Equal(got, want) {
			rt.Fatalf("%+v: got %v, want %v", q, got, want)
		}
	})
}

func matchesText(text string, j fleet.Job) bool {
	host := strings.Replace(string(j.HostID), "h", "web", 1)
	return text == "" || strings.Contains(j.CreatedBy, strings.ToLower(text)) || strings.Contains(host, strings.ToLower(text))
}

func TestARareJobIsFoundWindowByWindow(t *testing.T) {
	s := newStore(t)
	rare := map[int]bool{0: true, 5: true, 2000: true, 3199: true}
	all := storeWithJobs(t, s, 3_200, func(i int) fleet.Job {
		j := fleet.Job{ID: fleet.JobID(fmt.Sprint("J", i)), HostID: "h0", PlanID: "p", RepositoryID: "r", Kind: fleet.KindBackup, State: fleet.StateSucceeded}
		if rare[i] {
			j.PlanID = "rare"
		}
		return j
	})
	got, short := pages(t, s, control.JobQuery{HostID: "h0", PlanID: "rare", Limit: 50})
	if !slices.Equal(got, []fleet.JobID{"J3199", "J2000", "J5", "J0"}) || short != 3_200/scanWindow {
		t.Fatalf("got %v with %d short pages", got, short)
	}
	if got, _ := pages(t, s, control.JobQuery{HostID: "h0", Limit: 500}); len(got) != len(all) {
		t.Fatalf("%d of %d", len(got), len(all))
	}
	if got, _ := pages(t, s, control.JobQuery{Text: "J2000xx", Limit: 50}); len(got) != 0 {
		t.Fatalf("got %v", got)
	}
}

func TestTimesComeBackAsTheyWerePublished(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("x", 3600))
	rows, err := s.Update(ctx, func(w control.Writer) error {
		h := fleet.Host{ID: "h", Name: "h", EnrolledAt: at, LastSeenAt: &at}
		if err := w.PutHost(ctx, &h); err != nil {
			return err
		}
		return w.PutJob(ctx, &control.JobRecord{Job: fleet.Job{ID: "j", HostID: "h", State: fleet.StateRunning, CreatedAt: at, UpdatedAt: at, StartedAt: &at}})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(ctx, func(r control.Reader) error {
		listed, rev, err := r.WatchRows(ctx, 10)
		if err != nil || rev != 2 || len(listed) != 2 {
			t.Fatalf("rows %v at %d: %v", listed, rev, err)
		}
		for i := range listed {
			got, _ := toJSON(listed[i])
			want, _ := toJSON(rows[i])
			if got != want {
				t.Fatalf("listed %s\npublished %s", got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
