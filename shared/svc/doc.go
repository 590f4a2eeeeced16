// Package svc makes a program a service of its operating system: a systemd unit, a launchd daemon or agent, a Windows service. The
// daemon and the agent say what they need (Definition); installing, starting, asking and removing are the same for both.
//
//	Unit, DropIn, Plist, Windows   what is installed, as pure functions of a Definition: golden files show them for every system
//	Open                           the service manager of this system
//	Control                        the commands install, uninstall, start, stop, restart, with what they say
//	Body                           runs a program as the service manager wants it
//	Logger, ShowLog                where a service's log goes, and how a person reads it
//
// Promises: installing twice changes nothing the second time, and installing a changed definition replaces the former; a failed
// install leaves nothing of itself; uninstalling leaves the data. What was done is said, line by line.
//
// It starts no goroutine but the one of the Windows service's body, which Body waits for.
//
// # Decisions
//
// kardianos/service installs and controls on macOS and Windows. On Linux systemd is spoken to directly (package systemd): the library
// refuses to install twice, leaves an empty file when it fails, knows neither drop-ins nor units that came with a package,
// and tells no more of a service than whether it runs. Only systemd is served on Linux: elsewhere nothing restarts a service
// that ended, so Open says how to run the program by hand.
//
// What belongs to this host alone (the key of the secrets, the folders that restores write) is a drop-in beside the unit, so that
// the unit of a package and the one of `install` are the same.
//
// On Windows the service's program is `… service run`, which takes the service manager's calls itself: kardianos decides by looking at its
// parent whether it is a service, and is wrong under Wine.
package svc
