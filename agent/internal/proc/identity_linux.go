package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startTime reads field 22 of /proc/<pid>/stat: clock ticks between boot and the start of the process.
func startTime(pid int) (start int64, zombie bool, err error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return 0, false, ErrGone
	}
	if err != nil {
		return 0, false, err
	}
	state, start, err := parseStat(b)
	return start, state == 'Z' || state == 'X', err
}

// parseStat takes state and start time from a line of /proc/<pid>/stat. The name in parentheses may hold anything, so the
// fields count from the last closing one.
func parseStat(b []byte) (state byte, start int64, err error) {
	at := bytes.LastIndexByte(b, ')')
	if at < 0 {
		return 0, 0, fmt.Errorf("no process name in %q", b)
	}
	fields := strings.Fields(string(b[at+1:]))
	const stateField, startField = 0, 19 // fields 3 and 22 of the whole line
	if len(fields) <= startField || len(fields[stateField]) != 1 {
		return 0, 0, fmt.Errorf("too few fields in %q", b)
	}
	start, err = strconv.ParseInt(fields[startField], 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("start time in %q: %w", b, err)
	}
	return fields[stateField][0], start, nil
}

// BootID is the same until the host restarts; compare with SameBoot.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// SameBoot tells whether two answers of BootID are of the same start of the host.
func SameBoot(a, b string) bool { return a == b }

// Uptime is the time since the host started, sleep included; nobody can set it.
func Uptime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, fmt.Errorf("read uptime: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
