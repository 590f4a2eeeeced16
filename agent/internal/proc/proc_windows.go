package proc

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

const canPassFiles = false

// startDetached leaves the job object that this process may be in: whoever made it ends all in it at once. One that lets nobody go is
// obeyed; the process then ends with us.
func startDetached(cmd *exec.Cmd) error {
	const flags = windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS
	again := *cmd // a Cmd starts once
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: flags | windows.CREATE_BREAKAWAY_FROM_JOB}
	err := cmd.Start()
	if !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return err
	}
	again.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: flags}
	err = again.Start()
	cmd.Process = again.Process
	return err
}

func grouped() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// interruptGroup is best effort: a process without a console never sees the event.
func interruptGroup(pid int) error {
	err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_HANDLE) || errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return nil // no console
	}
	return err
}

func killGroup(pid int) (err error) {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return ErrGone
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, windows.CloseHandle(h)) }()
	const code = 137
	err = windows.TerminateProcess(h, code)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return ErrGone // it is ending already
	}
	return err
}

func exitOf(s *os.ProcessState) Exit {
	if s == nil {
		return Exit{Code: -1}
	}
	return Exit{Code: s.ExitCode()}
}

// Reap does nothing: Windows has no zombies.
func Reap(Identity) error { return nil }
