package control

import (
	"strings"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func checkSpec(fleet.JobSpec) error { return nil }

func checkBackup(b fleet.BackupSpec, _ string) error {
	if len(b.Paths) == 0 {
		return fault.New(fault.InvalidPath, "A backup needs at least one path. Give one.")
	}
	for _, p := range b.Paths {
		if !strings.HasPrefix(p, "/") {
			return fault.New(fault.InvalidPath, "The path %s is not absolute. Give the whole path.", shown(p))
		}
	}
	return nil
}

func checkRepository(s fleet.RepositorySpec) error {
	if strings.TrimSpace(s.URL) == "" {
		return fault.New(fault.InvalidRepositoryURL, "The repository needs a URL. Give one.")
	}
	return nil
}
