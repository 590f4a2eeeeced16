//go:build !windows

package cli

import "os"

// onlyOwner tells whether nobody but its owner can read a file.
func onlyOwner(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return info.Mode().Perm()&0o077 == 0, nil
}
