package proc

import (
	"errors"
	"fmt"
	"os"
)

// Identity names a process for as long as the host is up: the number alone would be given to another process some day.
type Identity struct {
	PID   int   `json:"pid"`
	Start int64 `json:"start"` // start time in the system's own unit; compare only
}

// ErrGone says that a process does not exist any more (or is a zombie, which runs nothing).
var ErrGone = errors.New("process is gone")

// Identify gives the identity of the process that has number pid now, or ErrGone.
func Identify(pid int) (Identity, error) {
	if pid <= 0 {
		return Identity{}, ErrGone
	}
	start, zombie, err := startTime(pid)
	if err == nil && zombie {
		err = ErrGone
	}
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	return Identity{PID: pid, Start: start}, nil
}

// Self is the identity of this process.
func Self() (Identity, error) { return Identify(os.Getpid()) }

// Alive tells whether the very process id still runs. A zombie does not. An error means that the system would not tell.
func (id Identity) Alive() (bool, error) {
	now, err := Identify(id.PID)
	if errors.Is(err, ErrGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return now == id, nil
}

// Vanished tells whether not even a zombie is left of id: its parent, or process 1 in its place, has reaped it.
func (id Identity) Vanished() (bool, error) {
	start, _, err := startTime(id.PID)
	if errors.Is(err, ErrGone) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("identify process %d: %w", id.PID, err)
	}
	return start != id.Start, nil
}

// InterruptGroup asks the process group led by id to end. It does nothing when the very process is gone.
func (id Identity) InterruptGroup() error { return id.signal(interruptGroup) }

// KillGroup ends the process group led by id. It does nothing when the very process is gone.
func (id Identity) KillGroup() error { return id.signal(killGroup) }

// Between the look and the signal the number could pass to another process only if ours ended and its whole number space was
// used up in those microseconds.
func (id Identity) signal(send func(pid int) error) error {
	alive, err := id.Alive()
	if err != nil || !alive {
		return err
	}
	if err := send(id.PID); err != nil && !errors.Is(err, ErrGone) {
		return fmt.Errorf("signal process group %d: %w", id.PID, err)
	}
	return nil
}
