package app

import (
	"context"
	"errors"
	"time"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/systemd"
)

// scopeLimit bounds the wait for systemd; a job begins without a scope rather than late.
const scopeLimit = 5 * time.Second

// jobStop is what a job gets when the host goes down: restic has StopGrace, the unlock and the outcome the rest.
const jobStop = 100 * time.Second

// newScope gives what puts a job out of reach of the agent's own end, nil when systemd did not start this agent.
func newScope(getenv func(string) string, user bool) func(context.Context, fleet.JobID, int) error {
	if getenv("INVOCATION_ID") == "" || getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	return func(ctx context.Context, id fleet.JobID, pid int) (err error) {
		ctx, cancel := context.WithTimeout(ctx, scopeLimit)
		defer cancel()
		m, err := systemd.Open(ctx, user)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, m.Close()) }()
		return m.Scope(ctx, systemd.Scope{Name: "backstay-job-" + string(id) + ".scope", Description: "Backstay job " + string(id), PID: pid, StopTimeout: jobStop})
	}
}
