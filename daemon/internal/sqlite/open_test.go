package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/backstay/backstay/shared/fault"
)

func open(t *testing.T, path string, mode Mode) *DB {
	t.Helper()
	db, err := Open(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func must(t *testing.T, db *DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Write.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Every connection of both pools must have the settings, not just the first one.
func TestEveryConnectionHasTheSettings(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "100% odd ?name#;&.db"), Create)
	must(t, db, "CREATE TABLE t (a)")
	check := func(who, pragma, want string, query func(string) (string, error)) {
		got, err := query("PRAGMA " + pragma)
		if err != nil || got != want {
			t.Errorf("%s: %s is %q (%v), want %q", who, pragma, got, err, want)
		}
	}
	for i := range max(4, runtime.NumCPU()) {
		conn, err := db.Read.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		q := func(s string) (v string, err error) { err = conn.QueryRowContext(t.Context(), s).Scan(&v); return }
		who := fmt.Sprintf("reader %d", i)
		check(who, "query_only", "1", q)
		check(who, "busy_timeout", "10000", q)
		check(who, "foreign_keys", "1", q)
		check(who, "wal_autocheckpoint", "0", q)
		check(who, "mmap_size", "0", q)
		if _, err := conn.ExecContext(t.Context(), "INSERT INTO t VALUES (1)"); err == nil {
			t.Errorf("%s could write", who)
		}
	}
	q := func(s string) (v string, err error) { err = db.Write.QueryRowContext(t.Context(), s).Scan(&v); return }
	check("writer", "journal_mode", "wal", q)
	check("writer", "synchronous", "2", q)
	check("writer", "busy_timeout", "10000", q)
	check("writer", "foreign_keys", "1", q)
	check("writer", "query_only", "0", q)
	check("writer", "mmap_size", "0", q)
	check("writer", "wal_autocheckpoint", "1000", q)
}

// BEGIN of the writer takes the write lock at once: another process cannot slip in between a read and the write after it.
func TestTransactionsAreImmediate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path, Create)
	tx, err := db.Write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, path, ReadOnly)
	if _, err := other.Read.ExecContext(t.Context(), "PRAGMA query_only=0; PRAGMA busy_timeout=0; BEGIN IMMEDIATE"); err == nil {
		t.Error("a second writer could begin")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

func TestWritersQueueAndReadersGoOn(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"), Create)
	must(t, db, "CREATE TABLE t (a INTEGER NOT NULL)")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				if _, err := db.Write.ExecContext(t.Context(), "INSERT INTO t VALUES (?)", i); err != nil {
					t.Error(err)
				}
				var n int
				if err := db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	if err := db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 400 {
		t.Errorf("%d rows (%v), want 400", n, err)
	}
}

func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	for _, mode := range []Mode{Existing, ReadOnly} {
		if _, err := Open(path, mode); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of a missing file: %v", mode, err)
		}
	}
	db := open(t, path, Create)
	must(t, db, "CREATE TABLE t (a PRIMARY KEY); ")
	must(t, db, "INSERT INTO t VALUES (1)")
	if runtime.GOOS != "windows" {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			st, err := os.Stat(path + suffix)
			if err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("mode of %q: %v, %v", suffix, st.Mode(), err)
			}
		}
	}
	again := open(t, path, Create)
	var n int
	if err := again.Read.QueryRowContext(t.Context(), "SELECT a FROM t").Scan(&n); err != nil || n != 1 {
		t.Errorf("read %d, %v", n, err)
	}
	if ro := open(t, path, ReadOnly); ro.Write != nil {
		t.Error("ReadOnly has a writer")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestUnique(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"), Create)
	must(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE, c TEXT NOT NULL)")
	must(t, db, "INSERT INTO t VALUES (1, 'x', '')")
	for query, want := range map[string]bool{
		"INSERT INTO t VALUES (1, 'y', '')":   true,
		"INSERT INTO t VALUES (2, 'x', '')":   true,
		"INSERT INTO t VALUES (2, 'y', NULL)": false,
		"INSERT INTO nothing VALUES (1)":      false,
	} {
		_, err := db.Write.ExecContext(t.Context(), query)
		if err == nil || IsUnique(fmt.Errorf("wrapped: %w", err)) != want {
			t.Errorf("%s: %v, IsUnique %v", query, err, !want)
		}
	}
}

func TestCorruptFile(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte("this is no database, however long one looks at it, and it never was"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.db")
	db := open(t, broken, Create)
	must(t, db, "CREATE TABLE t (a)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(broken)
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < 4096; i++ { // the first page behind the header: the schema's b-tree
		data[i] = 0xA5
	}
	if err := os.WriteFile(broken, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{garbage, broken} {
		_, err := Open(path, Create)
		if fault.CodeOf(err) != fault.StorageCorrupt || !IsCorrupt(err) {
			t.Errorf("open %s: %v", filepath.Base(path), err)
		}
	}
}

func TestFullFile(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "a.db"), Create)
	must(t, db, "CREATE TABLE t (a)")
	must(t, db, "PRAGMA max_page_count=10")
	_, err := db.Write.ExecContext(t.Context(), "INSERT INTO t VALUES (zeroblob(1000000))")
	if !IsFull(err) || fault.CodeOf(Fault(fmt.Errorf("insert: %w", err))) != fault.StorageFull {
		t.Errorf("insert beyond the end: %v", err)
	}
	if !IsFull(Fault(err)) {
		t.Error("IsFull does not know Fault's answer")
	}
	must(t, db, "INSERT INTO t VALUES (1)") // and the connection lives on
}

func TestFaultLeavesOtherErrorsAlone(t *testing.T) {
	if Fault(nil) != nil || IsFull(nil) || IsUnique(nil) || IsCorrupt(nil) {
		t.Error("nil is an error")
	}
	if err := Fault(context.Canceled); err != context.Canceled { //nolint:errorlint // the very same one
		t.Errorf("Fault(canceled) = %v", err)
	}
	mine := fault.New(fault.Conflict, "Taken.")
	if err := Fault(mine); err != error(mine) { //nolint:errorlint // the very same one
		t.Errorf("Fault(fault) = %v", err)
	}
}
