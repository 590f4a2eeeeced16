package svc

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// settings gives the service's command line and how it starts. mgr's own Config asks for more, which not every Windows has.
func settings(s *mgr.Service) (command string, start uint32, err error) {
	size := uint32(8 << 10) // the most that Windows gives
	b := make([]byte, size)
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&b[0]))
	if err := windows.QueryServiceConfig(s.Handle, c, size, &size); err != nil {
		return "", 0, fmt.Errorf("read the service's settings: %w", err)
	}
	return windows.UTF16PtrToString(c.BinaryPathName), c.StartType, nil
}

// adjust sets what the library does not, and what another version set otherwise; it tells whether the command or the start changed.
func (m *windowsManager) adjust(s *mgr.Service) (changed bool, err error) {
	now, start, err := settings(s)
	if err != nil {
		return false, err
	}
	command := syscall.EscapeArg(m.w.Executable)
	for _, a := range m.w.Arguments {
		command += " " + syscall.EscapeArg(a)
	}
	if now != command || start != mgr.StartAutomatic {
		changed = true
		text, err := windows.UTF16PtrFromString(command)
		if err != nil {
			return false, fmt.Errorf("change the service's settings: %w", err)
		}
		if err := windows.ChangeServiceConfig(s.Handle, windows.SERVICE_NO_CHANGE, windows.SERVICE_AUTO_START, windows.SERVICE_NO_CHANGE, text, nil, nil, nil, nil, nil, nil); err != nil {
			return false, fmt.Errorf("change the service's settings: %w", err)
		}
	}
	delayed := windows.SERVICE_DELAYED_AUTO_START_INFO{}
	if m.w.Delayed {
		delayed.IsDelayedAutoStartUp = 1
	}
	err = windows.ChangeServiceConfig2(s.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&delayed)))
	if err := ignoreUnknown(err); err != nil {
		return false, fmt.Errorf("set how the service starts: %w", err)
	}
	var actions []mgr.RecoveryAction
	for _, wait := range m.w.Restart {
		actions = append(actions, mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: wait})
	}
	if err := ignoreUnknown(s.SetRecoveryActions(actions, uint32(m.w.ResetAfter.Seconds()))); err != nil {
		return false, fmt.Errorf("set what happens on failure: %w", err)
	}
	// Also when it ended with an error of its own, not only when it crashed.
	if err := ignoreUnknown(s.SetRecoveryActionsOnNonCrashFailures(true)); err != nil {
		return false, fmt.Errorf("set what happens on failure: %w", err)
	}
	return changed, nil
}

// ignoreUnknown forgives a service manager that does not know the setting (Wine's).
func ignoreUnknown(err error) error {
	if errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return nil
	}
	return err
}
