//go:build !windows

package journal

import (
	"errors"
	"syscall"
)

// IsFull tells whether err says that a disk or a quota is full.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
