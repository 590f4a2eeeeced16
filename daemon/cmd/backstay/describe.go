//go:build describe

// Command backstay, built with the tag "describe", writes its manual for packages.
package main

import (
	"os"

	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/shared/manual"
)

func main() {
	os.Exit(manual.Main(manual.Book{Command: cli.Root(cli.Env{}), Section: "1"}, os.Args[1:]))
}
