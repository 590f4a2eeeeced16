package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// reserve makes a file of size bytes whose blocks are taken: writing into it later needs no free space. (A file system that copies
// on write, such as btrfs, gives no such promise.)
func reserve(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = fillFile(f, size)
	}
	return errors.Join(err, f.Close())
}
