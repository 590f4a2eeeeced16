package svc

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/windows/svc"
)

// Body runs f as the service d until the service manager, or ctx, ends it.
func Body(ctx context.Context, d Definition, f func(context.Context) error) error {
	b := &body{ctx: ctx, run: f}
	if err := svc.Run(d.Name, b); err != nil {
		return errors.Join(b.err, fmt.Errorf("speak to the service manager: %w", err))
	}
	return b.err
}

// body is the program between the service manager's calls. The context is a field because Execute, which the library calls, has none.
type body struct {
	ctx context.Context
	run func(context.Context) error
	err error
}

var _ svc.Handler = (*body)(nil)

// failed is the exit code of a service whose program ended with an error.
const failed = 1

// Execute answers the service manager until the program has ended.
func (b *body) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (specific bool, code uint32) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- b.run(ctx) }()
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for {
		select {
		case b.err = <-done:
			if b.err != nil && !errors.Is(b.err, context.Canceled) {
				return true, failed
			}
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending}
				cancel()
			}
		}
	}
}
