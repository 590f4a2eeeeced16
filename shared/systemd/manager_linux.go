package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
)

// Manager is a connection to systemd.
type Manager struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
}

const (
	busName   = "org.freedesktop.systemd1"
	busPath   = "/org/freedesktop/systemd1"
	mgrFace   = "org.freedesktop.systemd1.Manager"
	unitFace  = "org.freedesktop.systemd1.Unit"
	svcFace   = "org.freedesktop.systemd1.Service"
	propsFace = "org.freedesktop.DBus.Properties"
	// manySignals is more than arrive between two looks; the library drops what does not fit, and the caller's ctx bounds the wait.
	manySignals = 256
)

// Open connects to the system's manager, or to that of the person who runs this process. Close it.
func Open(ctx context.Context, user bool) (*Manager, error) {
	m := &Manager{signals: make(chan *dbus.Signal, manySignals)}
	var err error
	if m.conn, err = dial(ctx, user); err != nil {
		return nil, err
	}
	m.conn.Signal(m.signals)
	return m, nil
}

func dial(ctx context.Context, user bool) (*dbus.Conn, error) {
	socket := "/run/systemd/private"
	if user {
		run := os.Getenv("XDG_RUNTIME_DIR")
		if run == "" {
			run = filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
		}
		socket = filepath.Join(run, "systemd", "private")
	} else if os.Geteuid() != 0 {
		return dialBus(ctx)
	}
	if _, err := os.Stat(socket); err != nil {
		return nil, errors.Join(ErrNone, err)
	}
	// Dial takes ctx as the whole connection's life; here it is the caller's Close that ends it.
	conn, err := dbus.Dial("unix:path=" + socket)
	if err != nil {
		return nil, fmt.Errorf("reach systemd: %w", err)
	}
	if err := conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err != nil {
		return nil, errors.Join(fmt.Errorf("sign in with systemd: %w", err), conn.Close())
	}
	if err := greet(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for systemd: %w", err), conn.Close())
	}
	return conn, nil
}

const (
	firstGreeting = 300 * time.Microsecond
	patience      = 20 * time.Second
)

// greet sends pings until one is answered. A call that reaches systemd's own socket together with the end of the sign-in stays
// unread until something more arrives (seen with systemd 252: nearly every first call then waits for ever).
func greet(ctx context.Context, conn *dbus.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for wait := firstGreeting; ; wait *= 2 {
		one, cancel := context.WithTimeout(ctx, wait)
		err := conn.Object(busName, busPath).CallWithContext(one, "org.freedesktop.DBus.Peer.Ping", 0).Err
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

func dialBus(ctx context.Context) (*dbus.Conn, error) {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil, errors.Join(ErrNone, err)
	}
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		return nil, fmt.Errorf("reach the system's message bus: %w", err)
	}
	match := []dbus.MatchOption{dbus.WithMatchInterface(mgrFace), dbus.WithMatchMember("JobRemoved")}
	if err := conn.AddMatchSignalContext(ctx, match...); err != nil {
		return nil, errors.Join(fmt.Errorf("listen to systemd: %w", err), conn.Close())
	}
	return conn, nil
}

// Close ends the connection.
func (m *Manager) Close() error { return m.conn.Close() }

func (m *Manager) call(ctx context.Context, method string, out []any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := m.conn.Object(busName, busPath).CallWithContext(ctx, mgrFace+"."+method, 0, args...)
	if c.Err != nil {
		return fmt.Errorf("systemd: %s: %w", method, c.Err)
	}
	if len(out) == 0 {
		return nil
	}
	if err := c.Store(out...); err != nil {
		return fmt.Errorf("systemd: answer to %s: %w", method, err)
	}
	return nil
}

// Reload reads the units' files anew.
func (m *Manager) Reload(ctx context.Context) error { return m.call(ctx, "Reload", nil) }

