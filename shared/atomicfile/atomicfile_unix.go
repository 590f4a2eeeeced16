//go:build !windows

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

func chmod(f *os.File, perm fs.FileMode) error { return f.Chmod(perm) }

// SyncDir makes the names in folder dir durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
