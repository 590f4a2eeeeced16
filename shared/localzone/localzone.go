// Package localzone tells the IANA name of this computer's time zone, for schedules that a person sets by the clock on the wall.
//
// # Decisions
//
// Windows has names of its own for zones, several of which stand for many IANA ones: there the name is not told, and people type it.
package localzone

import (
	"path/filepath"
	"strings"

	"github.com/backstay/backstay/shared/schedule"
)

// Name gives the IANA name, "" where it cannot be told.
func Name(getenv func(string) string) string {
	name := strings.TrimPrefix(getenv("TZ"), ":")
	if name == "" {
		file, err := filepath.EvalSymlinks("/etc/localtime")
		if err != nil {
			return ""
		}
		_, name, _ = strings.Cut(filepath.ToSlash(file), "zoneinfo/")
	}
	if _, err := schedule.Zone(name); err != nil || name == "" || filepath.IsAbs(name) {
		return ""
	}
	return name
}
