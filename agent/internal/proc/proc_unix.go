//go:build !windows

package proc

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

const canPassFiles = true

func startDetached(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

func grouped() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func interruptGroup(pid int) error { return signalGroup(pid, unix.SIGTERM) }

func killGroup(pid int) error { return signalGroup(pid, unix.SIGKILL) }

func signalGroup(pid int, sig unix.Signal) error {
	if pid <= 1 {
		return ErrGone // -1 would be everybody
	}
	err := unix.Kill(-pid, sig)
	if errors.Is(err, unix.ESRCH) {
		return ErrGone
	}
	return err
}

func exitOf(s *os.ProcessState) Exit {
	if s == nil {
		return Exit{Code: -1}
	}
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return Exit{Code: -1, Signal: unix.SignalName(ws.Signal())}
	}
	return Exit{Code: s.ExitCode()}
}

// Reap takes the ended process id from the system's table if it is a child of ours; otherwise nothing happens. It never waits.
func Reap(id Identity) error {
	for {
		_, err := unix.Wait4(id.PID, nil, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return nil
		}
		return err
	}
}
