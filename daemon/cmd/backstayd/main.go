//go:build !describe

// Command backstayd is Backstay's control daemon: hosts, plans, jobs and their logs, the HTTP API for people and scripts, and the
// socket to which agents dial. `backstayd help` tells the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/backstay/backstay/shared/fault"
)

func main() {
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
