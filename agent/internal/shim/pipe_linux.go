package shim

import "golang.org/x/sys/unix"

func pipe() (p [2]int, err error) {
	err = unix.Pipe2(p[:], unix.O_CLOEXEC)
	return p, err
}

const (
	usualPipe = 64 << 10
	wantPipe  = 1 << 20
)

// widen makes a pipe take a megabyte, so that restic runs on while the disk is busy for a moment, and gives its size. An account
// without privilege may be over its quota of pipe memory; the usual 64 KiB serve as well.
func widen(fd int) int {
	if size, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, wantPipe); err == nil {
		return size
	}
	return usualPipe
}
