package svc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/systemd"
)

// systemdManager is a service as a unit.
type systemdManager struct {
	d   Definition
	bus *systemd.Manager
	dir string // of units
}

var _ Manager = (*systemdManager)(nil)

// Open gives this system's service manager for d. Close it.
func Open(ctx context.Context, d Definition) (Manager, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	m := &systemdManager{d: d, dir: unitDir}
	if d.User {
		config, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("find the person's configuration: %w", err)
		}
		m.dir = filepath.Join(config, "systemd", "user")
	}
	var err error
	if m.bus, err = systemd.Open(ctx, d.User); err != nil {
		return nil, noSystemd(d, err)
	}
	return m, nil
}

func noSystemd(d Definition, err error) error {
	switch {
	case errors.Is(err, systemd.ErrNone) && d.User:
		return fault.Wrap(fault.Unavailable, err, "No service manager of your own runs: systemd starts one when you sign in. Sign in as yourself (not with su), or install the system's service as root, without --user.")
	case errors.Is(err, systemd.ErrNone):
		return fault.Wrap(fault.Unavailable, err, "systemd does not run here, so there is no service. Have this system's own init or container run `%s service run`.", d.program())
	}
	return fault.Wrap(fault.Unavailable, err, "systemd cannot be reached. Run the command as root.")
}

func (m *systemdManager) Close() error { return m.bus.Close() }

func (m *systemdManager) unitFile() string { return filepath.Join(m.dir, UnitName(m.d)) }

func (m *systemdManager) dropInFile() string {
	return filepath.Join(m.dir, UnitName(m.d)+".d", "10-host.conf")
}

func (m *systemdManager) accountFile() string {
	return filepath.Join("/etc/sysusers.d", m.d.Name+".conf")
}

