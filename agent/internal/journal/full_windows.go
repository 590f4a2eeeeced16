package journal

import (
	"errors"

	"golang.org/x/sys/windows"
)

// IsFull tells whether err says that a disk or a quota is full.
func IsFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
