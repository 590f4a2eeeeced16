package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

var errNoSessionBus = errors.New("no D-Bus session for this account")

// reachable refuses where there is no session bus: the D-Bus library would then run dbus-launch and leave behind a bus
// that nobody else uses, with no keyring on it.
func reachable() error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	dir := filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil
		}
	}
	return errNoSessionBus
}
