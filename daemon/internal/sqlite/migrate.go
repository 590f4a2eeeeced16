package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"modernc.org/sqlite"

	"github.com/backstay/backstay/shared/fault"
)

// step is one migration: it brings the schema from version-1 to version.
type step struct {
	version int
	name    string
	sql     string
}

// steps reads NNNN_name.sql files: numbered from 1 without a hole.
func steps(files fs.FS) ([]step, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	sort.Strings(names)
	var out []step
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != len(out)+1 {
			return nil, fmt.Errorf("migration %s: want number %d", name, len(out)+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		out = append(out, step{version: version, name: name, sql: string(text)})
	}
	return out, nil
}

// migrationCache is the memory in which a migration may keep pages of the file: it goes over whole tables and indexes.
const migrationCache = 128 << 20

// migrate brings the file's schema forward, each step in one transaction. A file that already holds a schema is copied first.
func migrate(ctx context.Context, db *DB, path string, todo []step) error {
	version, err := schemaVersion(ctx, db.Write)
	if err != nil {
		return err
	}
	switch {
	case version > len(todo):
		return fault.New(fault.SchemaTooNew, "The daemon's data is of schema %d, this program knows %d. Start the newer program that wrote it, or put back the copy made before the update.", version, len(todo))
	case version == len(todo):
		return nil
	case version > 0:
		if err := copyBefore(ctx, db.Write, path, version); err != nil {
			return err
		}
	}
	if _, err := db.Write.ExecContext(ctx, "PRAGMA cache_size = "+strconv.Itoa(-migrationCache>>10)); err != nil {
		return fmt.Errorf("make room for migrations: %w", Fault(err))
	}
	for _, s := range todo[version:] {
		if err := apply(ctx, db.Write, s); err != nil {
			return fmt.Errorf("migration %s: %w", s.name, err)
		}
	}
	if _, err := db.Write.ExecContext(ctx, "PRAGMA cache_size = -2000"); err != nil { // SQLite's default
		return fmt.Errorf("give the room for migrations back: %w", Fault(err))
	}
	return nil
}

func schemaVersion(ctx context.Context, w *sql.DB) (int, error) {
	var version int
	if err := w.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return version, nil
}

// copyBefore leaves a whole copy of the file beside it. A copy of the same version that is there already is of an attempt that
// failed: the file has not changed its schema since, so the newer copy takes its place.
func copyBefore(ctx context.Context, w *sql.DB, path string, version int) error {
	target := path + ".schema-" + strconv.Itoa(version)
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove old copy before migration: %w", err)
	}
	f, err := os.OpenFile(target, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // SQLite fills an empty file and keeps its mode
	if err != nil {
		return fmt.Errorf("copy before migration: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("copy before migration: %w", err)
	}
	if err := copyPages(ctx, w, target); err != nil {
		return fmt.Errorf("copy before migration: %w", Fault(err))
	}
	return nil
}

// copyPages copies the database of w, as it is committed, into the empty file target, and has it on disk. VACUUM INTO would sort each
// index anew: several times as long, at a moment when the daemon is not there.
func copyPages(ctx context.Context, w *sql.DB, target string) error {
	to, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	conn, err := w.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(driver any) error {
		from, ok := driver.(interface {
			NewBackup(dsn string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("driver %T copies no database", driver)
		}
		b, err := from.NewBackup(copyDSN(to))
		if err != nil {
			return err
		}
		_, err = b.Step(-1) // all pages
		return errors.Join(err, b.Finish())
	})
}

func apply(ctx context.Context, w *sql.DB, s step) error {
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return Fault(err)
	}
	defer undo(tx)
	if _, err := tx.ExecContext(ctx, s.sql); err != nil {
		return Fault(err)
	}
	if err := checkForeignKeys(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(s.version)); err != nil {
		return Fault(err)
	}
	return Fault(tx.Commit())
}

// checkForeignKeys reads what foreign_key_check found: running it alone reports nothing.
func checkForeignKeys(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return fmt.Errorf("check foreign keys: %w", err)
	}
	defer rows.Close()
	if rows.Next() {
		var table, parent string
		var rowid sql.NullInt64
		var key int
		if err := rows.Scan(&table, &rowid, &parent, &key); err != nil {
			return fmt.Errorf("check foreign keys: %w", err)
		}
		return fmt.Errorf("row %d of %s refers to a missing row of %s", rowid.Int64, table, parent)
	}
	return rows.Err()
}
