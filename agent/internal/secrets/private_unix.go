//go:build !windows

package secrets

import (
	"os"

	"github.com/backstay/backstay/shared/fault"
)

// checkPrivate refuses a key that other accounts can read, or whose folder they can enter.
func checkPrivate(folder, file string) error {
	for _, path := range []string{folder, file} {
		info, err := os.Stat(path)
		if err != nil {
			return fault.Wrap(fault.SecretStore, err, "The key of the sealed secrets is not there. Give back the key file %s.", file)
		}
		if info.Mode().Perm()&0o077 != 0 {
			return fault.New(fault.SecretStore, "Other accounts may read the key of the sealed secrets: %s has mode %04o. Take the permissions away with `chmod go= %s`, and store the repository passwords once more if someone may have read them.", path, info.Mode().Perm(), path)
		}
	}
	return nil
}
