//go:build !windows

package policy

import (
	"fmt"
	"os"

	"github.com/backstay/backstay/shared/fault"
)

// checkWritable refuses a ceiling that others than its owner may lift.
func checkWritable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("stat policy: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fault.New(fault.PolicyDenied, "Other accounts may write this host's policy file %s (mode %04o), so no job may run. Take the permission away with `chmod go-w`.", path, info.Mode().Perm())
	}
	return nil
}
