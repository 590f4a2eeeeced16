//go:build !windows

package svc

import "context"

// Body runs f as the service d until ctx ends: systemd and launchd end a program with a signal.
func Body(ctx context.Context, _ Definition, f func(context.Context) error) error { return f(ctx) }
