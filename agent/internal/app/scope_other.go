//go:build !linux

package app

import (
	"context"

	"github.com/backstay/backstay/shared/fleet"
)

// newScope gives nil: launchd leaves jobs alone (AbandonProcessGroup), and on Windows package proc starts them outside the service's
// job object.
func newScope(func(string) string, bool) func(context.Context, fleet.JobID, int) error { return nil }
