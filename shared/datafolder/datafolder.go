// Package datafolder makes a program's own data folder, readable by its account alone, and lets one process hold it: two daemons
// or two agents on the same data would each undo what the other did. It starts no goroutine.
package datafolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/backstay/backstay/shared/fault"
)

// Folder is a data folder that this process holds.
type Folder struct {
	Path string
	lock *os.File
}

// errHeld says that another process has the lock.
var errHeld = errors.New("held by another process")

// Make creates dir (mode 0700, parents too) when it is missing and takes from it all permissions of others; on Windows administrators
// and the system keep theirs.
func Make(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.Wrap(fault.InvalidInput, err, "The data folder %s cannot be made. Choose another with --data, or run as an account that may write there.", dir)
	}
	return closeToOthers(dir)
}

// Hold makes dir and locks it for program (its name, for the message) until Release or the end of the process, however that
// comes. A folder that is held already gives fault.DataLocked.
func Hold(dir, program string) (*Folder, error) {
	if err := Make(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := lock(f); err != nil {
		err = errors.Join(err, f.Close())
		if errors.Is(err, errHeld) {
			return nil, fault.Wrap(fault.DataLocked, err, "Another %s%s already uses the data folder %s. Stop it first, or choose another folder with --data.", program, holder(path), dir)
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	// The number only helps a person to find the holder; the lock itself is the operating system's.
	if err := f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
		}
	}
	return &Folder{Path: dir, lock: f}, nil
}

func holder(path string) string {
	b, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return " (pid " + pid + ")"
	}
	return ""
}

// Release gives the folder free. It may be called again.
func (f *Folder) Release() error {
	if f.lock == nil {
		return nil
	}
	err := f.lock.Close()
	f.lock = nil
	return err
}
