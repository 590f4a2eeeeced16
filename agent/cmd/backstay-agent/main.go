//go:build !describe

// Command backstay-agent runs restic on a host for a Backstay daemon: it keeps the host's secrets, owns its jobs and reports them.
// `backstay-agent help` tells the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/backstay/backstay/agent/internal/app"
	"github.com/backstay/backstay/shared/fault"
)

func main() {
	if code, mine := app.RunJob(os.Args, os.Stdin); mine {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	message, ok := fault.Message(err)
	if !ok {
		message = err.Error()
	}
	fmt.Fprintln(os.Stderr, "Error:", message)
	os.Exit(1)
}
