package svc

import (
	"fmt"
	"strings"
)

// UnitName is the name of the service's unit.
func UnitName(d Definition) string { return d.Name + ".service" }

// Unit is the systemd unit of d, without what is this host's alone.
func Unit(d Definition) string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	line("# %s as a service. Change it with `systemctl%s edit %s`: this file is replaced by the next version's.", d.program(), d.userFlag(), d.Name)
	line("[Unit]")
	line("Description=%s", unitText(d.Description))
	line("Documentation=https://github.com/backstay/backstay")
	if !d.User {
		line("Wants=network-online.target")
		line("After=network-online.target")
	}
	if d.Needs != "" {
		line("ConditionPathExists=%s", unitText(d.Needs))
	}
	line("# It is started again for as long as it takes.")
	line("StartLimitIntervalSec=0")
	line("")
	line("[Service]")
	line("Type=notify")
	words := []string{unitWord(d.Executable)}
	for _, a := range d.Arguments {
		words = append(words, unitWord(a))
	}
	line("ExecStart=%s", strings.Join(words, " "))
	line("Restart=always")
	line("RestartSec=1")
	line("TimeoutStartSec=120")
	line("TimeoutStopSec=%d", int(d.Systemd.StopTimeout.Seconds()))
	if d.Systemd.Watchdog > 0 {
		line("WatchdogSec=%d", int(d.Systemd.Watchdog.Seconds()))
	}
	line("SyslogIdentifier=%s", d.Name)
	if a := d.Systemd.Account; a != "" && !d.User {
		line("User=%s", a)
		line("Group=%s", a)
	}
	for _, l := range d.Systemd.Service {
		line("%s", l)
	}
	line("")
	line("[Install]")
	if d.User {
		line("WantedBy=default.target")
	} else {
		line("WantedBy=multi-user.target")
	}
	return b.String()
}

// DropIn is what is this host's alone, "" when nothing is.
func DropIn(d Definition) string {
	if len(d.Systemd.DropIn) == 0 {
		return ""
	}
	return fmt.Sprintf("# Written by `%s install`, for this host; run it again after what it says here has changed.\n[Service]\n%s\n",
		d.program(), strings.Join(d.Systemd.DropIn, "\n"))
}

// Account is the sysusers.d entry of the account that the service runs as, "" when it runs as root or as a person.
func Account(d Definition) string {
	if d.Systemd.Account == "" || d.User {
		return ""
	}
	return fmt.Sprintf("# The account that %s runs as.\nu %s - \"%s\" %s\n", d.program(), d.Systemd.Account, d.Title, d.Systemd.Home)
}

// unitText is s as a setting's value: "%" begins a specifier.
func unitText(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// unitWord is s as one word of a command.
func unitWord(s string) string {
	s = strings.NewReplacer("%", "%%", `\`, `\\`, `"`, `\"`, "$", "$$").Replace(s)
	if strings.ContainsAny(s, " \t\"'\\;") || s == "" {
		return `"` + s + `"`
	}
	return s
}

// UnitPath is path as one word of a list of paths, as in ReadWritePaths.
func UnitPath(path string) string {
	path = strings.NewReplacer("%", "%%", `\`, `\\`, `"`, `\"`).Replace(path)
	if strings.ContainsAny(path, " \t\"'\\") {
		return `"` + path + `"`
	}
	return path
}
