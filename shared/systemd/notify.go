package systemd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// Notifier tells the service manager how this process is. Its zero value tells nobody.
type Notifier struct {
	socket string
	limit  time.Duration // WatchdogSec; 0 when nobody watches
}

// FromEnv is the Notifier of a process that systemd started, by its environment; of any other process it does nothing.
func FromEnv(getenv func(string) string) Notifier {
	n := Notifier{socket: getenv("NOTIFY_SOCKET")}
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n
	}
	if usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 && n.socket != "" {
		n.limit = time.Duration(usec) * time.Microsecond
	}
	return n
}

// Ready says that the service does its work from now on.
func (n Notifier) Ready() error { return n.send("READY=1") }

// Stopping says that the service begins to end.
func (n Notifier) Stopping() error { return n.send("STOPPING=1") }

// Watch tells systemd's watchdog that all is well for as long as healthy says so in time, until ctx ends; then systemd ends and
// restarts a process that hangs. It returns at once when nobody watches.
func (n Notifier) Watch(ctx context.Context, healthy func(context.Context) error) error {
	if n.limit == 0 {
		return nil
	}
	tick := time.NewTicker(n.limit / 4)
	defer tick.Stop()
	var last error
	for {
		probe, cancel := context.WithTimeout(ctx, n.limit/4)
		err := healthy(probe)
		cancel()
		if err == nil {
			err = n.send("WATCHDOG=1")
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-tick.C:
		}
	}
}

func (n Notifier) send(state string) (err error) {
	if n.socket == "" {
		return nil
	}
	// A name that begins with "@" is in the abstract namespace; package net knows that form.
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("reach the service manager: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.Write([]byte(state)); err != nil {
		return fmt.Errorf("tell the service manager %s: %w", state, err)
	}
	return nil
}