// packaged gives the unit that a package brought, "" when none did.
func (m *systemdManager) packaged() string {
	if m.d.User {
		return ""
	}
	for _, dir := range packagedUnits {
		path := filepath.Join(dir, UnitName(m.d))
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// ownUnit tells whether the service needs a unit of its own: a package's does when it says the same. One with another data folder or
// further flags hides it.
func (m *systemdManager) ownUnit() bool {
	path := m.packaged()
	if path == "" {
		return true
	}
	text, err := os.ReadFile(path)
	return err != nil || string(text) != Unit(m.d)
}

// Install writes unit, drop-in and account, and enables the unit. What it wrote itself is taken back when a later step fails.
func (m *systemdManager) Install(ctx context.Context) (done []string, err error) {
	if err := MayChange(m.d.User); err != nil {
		return nil, err
	}
	if to, err := os.Readlink(m.unitFile()); err == nil && to == os.DevNull {
		return nil, fault.New(fault.Conflict, "The service %s is masked on this host: somebody does not want it to run. Take that back with `systemctl unmask %s`.", m.d.Name, m.d.Name)
	}
	var w writer
	defer func() {
		if err != nil {
			err = errors.Join(m.ofPermission(err), w.undo())
		}
	}()
	if account := Account(m.d); account != "" {
		if err := m.account(ctx, &w, account); err != nil {
			return nil, err
		}
	}
	if m.ownUnit() {
		err = w.write(m.unitFile(), Unit(m.d))
	} else {
		err = w.remove(m.unitFile()) // one that an earlier install wrote would hide the package's
	}
	if err != nil {
		return nil, err
	}
	if text := DropIn(m.d); text != "" {
		err = w.write(m.dropInFile(), text)
	} else {
		err = w.remove(m.dropInFile())
	}
	if err != nil {
		return nil, err
	}
	if err := m.bus.Reload(ctx); err != nil {
		return nil, err
	}
	before, err := m.bus.Unit(ctx, UnitName(m.d))
	if err != nil {
		return nil, err
	}
	if before.Enabled != "enabled" {
		if err := m.bus.Enable(ctx, UnitName(m.d)); err != nil {
			return nil, err
		}
		w.say("it is enabled")
	}
	return w.said, m.bus.Reload(ctx)
}

func (m *systemdManager) Uninstall(ctx context.Context) ([]string, error) {
	if err := MayChange(m.d.User); err != nil {
		return nil, err
	}
	u, err := m.bus.Unit(ctx, UnitName(m.d))
	if err != nil {
		return nil, err
	}
	var w writer
	if u.Active != "inactive" && u.Load != "not-found" {
		if err := m.Stop(ctx); err != nil {
			return nil, err
		}
		w.say("it was stopped")
	}
	if u.Enabled == "enabled" {
		if err := m.bus.Disable(ctx, UnitName(m.d)); err != nil {
			return w.said, err
		}
		w.say("it is not enabled any more")
	}
	for _, path := range []string{m.unitFile(), m.dropInFile(), m.accountFile()} {
		if err := w.remove(path); err != nil {
			return w.said, m.ofPermission(err)
		}
	}
	if err := os.Remove(filepath.Dir(m.dropInFile())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.say("%s stays: somebody else's settings are in it", filepath.Dir(m.dropInFile()))
	}
	if err := m.bus.Reload(ctx); err != nil {
		return w.said, err
	}
	if u.Active == "failed" {
		err = m.bus.ResetFailed(ctx, UnitName(m.d))
	}
	if path := m.packaged(); path != "" {
		w.say("%s stays: it belongs to the package; remove that with the system's package manager", path)
	}
	return w.said, err
}

func (m *systemdManager) Start(ctx context.Context) error   { return m.change(ctx, m.bus.Start) }
func (m *systemdManager) Stop(ctx context.Context) error    { return m.change(ctx, m.bus.Stop) }
func (m *systemdManager) Restart(ctx context.Context) error { return m.change(ctx, m.bus.Restart) }

func (m *systemdManager) change(ctx context.Context, do func(context.Context, string) error) error {
	if u, err := m.bus.Unit(ctx, UnitName(m.d)); err != nil {
		return err
	} else if u.Load == "not-found" {
		return notInstalled(m.d)
	}
	err := do(ctx, UnitName(m.d))
	var job *systemd.JobError
	if errors.As(err, &job) {
		return fault.Wrap(fault.Unavailable, err, "The service %s did not do it (%s). `%s logs%s` says why.", m.d.Name, job.Result, m.d.program(), m.d.userFlag())
	}
	return m.ofPermission(err)
}

func (m *systemdManager) ofPermission(err error) error {
	var e dbus.Error
	refused := errors.As(err, &e) && (e.Name == "org.freedesktop.DBus.Error.AccessDenied" || e.Name == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
	if refused || errors.Is(err, fs.ErrPermission) {
		return denied(err)
	}
	return err
}

func (m *systemdManager) State(ctx context.Context) (State, error) {
	u, err := m.bus.Unit(ctx, UnitName(m.d))
	if err != nil {
		return State{}, err
	}
	s := State{Installed: u.Load != "not-found", Enabled: u.Enabled == "enabled", Running: u.Active == "active", Words: u.Active + " (" + u.Sub + ")",
		PID: u.PID, Restarts: u.Restarts, File: u.File, User: m.d.User}
	if u.Active == "failed" || u.Sub == "auto-restart" {
		s.Words = u.Active + " (" + u.Sub + ", " + u.Result + ")"
	}
	if u.Load == "masked" {
		s.Words = "masked"
	}
	if !u.Since.IsZero() {
		s.Since = &u.Since
	}
	if !s.Installed {
		return State{User: m.d.User}, nil
	}
	return s, nil
}

// writer writes files, remembers what it said, and can take it back.
type writer struct {
	said []string
	back []func() error
}

func (w *writer) say(format string, a ...any) { w.said = append(w.said, fmt.Sprintf(format, a...)) }

func (w *writer) write(path, text string) error {
	old, err := os.ReadFile(path)
	switch {
	case err == nil && string(old) == text:
		return nil
	case err == nil:
		w.back = append(w.back, func() error { return atomicfile.Write(path, old, 0o644) })
		w.say("wrote %s anew", path)
	case errors.Is(err, fs.ErrNotExist):
		w.back = append(w.back, func() error { return os.Remove(path) })
		w.say("wrote %s", path)
	default:
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make folder of %s: %w", path, err)
	}
	return atomicfile.Write(path, []byte(text), 0o644)
}

func (w *writer) remove(path string) error {
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	w.back = append(w.back, func() error { return atomicfile.Write(path, old, 0o644) })
	w.say("removed %s", path)
	return nil
}

// undo takes everything back, the last first.
func (w *writer) undo() error {
	var errs []error
	for i := len(w.back) - 1; i >= 0; i-- {
		errs = append(errs, w.back[i]())
	}
	return errors.Join(errs...)
}
