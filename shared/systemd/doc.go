// Package systemd talks to Linux's service manager: readiness and watchdog (sd_notify), units, and transient scopes, which keep a
// process alive when the service that started it ends. Everything goes over sockets; no program of systemd is run.
//
// Where there is no systemd, and on other systems, a Notifier does nothing and Open gives ErrNone.
//
// Promises: Start, Stop and Restart return when systemd is through with it; Scope returns when the process is in its scope. A
// Manager is for one goroutine; it owns those of the D-Bus library and ends them in Close. Watch runs in the caller's goroutine.
//
// # Decisions
//
// sd_notify is a datagram of a few bytes, so it is written here instead of taking a library for it.
//
// root speaks to systemd's own socket, as systemctl does: it works without a message bus, which small systems do not have. Only
// others go through the bus, where polkit decides.
package systemd
