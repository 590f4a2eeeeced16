package sqlite

import (
	"context"

	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/backstay/backstay/shared/fault"
)

var firstStep = fstest.MapFS{"0001_a.sql": {Data: []byte("CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (7);")}}

// with adds a migration to those that there are.
func with(files fstest.MapFS, name, text string) fstest.MapFS {
	out := fstest.MapFS{name: {Data: []byte(text)}}
	for k, v := range files {
		out[k] = v
	}
	return out
}

func migrateFile(t *testing.T, path string, files fstest.MapFS) error {
	t.Helper()
	todo, err := steps(files)
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(path, Create)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return migrate(context.Background(), db, path, todo)
}

func count(t *testing.T, path, query string) (n int) {
	t.Helper()
	db, err := Open(path, Existing)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Read.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestMigrateForward(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := migrateFile(t, path, firstStep); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".schema-0"); err == nil {
		t.Fatal("a new file needs no copy")
	}
	second := with(firstStep, "0002_b.sql", "CREATE TABLE b (id INTEGER); INSERT INTO b SELECT id FROM a;")
	for range 2 { // the second time there is nothing to do
		if err := migrateFile(t, path, second); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, path, "SELECT count(*) FROM b WHERE id = 7"); n != 1 {
		t.Fatalf("%d rows", n)
	}
	before := path + ".schema-1"
	if n := count(t, before, "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')"); n != 1 {
		t.Fatalf("the copy has %d of the tables", n)
	}
	if info, err := os.Stat(before); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("copy: %v %v", info.Mode(), err)
	}
}

func TestMigrateRefusesANewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := migrateFile(t, path, with(firstStep, "0002_b.sql", "CREATE TABLE b (id INTEGER);")); err != nil {
		t.Fatal(err)
	}
	if err := migrateFile(t, path, firstStep); fault.CodeOf(err) != fault.SchemaTooNew {
		t.Fatalf("got %v", err)
	}
}

func TestAMigrationThatFailsLeavesTheFileAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := migrateFile(t, path, firstStep); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"bad statement": "CREATE TABLE b (id INTEGER); INSERT INTO nowhere VALUES (1);",
		// Deferred keys are only looked at in the end, and foreign_key_check itself never fails: its result must be read.
		"missing parent": "CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED); INSERT INTO b VALUES (99);",
	} {
		t.Run(name, func(t *testing.T) {
			err := migrateFile(t, path, with(firstStep, "0002_b.sql", text))
			if err == nil {
				t.Fatal("the migration went through")
			}
			if name == "missing parent" && !strings.Contains(err.Error(), "missing row of a") {
				t.Fatalf("got %v", err)
			}
			if n := count(t, path, "SELECT (SELECT user_version FROM pragma_user_version) * 10 + (SELECT count(*) FROM sqlite_schema WHERE name = 'b')"); n != 10 {
				t.Fatalf("half a migration stayed: %d", n)
			}
		})
	}
	// The next attempt, with a good one, goes through.
	if err := migrateFile(t, path, with(firstStep, "0002_b.sql", "CREATE TABLE b (id INTEGER);")); err != nil {
		t.Fatal(err)
	}
}

func TestStepsAreNumberedWithoutAHole(t *testing.T) {
	for _, files := range []fstest.MapFS{
		with(firstStep, "0003_c.sql", ""), with(firstStep, "b.sql", ""), with(firstStep, "0001_b.sql", ""), {"0000_a.sql": {}},
	} {
		if _, err := steps(files); err == nil {
			t.Errorf("took %v", files)
		}
	}
}

func TestOpenStoreTwice(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	s, err := OpenStore(ctx, path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	epoch := s.Epoch()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenStore(ctx, path, time.Now()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Epoch() != epoch || len(epoch) != 32 {
		t.Fatalf("epoch %q, then %q", epoch, s.Epoch())
	}
	other, err := OpenStore(ctx, filepath.Join(t.TempDir(), "state.db"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.Epoch() == epoch {
		t.Fatal("two stores have one epoch")
	}
}

func TestOpenStoreThatIsTooNew(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "state.db")
	s, err := OpenStore(ctx, path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Write.Exec("PRAGMA user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = OpenStore(ctx, path, time.Now())
	if fault.CodeOf(err) != fault.SchemaTooNew {
		t.Fatalf("got %v", err)
	}
}

// The pragma must reach the writer for the REFERENCES of the schema to mean anything.
func TestForeignKeysAreOn(t *testing.T) {
	s := newStore(t)
	_, err := s.db.Write.Exec("INSERT INTO agents (id, host_id, enrolled_at) VALUES ('a', 'nobody', 0)")
	if err == nil {
		t.Fatal("an agent without a host was taken")
	}
	var n int
	if err := s.db.Write.QueryRow("SELECT count(*) FROM agents").Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d agents, %v", n, err)
	}
}

func newStore(t testing.TB) *Store {
	t.Helper()
	s, err := OpenStore(context.Background(), filepath.Join(t.TempDir(), "state.db"), time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
