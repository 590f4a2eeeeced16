package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/fleet"
)

// fataler is a test or a rapid check.
type fataler interface {
	Helper()
	Fatal(...any)
}

// recount counts the jobs as the migration does, which knows nothing of Tally.
func recount(t fataler, s *Store) []string {
	t.Helper()
	raw, err := migrations.ReadFile("migrations/0002_backups.sql")
	if err != nil {
		t.Fatal(err)
	}
	view, rest, _ := strings.Cut(string(raw)[strings.Index(string(raw), "CREATE TEMP VIEW"):], ";")
	fill, _, _ := strings.Cut(rest[strings.Index(rest, "SELECT at / "):], ";")
	_, body, _ := strings.Cut(view, " AS ")
	return hours(t, s, strings.Replace(fill, "temp.ended", "("+body+")", 1)+" ORDER BY 1")
}

func hours(t fataler, s *Store, query string) []string {
	t.Helper()
	lines, err := many(context.Background(), s.db.Read, "read hours", func(row scanner) (string, error) {
		var v [6]int64
		err := row.Scan(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5])
		return fmt.Sprint(v), err
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// However jobs change, the counts are those of the jobs as they are.
func TestCountsAreThoseOfTheJobs(t *testing.T) {
	s, ctx := newStore(t), context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := s.db.Write.Exec("DELETE FROM jobs; DELETE FROM backup_hours"); err != nil {
			rt.Fatal(err)
		}
		at := func(what string) time.Time {
			return time.Unix(1_700_000_000+rapid.Int64Range(0, 4*3600).Draw(rt, what), 999)
		}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			_, err := s.Update(ctx, func(w control.Writer) error {
				if err := w.PutHost(ctx, &fleet.Host{ID: "h", Name: "h"}); err != nil {
					return err
				}
				id := fleet.JobID(fmt.Sprint("j", rapid.IntRange(0, 5).Draw(rt, "job")))
				j, err := w.Job(ctx, id)
				if err != nil {
					j = control.JobRecord{Job: fleet.Job{ID: id, HostID: "h", CreatedAt: at("created"),
						Kind: rapid.SampledFrom([]fleet.JobKind{fleet.KindBackup, fleet.KindBackup, fleet.KindCheck}).Draw(rt, "kind")}}
				}
				j.State, j.UpdatedAt = rapid.SampledFrom(fleet.JobStates[:]).Draw(rt, "state"), at("updated")
				j.FinishedAt, j.Outcome = nil, nil
				if rapid.Bool().Draw(rt, "outcome") {
					finished := at("finished")
					j.FinishedAt = &finished
					j.Outcome = &fleet.Outcome{Summary: &fleet.Summary{Backup: &fleet.BackupSummary{
						DataAddedPacked: rapid.SampledFrom([]int64{-5, 0, 7, 1000, 1 << 62}).Draw(rt, "added")}}}
					if rapid.Bool().Draw(rt, "no summary") {
						j.Outcome.Summary = nil
					}
				}
				if err := w.PutJob(ctx, &j); err != nil {
					return err
				}
				return w.PutJob(ctx, &j) // the same again counts once
			})
			if err != nil {
				rt.Fatal(err)
			}
		}
		got := hours(rt, s, `SELECT * FROM backup_hours WHERE succeeded + warning + failed + cancelled > 0 ORDER BY hour`)
		if want := recount(rt, s); !slices.Equal(got, want) {
			rt.Fatalf("counted %v\njobs    %v", got, want)
		}
	})
}
