package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	lib "modernc.org/sqlite/lib"
)

// Mode says what Open may do with the file.
type Mode string

// The modes of Open.
const (
	// Create opens the file for reading and writing and makes it, mode 0600, when it is not there.
	Create Mode = "create"
	// Existing opens the file for reading and writing; a missing one is fs.ErrNotExist.
	Existing Mode = "existing"
	// ReadOnly opens an existing file without a writer: DB.Write is nil.
	ReadOnly Mode = "read_only"
)

// busyTimeout is how long a statement waits for a lock that another process holds (a copy being made, a person's sqlite3 shell).
// Inside the daemon nobody ever waits: there is one writer, and WAL readers do not block it.
const busyTimeout = 10 * time.Second

// checkpointPages is the length of the write-ahead log, in pages, from which a commit of the writer copies it back.
const checkpointPages = 1000

// DB is one SQLite file: a single connection that writes and a pool that reads. Writes queue for the one connection, so they
// never meet SQLITE_BUSY inside this process; reads see the last commit and wait for nobody.
type DB struct {
	Write *sql.DB // one connection: WAL, synchronous=FULL, BEGIN IMMEDIATE; nil with ReadOnly
	Read  *sql.DB // query_only connections; begin transactions here only as read-only ones
}

// Open opens the file at path and proves that it can be used: its header is read and, unless mode is ReadOnly, write-ahead
// logging is on. Errors that a person can act on are fault errors (see Fault). Every setting is in the DSN, because a PRAGMA
// run through a pool reaches one of its connections only.
func Open(path string, mode Mode) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err := prepare(abs, mode); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, Fault(err))
	}
	db := &DB{}
	if mode != ReadOnly {
		db.Write, err = connect(writerDSN(abs), 1)
	}
	if err == nil {
		db.Read, err = connect(readerDSN(abs), max(4, runtime.NumCPU()))
	}
	if err == nil && mode != ReadOnly {
		err = provesWritable(db.Write)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, Fault(probe(abs, err))), db.Close())
	}
	return db, nil
}

// Close closes readers first, so that the writer is the one that copies the write-ahead log back. Safe to call again.
func (d *DB) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{d.Read, d.Write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// prepare makes a missing file private before SQLite opens it: the -wal and -shm files take its mode. A file that exists is
// not opened here, because closing any descriptor of it would drop the POSIX locks that SQLite holds in this process.
func prepare(path string, mode Mode) error {
	if mode != Create {
		_, err := os.Stat(path)
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// probe looks for the reason behind SQLite's "unable to open", which hides what the operating system said (no right, no space,
// no descriptor left), by making a file in the same folder.
func probe(path string, err error) error {
	if code(err)&primary != lib.SQLITE_CANTOPEN {
		return err
	}
	f, cause := os.CreateTemp(filepath.Dir(path), ".probe-*")
	if cause == nil {
		cause = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	return errors.Join(err, cause)
}

// connect opens a pool and makes its first connection, which runs the DSN's pragmas and reads the schema.
func connect(dsn string, conns int) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	var tables int
	err = pool.QueryRowContext(context.Background(), "SELECT count(*) FROM sqlite_schema").Scan(&tables)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// provesWritable fails where SQLite fell back to reading: a folder or file without the right to write.
func provesWritable(w *sql.DB) error {
	ctx := context.Background()
	var mode string
	if err := w.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("journal mode is %q, want wal: %w", mode, fs.ErrPermission)
	}
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return tx.Rollback()
}

// The driver applies _busy_timeout before the _pragma values, those in the order given, and _query_only last.
func writerDSN(path string) string {
	return dsn(path, url.Values{
		"mode":    {"rw"},
		"_txlock": {"immediate"},
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "mmap_size(0)",
			"wal_autocheckpoint(" + strconv.Itoa(checkpointPages) + ")", "journal_size_limit(67108864)"},
	})
}

// readerDSN opens read-write, because a WAL reader must be able to make the -shm file, and then forbids writing.
func readerDSN(path string) string {
	return dsn(path, url.Values{
		"mode":        {"rw"},
		"_query_only": {"1"},
		"_pragma":     {"foreign_keys(ON)", "mmap_size(0)", "wal_autocheckpoint(0)"},
	})
}

// copyDSN opens a file that a copy is made into. It needs no journal: what breaks off is thrown away.
func copyDSN(path string) string {
	return dsn(path, url.Values{"mode": {"rw"}, "_pragma": {"journal_mode(OFF)", "synchronous(FULL)"}})
}

func dsn(path string, q url.Values) string {
	q.Set("_busy_timeout", strconv.FormatInt(busyTimeout.Milliseconds(), 10))
	q.Set("_dqs", "0") // "x" is an identifier, never silently a string
	q.Set("_defensive", "1")
	path = filepath.ToSlash(path)
	if path[0] != '/' {
		path = "/" + path // C:/… → file:///C:/…
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}
