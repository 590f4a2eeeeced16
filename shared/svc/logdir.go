package svc

import "path/filepath"

// System is what LogDir depends on.
type System struct {
	GOOS string
	User bool
	Home string
}

// LogDir is where the log file lies on systems that keep no log of services that can be read back.
func LogDir(s System, dataDir string) string {
	switch {
	case s.GOOS == "darwin" && s.User:
		return filepath.Join(s.Home, "Library", "Logs", "Backstay")
	case s.GOOS == "darwin":
		return "/Library/Logs/Backstay"
	}
	return filepath.Join(dataDir, "log")
}
