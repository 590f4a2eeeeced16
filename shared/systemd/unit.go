package systemd

import (
	"errors"
	"time"
)

// ErrNone says that no systemd runs here, or none for this person.
var ErrNone = errors.New("systemd does not run here")

// Unit is what systemd knows of a unit.
type Unit struct {
	Load     string // "loaded", "not-found", "masked", "error"
	Active   string // "active", "activating", "inactive", "failed"
	Sub      string // "running", "dead", "auto-restart"
	File     string // path of the unit's file
	Enabled  string // "enabled", "disabled", "static", "masked"; "" without a file
	PID      int    // of the main process; 0 without one
	Restarts int    // by systemd itself, since the last start by hand
	Result   string // "success", "exit-code", "signal", "watchdog"
	Since    time.Time
}

// Scope is a process to be put into a unit of its own.
type Scope struct {
	Name        string // "….scope"
	Description string
	PID         int
	StopTimeout time.Duration // between SIGTERM and SIGKILL when the host goes down
}
