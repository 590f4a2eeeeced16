package svc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kardianos/service"

	"github.com/backstay/backstay/shared/fault"
)

// launchdManager is a service as a launchd job.
type launchdManager struct {
	d    Definition
	svc  service.Service
	file string
}

var _ Manager = (*launchdManager)(nil)

// Open gives this system's service manager for d. Close it.
func Open(_ context.Context, d Definition) (Manager, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	dir := launchdDir
	if d.User {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("find the home folder: %w", err)
		}
		dir = filepath.Join(home, "Library", "LaunchAgents")
	}
	// The library expands its own template language, in which the text has nothing to expand.
	config := &service.Config{Name: d.Label, DisplayName: d.Title, Description: d.Description, Executable: d.Executable, Arguments: d.Arguments,
		Option: service.KeyValue{"UserService": d.User, "LaunchdConfig": Plist(d)}}
	s, err := service.New(idle{}, config)
	if err != nil {
		return nil, fmt.Errorf("reach launchd: %w", err)
	}
	return &launchdManager{d: d, svc: s, file: filepath.Join(dir, d.Label+".plist")}, nil
}

// idle stands for the program, which the library does not run here.
type idle struct{}

// Start does nothing.
func (idle) Start(service.Service) error { return nil }

// Stop does nothing.
func (idle) Stop(service.Service) error { return nil }

func (m *launchdManager) Close() error { return nil }

func (m *launchdManager) Install(context.Context) ([]string, error) {
	if err := MayChange(m.d.User); err != nil {
		return nil, err
	}
	if strings.Contains(Plist(m.d), "{{") {
		return nil, fault.New(fault.InvalidInput, "A service cannot be made of a path with {{ in it. Choose another one.")
	}
	if err := os.MkdirAll(m.d.LogDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the log folder: %w", err)
	}
	said := "wrote " + m.file
	if old, err := os.ReadFile(m.file); err == nil {
		if string(old) == Plist(m.d) {
			return nil, nil
		}
		if err := m.svc.Uninstall(); err != nil {
			return nil, fmt.Errorf("replace %s: %w", m.file, err)
		}
		said += " anew"
	}
	if err := m.svc.Install(); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", m.file, err), ignoreMissing(os.Remove(m.file)))
	}
	return []string{said}, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (m *launchdManager) Uninstall(context.Context) ([]string, error) {
	if err := MayChange(m.d.User); err != nil {
		return nil, err
	}
	if _, err := os.Stat(m.file); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err := m.svc.Uninstall(); err != nil { // stops it first
		return nil, fmt.Errorf("remove %s: %w", m.file, err)
	}
	return []string{"it was stopped", "removed " + m.file}, nil
}

func (m *launchdManager) Start(context.Context) error {
	return m.change("start", func() error {
		if s, err := m.svc.Status(); err == nil && s == service.StatusRunning {
			return nil
		}
		return m.svc.Start()
	})
}

func (m *launchdManager) Stop(context.Context) error { return m.change("stop", m.svc.Stop) }

func (m *launchdManager) Restart(ctx context.Context) error {
	if err := m.Stop(ctx); err != nil {
		return err
	}
	select { // launchd unloads a moment after it was asked to
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Second):
	}
	return m.Start(ctx)
}

func (m *launchdManager) change(what string, do func() error) error {
	if err := MayChange(m.d.User); err != nil {
		return err
	}
	if _, err := os.Stat(m.file); errors.Is(err, os.ErrNotExist) {
		return notInstalled(m.d)
	}
	if err := do(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "launchd did not %s %s. %s and the log beside it may say why.", what, m.d.Label, crashFile(m.d))
	}
	return nil
}

func (m *launchdManager) State(context.Context) (State, error) {
	if _, err := os.Stat(m.file); errors.Is(err, os.ErrNotExist) {
		return State{User: m.d.User}, nil
	}
	s := State{Installed: true, Enabled: true, File: m.file, User: m.d.User, Words: "not running"}
	status, err := m.svc.Status()
	if err == nil && status == service.StatusRunning {
		s.Running, s.Words = true, "running"
	}
	return s, nil
}
