package sqlite

import (
	"errors"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/backstay/backstay/shared/fault"
)

// code gives the extended result code of SQLite in err's chain, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// primary cuts an extended result code to its primary one.
const primary = 0xff

// IsFull tells whether err says that the disk (or the quota, or max_page_count) is full. SQLite itself turns ENOSPC of a write
// into SQLITE_FULL; the shared-memory file cannot grow either then.
func IsFull(err error) bool {
	switch c := code(err); {
	case c&primary == lib.SQLITE_FULL, c == lib.SQLITE_IOERR_SHMSIZE:
		return true
	}
	for _, errno := range fullErrnos {
		if errors.Is(err, errno) {
			return true
		}
	}
	return fault.CodeOf(err) == fault.StorageFull
}

// IsUnique tells whether err is a violated PRIMARY KEY or UNIQUE constraint.
func IsUnique(err error) bool {
	switch code(err) {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}

// IsCorrupt tells whether err says that the file is damaged or no database.
func IsCorrupt(err error) bool {
	switch code(err) & primary {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return true
	}
	return fault.CodeOf(err) == fault.StorageCorrupt
}

// isDenied tells whether err says that the file or its folder cannot be written.
func isDenied(err error) bool {
	switch code(err) & primary {
	case lib.SQLITE_READONLY, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		return true
	}
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// Fault gives err the code and the sentence that a person may see where the disk, and not the program, is to blame: storage
// full, damaged, or closed to us. Every other error, and nil, comes back as it is.
func Fault(err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case IsFull(err):
		return fault.Wrap(fault.StorageFull, err, "The disk of the daemon's data folder is full. Free space there; the daemon goes on by itself.")
	case IsCorrupt(err):
		return fault.Wrap(fault.StorageCorrupt, err, "A file in the daemon's data folder is damaged. Stop the daemon and put back a copy of the data folder.")
	case isDenied(err):
		return fault.Wrap(fault.StorageDenied, err, "The daemon cannot write in its data folder. Make its account the owner of the folder and everything in it.")
	}
	return err
}
