//go:build !linux && !windows

package shim

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func pipe() (p [2]int, err error) {
	syscall.ForkLock.RLock() // no child may be started between both steps
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(p[:]); err != nil {
		return p, err
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return p, nil
}

const usualPipe = 16 << 10

// widen does nothing where the size of a pipe is the system's own business.
func widen(int) int { return usualPipe }
