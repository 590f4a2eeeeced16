//go:build !windows

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// leaveHelper starts a process that outlives us and our process group with our standard output.
func leaveHelper(binary string, limit time.Duration) error {
	cmd := exec.Command(binary, "helper", limit.String())
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

func exists(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
