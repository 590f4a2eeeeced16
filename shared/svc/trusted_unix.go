//go:build !windows

package svc

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/backstay/backstay/shared/fault"
)

// checkTrusted refuses a program that others than root could replace: the system's service would run theirs.
func checkTrusted(executable string) error {
	for path := executable; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("look at %s: %w", path, err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		sticky := info.IsDir() && info.Mode()&os.ModeSticky != 0
		if ok && st.Uid != 0 || info.Mode().Perm()&0o002 != 0 && !sticky {
			return fault.New(fault.InvalidInput, "Others than root may change %s, so the system cannot run the program from there. Copy it to /usr/local/bin, owned by root, and run it from there, or add --user for a service of your own.", path)
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}
