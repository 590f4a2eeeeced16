package proc

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const zombie = 5 // SZOMB in <sys/proc.h>

func startTime(pid int) (start int64, isZombie bool, err error) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EIO) {
		// For an unknown number the kernel answers with nothing, which x/sys reports as EIO.
		return 0, false, ErrGone
	}
	if err != nil {
		return 0, false, err
	}
	if int(p.Proc.P_pid) != pid {
		return 0, false, ErrGone
	}
	return p.Proc.P_starttime.Nano(), p.Proc.P_stat == zombie, nil
}

// BootID is the same until the host restarts; compare with SameBoot.
func BootID() (string, error) {
	// kern.boottime would move when somebody sets the clock; this one is random and made at boot.
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return id, nil
}

// SameBoot tells whether two answers of BootID are of the same start of the host.
func SameBoot(a, b string) bool { return a == b }

// Uptime is the time since the host started; nobody can set it.
func Uptime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0, fmt.Errorf("read uptime: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
