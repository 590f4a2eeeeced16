package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/fleet"
)

// fromFixture opens a store that was written with a former schema: testdata holds one of each.
func fromFixture(t *testing.T, name string) *Store {
	t.Helper()
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(path, Create)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Write.Exec(string(text)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := OpenStore(ctx, path, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// columns is every column of every table, in no order.
func columns(t *testing.T, s *Store) []string {
	t.Helper()
	all, err := many(context.Background(), s.db.Read, "read schema", text[string],
		`SELECT m.type || ' ' || m.name || ' ' || coalesce(c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk, m.sql)
		FROM sqlite_schema m LEFT JOIN pragma_table_info(m.name) c WHERE m.name NOT LIKE 'sqlite_%' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryFormerSchemaBecomesTheNewest(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/schema-*.sql")
	if err != nil {
		t.Fatal(err)
	}
	migrations, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if len(fixtures) != len(migrations)-1 {
		t.Errorf("%d fixtures for %d former schemas", len(fixtures), len(migrations)-1)
	}
	want := columns(t, newStore(t))
	for _, f := range fixtures {
		if got := columns(t, fromFixture(t, filepath.Base(f))); !slices.Equal(got, want) {
			t.Errorf("%s became\n%v\nwant\n%v", f, got, want)
		}
	}
}

func TestBackupsOfFormerSchema(t *testing.T) {
	s, ctx := fromFixture(t, "schema-1.sql"), context.Background()
	at := func(micros int64) time.Time { return fromMicros(1764000000000000 + micros) }
	saved := fleet.BackupMark{JobID: "J1", State: fleet.StateSucceeded, At: at(9_000_007), Bytes: 5000, Added: 15}
	want := map[fleet.HostID][]fleet.BackupMark{
		"H1": {saved, {JobID: "J2", State: fleet.StateFailed, At: at(3_660_000_000)}, {JobID: "J3", State: fleet.StateLost, At: at(7_300_000_000)}},
		"H2": {{JobID: "J6", State: fleet.StateCancelled, At: at(7_300_000_000)}},
	}
	err := s.View(ctx, func(r control.Reader) error {
		hosts, err := r.Hosts(ctx)
		for _, h := range hosts {
			if !slices.Equal(h.Backups, want[h.ID]) || (h.LastBackup != nil) != (h.ID == "H1") || h.LastBackup != nil && *h.LastBackup != saved {
				t.Errorf("%s: %+v, last %+v", h.ID, h.Backups, h.LastBackup)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Update(ctx, func(w control.Writer) error { // the truth about J3 comes after the update
		j, err := w.Job(ctx, "J3")
		if err != nil {
			return err
		}
		j.State = fleet.StateWarning
		return w.PutJob(ctx, &j)
	})
	if err != nil {
		t.Fatal(err)
	}
	got := hours(t, s, "SELECT * FROM backup_hours ORDER BY hour")
	if want := []string{"[490000 1 0 0 0 15]", "[490001 0 0 1 0 0]", "[490002 0 1 0 1 0]"}; !slices.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestConsoleOfFormerSchema(t *testing.T) {
	s, ctx := fromFixture(t, "schema-2.sql"), context.Background()
	at := func(micros int64) time.Time { return fromMicros(1764000000000000 + micros) }
	err := s.View(ctx, func(r control.Reader) error {
		page, err := r.SnapshotPage(ctx, control.SnapshotQuery{Limit: 10})
		if err != nil {
			return err
		}
		for i, want := range []fleet.Snapshot{{ID: "aa", HostID: "H1", PlanID: "P1"}, {ID: "dd"}, {ID: "cc", HostID: "H2"}, {ID: "bb"}} {
			if got := page.Items[i]; got.ID != want.ID || got.HostID != want.HostID || got.PlanID != want.PlanID {
				t.Errorf("snapshot %+v, want %+v", got, want)
			}
		}
		v, err := r.Repository(ctx, "R1")
		if err != nil {
			return err
		}
		backup := fleet.JobMark{JobID: "J1", HostID: "H1", State: fleet.StateSucceeded, At: at(9_000_007)}
		check := fleet.JobMark{JobID: "J4", HostID: "H1", State: fleet.StateFailed, Reason: fleet.ReasonRepositoryDamaged, At: at(7_300_000_000)}
		if v.SnapshotCount != 4 || v.ListedAt == nil || !v.ListedAt.Equal(at(7_500_000_003)) || v.LastBackup == nil || *v.LastBackup != backup ||
			v.LastCheck == nil || *v.LastCheck != check {
			t.Errorf("repository %+v, last backup %+v, last check %+v", v, v.LastBackup, v.LastCheck)
		}
		tokens, err := r.Enrolments(ctx, "", 10)
		if err != nil {
			return err
		}
		for i, want := range []fleet.HostID{"H2", "", "H1"} {
			if tokens[i].HostID != want {
				t.Errorf("token %+v, want host %q", tokens[i], want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
