//go:build !windows

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/backstay/backstay/shared/fault"
)

// actAsOwner makes a command of root one of the account that owns the data folder, for good: what the command writes there has to be
// the daemon's own.
func actAsOwner(data string) error {
	info, err := os.Stat(data)
	if errors.Is(err, fs.ErrNotExist) || os.Geteuid() != 0 {
		return nil // it will be made, or its owner is who we are
	}
	if err != nil {
		return fmt.Errorf("look at the data folder: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 {
		return nil
	}
	for _, step := range []func() error{
		func() error { return syscall.Setgroups([]int{int(st.Gid)}) },
		func() error { return syscall.Setgid(int(st.Gid)) },
		func() error { return syscall.Setuid(int(st.Uid)) },
	} {
		if err := step(); err != nil {
			return fault.Wrap(fault.Forbidden, fmt.Errorf("become the owner of %s: %w", data, err), "This command works as the account that owns %s, and may not become it here. Run it as that account.", data)
		}
	}
	return nil
}
