//go:build describe

// Command backstay-agent, built with the tag "describe", writes its manual and its services' definitions for packages.
package main

import (
	"os"

	"github.com/backstay/backstay/agent/internal/config"
	agentsvc "github.com/backstay/backstay/agent/internal/svc"
	"github.com/backstay/backstay/shared/manual"
	"github.com/backstay/backstay/shared/svc"
)

func main() {
	linux := config.DefaultDataDir(config.System{GOOS: "linux", Admin: true, Getenv: func(string) string { return "" }})
	mac := config.DefaultDataDir(config.System{GOOS: "darwin", Admin: true, Getenv: func(string) string { return "" }})
	if err := os.Setenv(config.DataEnv, linux); err != nil { // the manual does not depend on who writes it
		panic(err)
	}
	unit := agentsvc.Definition(agentsvc.Options{Executable: "/usr/bin/backstay-agent", DataDir: linux, ConfigFile: config.File(linux)})
	job := agentsvc.Definition(agentsvc.Options{Executable: "/usr/local/bin/backstay-agent", DataDir: mac, ConfigFile: config.File(mac),
		LogDir: svc.LogDir(svc.System{GOOS: "darwin"}, mac)})
	os.Exit(manual.Main(manual.Book{Command: root(), Section: "8", Files: map[string]string{
		"systemd/" + svc.UnitName(unit):   svc.Unit(unit),
		"launchd/" + job.Label + ".plist": svc.Plist(job),
	}}, os.Args[1:]))
}