// Enable has the unit start with the system, or with the person's session.
func (m *Manager) Enable(ctx context.Context, unit string) error {
	return m.call(ctx, "EnableUnitFiles", nil, []string{unit}, false, false)
}

// Disable takes Enable back. A unit that is not enabled is no error.
func (m *Manager) Disable(ctx context.Context, unit string) error {
	return m.call(ctx, "DisableUnitFiles", nil, []string{unit}, false)
}

// ResetFailed forgets that the unit failed.
func (m *Manager) ResetFailed(ctx context.Context, unit string) error {
	return m.call(ctx, "ResetFailedUnit", nil, unit)
}

// Start starts a unit and waits until it is ready.
func (m *Manager) Start(ctx context.Context, unit string) error { return m.job(ctx, "StartUnit", unit) }

// Stop stops a unit and waits until it is gone.
func (m *Manager) Stop(ctx context.Context, unit string) error { return m.job(ctx, "StopUnit", unit) }

// Restart stops a unit, if it runs, starts it and waits until it is ready.
func (m *Manager) Restart(ctx context.Context, unit string) error {
	return m.job(ctx, "RestartUnit", unit)
}

// JobError says how a job of systemd's own ended that did not succeed: "failed", "timeout", "dependency", "canceled", "skipped".
type JobError struct{ Unit, Result string }

func (e *JobError) Error() string { return "systemd: " + e.Unit + ": " + e.Result }

func (m *Manager) job(ctx context.Context, method, unit string) error {
	return m.await(ctx, unit, method, unit, "replace")
}

// await makes a call that gives one of systemd's jobs, and waits for the job's end.
func (m *Manager) await(ctx context.Context, unit, method string, args ...any) error {
	if err := m.call(ctx, "Subscribe", nil); err != nil && !isNamed(err, busName+".AlreadySubscribed") {
		return err
	}
	var path dbus.ObjectPath
	if err := m.call(ctx, method, []any{&path}, args...); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", unit, context.Cause(ctx))
		case s, ok := <-m.signals:
			if !ok {
				return fmt.Errorf("wait for %s: %w", unit, dbus.ErrClosed)
			}
			var id uint32
			var at dbus.ObjectPath
			var name, result string
			if s.Name != mgrFace+".JobRemoved" || dbus.Store(s.Body, &id, &at, &name, &result) != nil || at != path {
				continue
			}
			if result != "done" {
				return &JobError{Unit: unit, Result: result}
			}
			return nil
		}
	}
}

func isNamed(err error, name string) bool {
	var e dbus.Error
	return errors.As(err, &e) && e.Name == name
}

// Unit gives what systemd knows of a unit; one that is not there has Load "not-found".
func (m *Manager) Unit(ctx context.Context, name string) (Unit, error) {
	var path dbus.ObjectPath
	if err := m.call(ctx, "LoadUnit", []any{&path}, name); err != nil {
		return Unit{}, err
	}
	all := map[string]dbus.Variant{}
	for _, face := range []string{unitFace, svcFace} {
		some := map[string]dbus.Variant{}
		if err := m.conn.Object(busName, path).CallWithContext(ctx, propsFace+".GetAll", 0, face).Store(&some); err != nil {
			return Unit{}, fmt.Errorf("systemd: look at %s: %w", name, err)
		}
		for k, v := range some {
			all[k] = v
		}
	}
	text := func(k string) string { s, _ := all[k].Value().(string); return s }
	number := func(k string) int { n, _ := all[k].Value().(uint32); return int(n) }
	u := Unit{Load: text("LoadState"), Active: text("ActiveState"), Sub: text("SubState"), File: text("FragmentPath"), Enabled: text("UnitFileState"),
		PID: number("MainPID"), Restarts: number("NRestarts"), Result: text("Result")}
	if usec, _ := all["StateChangeTimestamp"].Value().(uint64); usec > 0 {
		u.Since = time.UnixMicro(int64(usec)).UTC()
	}
	return u, nil
}
