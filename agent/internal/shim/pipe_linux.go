package shim

import (
	"os"

	"golang.org/x/sys/unix"
)

const wantPipe = 1 << 20

// widen makes a pipe take a megabyte, so that restic runs on while the disk is busy for a moment. An account without privilege may
// be over its quota of pipe memory; the usual 64 KiB serve as well.
func widen(f *os.File) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = c.Control(func(fd uintptr) {
		_, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, wantPipe)
	})
}
