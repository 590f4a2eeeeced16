package svc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/backstay/backstay/shared/fault"
)

// windowsManager is a service of Windows.
type windowsManager struct {
	d   Definition
	w   WindowsService
	svc service.Service
}

var _ Manager = (*windowsManager)(nil)

// Open gives this system's service manager for d. Close it.
func Open(_ context.Context, d Definition) (Manager, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	if d.User {
		return nil, fault.New(fault.InvalidInput, "Windows has no services of one person. Have the Task Scheduler run `%s run` when you sign in, or install the system's service without --user.", d.program())
	}
	w := Windows(d)
	s, err := service.New(idle{}, &service.Config{Name: w.Name, DisplayName: w.DisplayName, Description: w.Description, Executable: w.Executable,
		Arguments: w.Arguments})
	if err != nil {
		return nil, fmt.Errorf("reach the service manager: %w", err)
	}
	return &windowsManager{d: d, w: w, svc: s}, nil
}

// idle stands for the program, which the library does not run here.
type idle struct{}

// Start does nothing.
func (idle) Start(service.Service) error { return nil }

// Stop does nothing.
func (idle) Stop(service.Service) error { return nil }

func (m *windowsManager) Close() error { return nil }

// with calls f with the service; its error is notInstalled when there is none.
func (m *windowsManager) with(f func(*mgr.Service) error) (err error) {
	manager, err := mgr.Connect()
	if err != nil {
		return m.ofPermission(err)
	}
	defer func() { err = errors.Join(err, manager.Disconnect()) }()
	s, err := manager.OpenService(m.w.Name)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return notInstalled(m.d)
	}
	if err != nil {
		return m.ofPermission(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return m.ofPermission(f(s))
}

func (m *windowsManager) ofPermission(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return denied(err)
	}
	return err
}

func (m *windowsManager) Install(context.Context) ([]string, error) {
	made := false
	err := m.with(func(*mgr.Service) error { return nil })
	if fault.CodeOf(err) == fault.NotFound {
		made, err = true, m.ofPermission(m.svc.Install())
	}
	if err != nil {
		return nil, err
	}
	changed := false
	err = m.with(func(s *mgr.Service) error {
		var err error
		if changed, err = m.adjust(s); err != nil && made {
			err = errors.Join(err, m.svc.Uninstall())
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case made:
		return []string{"registered the service " + m.w.Name + " (" + m.w.DisplayName + ") with the service manager", "it starts with the system"}, nil
	case changed:
		return []string{"changed the service " + m.w.Name + " to this program and its settings"}, nil
	}
	return nil, nil
}

func (m *windowsManager) Uninstall(ctx context.Context) ([]string, error) {
	err := m.Stop(ctx)
	if fault.CodeOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := m.svc.Uninstall(); err != nil {
		return []string{"it was stopped"}, fmt.Errorf("remove the service: %w", m.ofPermission(err))
	}
	return []string{"it was stopped", "removed the service " + m.w.Name + " and its event source"}, nil
}

func (m *windowsManager) Start(ctx context.Context) error {
	return m.with(func(s *mgr.Service) error {
		if err := s.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
			return fault.Wrap(fault.Unavailable, err, "The service %s did not start. `%s logs` and the event log say why.", m.w.Name, m.d.program())
		}
		return m.await(ctx, s, svc.Running)
	})
}

func (m *windowsManager) Stop(ctx context.Context) error {
	return m.with(func(s *mgr.Service) error {
		gone := ending(s)
		if _, err := s.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return fmt.Errorf("stop the service: %w", err)
		}
		if err := m.await(ctx, s, svc.Stopped); err != nil {
			return err
		}
		gone()
		return nil
	})
}

// exitLimit is for a program that has said that it stopped; it only has to close its files.
const exitLimit = 10 * time.Second

// ending gives a function that waits until the service's present process is gone, and its files are free.
func ending(s *mgr.Service) func() {
	now, err := s.Query()
	if err != nil || now.ProcessId == 0 {
		return func() {}
	}
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, now.ProcessId)
	if err != nil {
		return func() {}
	}
	return func() {
		_, _ = windows.WaitForSingleObject(h, uint32(exitLimit.Milliseconds())) // in vain at worst
		_ = windows.CloseHandle(h)                                              // of a process that is not ours
	}
}

func (m *windowsManager) Restart(ctx context.Context) error {
	if err := m.Stop(ctx); err != nil {
		return err
	}
	return m.Start(ctx)
}

// lookEvery is how often the service manager is asked how far a service has come.
const lookEvery = 50 * time.Millisecond

func (m *windowsManager) await(ctx context.Context, s *mgr.Service, want svc.State) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		now, err := s.Query()
		if err != nil {
			return fmt.Errorf("ask for the service's state: %w", err)
		}
		if now.State == want {
			return nil
		}
		if want == svc.Running && now.State == svc.Stopped {
			return fault.New(fault.Unavailable, "The service %s ended while it started (code %d). `%s logs` says why.", m.w.Name, now.Win32ExitCode, m.d.program())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the service: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func (m *windowsManager) State(context.Context) (State, error) {
	st := State{}
	err := m.with(func(s *mgr.Service) error {
		now, err := s.Query()
		if err != nil {
			return err
		}
		_, start, err := settings(s)
		if err != nil {
			return err
		}
		words := map[svc.State]string{svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping", svc.Running: "running"}
		st = State{Installed: true, Enabled: start == mgr.StartAutomatic, Running: now.State == svc.Running, Words: words[now.State], PID: int(now.ProcessId)}
		return nil
	})
	if fault.CodeOf(err) == fault.NotFound {
		return State{}, nil
	}
	return st, err
}
