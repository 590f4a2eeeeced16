//go:build !linux

package journal

import (
	"errors"
	"os"
)

// reserve makes a file of size bytes whose blocks are taken: writing into it later needs no free space, on file systems that do
// not copy on write (APFS does).
func reserve(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(fillFile(f, size), f.Close())
}
