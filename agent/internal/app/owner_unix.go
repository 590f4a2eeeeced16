//go:build !windows

package app

import (
	"os"
	"syscall"
)

// ofAnother tells whether the folder at path belongs to another account than root.
func ofAnother(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false // it will be made by root
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid != 0
}
