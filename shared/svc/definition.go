package svc

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fault"
)

// Definition is a program as a service. All paths are absolute.
type Definition struct {
	Name        string // of the unit and of the Windows service; also of the program
	Label       string // launchd's name
	Title       string // for people
	Description string // one line
	Executable  string
	Arguments   []string
	User        bool // a person's own service instead of the system's

	DataDir string
	Config  string // its configuration file, for people
	Needs   string // a file without which the service has nothing to do and is not started; none when empty
	LogDir  string // for the log file, where the system keeps no logs itself (macOS)

	Systemd Systemd
	// Outlive says that what the service started goes on when it ends (launchd, which would end it).
	Outlive bool
}

// Systemd is what only systemd knows to do.
type Systemd struct {
	Account     string // the account and group that the service runs as; root when empty
	Home        string // of Account when it has to be made
	Watchdog    time.Duration
	StopTimeout time.Duration
	Service     []string // further lines of [Service]: the sandbox
	DropIn      []string // lines of [Service] for this host alone
}

// Paths where people and packages look for things.
const (
	unitDir    = "/etc/systemd/system"
	launchdDir = "/Library/LaunchDaemons"
)

// packagedUnits is where packages put units.
var packagedUnits = [...]string{"/usr/lib/systemd/system", "/lib/systemd/system"}

// validate refuses what would be written down as something else.
func (d Definition) validate() error {
	for _, s := range append([]string{d.Executable, d.DataDir, d.Config, d.Needs, d.LogDir, d.Systemd.Account, d.Systemd.Home}, d.Arguments...) {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fault.New(fault.InvalidInput, "A service cannot be made of %q: it has control characters. Choose another path.", s)
		}
	}
	if !filepath.IsAbs(d.Executable) || !filepath.IsAbs(d.DataDir) {
		return fault.New(fault.InvalidInput, "A service needs absolute paths. Name the data folder with --data and a path from the root.")
	}
	return nil
}

// program is how a person calls the program.
func (d Definition) program() string { return d.Name }

// userFlag is what a person adds to a command that is about their own service.
func (d Definition) userFlag() string {
	if d.User {
		return " --user"
	}
	return ""
}
