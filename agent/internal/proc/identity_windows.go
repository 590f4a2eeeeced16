package proc

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/windows"
)

const stillActive = 259 // STILL_ACTIVE

// A process that ended stays known while somebody has a handle of it, and counts as gone.
func startTime(pid int) (start int64, zombie bool, err error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return 0, false, ErrGone
	}
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, windows.CloseHandle(h)) }()
	var code uint32
	if err := windows.GetExitCodeProcess(h, &code); err != nil {
		return 0, false, err
	}
	if code != stillActive {
		return 0, false, ErrGone
	}
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return 0, false, err
	}
	return created.Nanoseconds(), false, nil
}

// BootID tells the time of boot as the clock has it now; compare with SameBoot only.
func BootID() (string, error) {
	up, err := Uptime()
	if err != nil {
		return "", fmt.Errorf("read boot time: %w", err)
	}
	return strconv.FormatInt(time.Now().Add(-up).Unix(), 10), nil
}

// bootSlack absorbs what clock and uptime drift apart and what a time service corrects; a restart takes longer.
const bootSlack = 60

// SameBoot tells whether two answers of BootID are of the same start of the host. It is fooled when somebody sets the clock by
// more than a minute: a job whose process is gone then counts as interrupted by a restart.
func SameBoot(a, b string) bool {
	x, err := strconv.ParseInt(a, 10, 64)
	if err != nil {
		return a == b
	}
	y, err := strconv.ParseInt(b, 10, 64)
	return err == nil && x-y <= bootSlack && y-x <= bootSlack
}

// Uptime is the time since the host started; nobody can set it.
func Uptime() (time.Duration, error) { return windows.DurationSinceBoot(), nil }
