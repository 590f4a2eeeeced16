//go:build !describe

// Command backstay is the command line of Backstay: backups of a fleet, started and followed over the daemon's HTTP API.
// `backstay help` tells the rest.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/shared/keyring"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Config: configDir(), Now: time.Now, Zone: time.Local,
		Terminal: cli.NewTerminal(os.Stdin, os.Stdout, os.Stderr), Keyring: keyring.New(),
	}, os.Args[1:])
	stop()
	os.Exit(code)
}

// configDir is where the profile lies, "" for an account without a home: scripts bring all they need in the environment.
func configDir() string {
	if dir := os.Getenv("BACKSTAY_CONFIG_DIR"); dir != "" {
		return dir
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "backstay")
}
