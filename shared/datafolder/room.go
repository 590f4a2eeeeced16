package datafolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// enough is what must still fit into a data folder: a transaction or two.
const enough = 1 << 20

// Room tells whether a data folder takes more, by writing a file there and removing it: a quota, or a file system that the system made
// read-only, are found as well as a full disk. The error is the system's own. One call at a time.
func Room(dir string) (err error) {
	path := filepath.Join(dir, "room")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("look for room: %w", err)
	}
	_, err = f.Write(make([]byte, enough)) // zeros, and no hole: they are written
	if err = errors.Join(err, f.Close(), os.Remove(path)); err != nil {
		return fmt.Errorf("look for room: %w", err)
	}
	return nil
}
