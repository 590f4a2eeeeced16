//go:build !windows

package datafolder

import (
	"os"

	"github.com/backstay/backstay/shared/fault"
)

func closeToOthers(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil {
		return fault.Wrap(fault.InvalidInput, err, "The data folder %s belongs to another account. Choose another with --data, or run as its owner.", dir)
	}
	return nil
}
