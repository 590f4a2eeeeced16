//go:build describe

// Command backstayd, built with the tag "describe", writes its manual and its services' definitions for packages.
package main

import (
	"os"
	"path/filepath"

	"github.com/backstay/backstay/daemon/internal/config"
	daemonsvc "github.com/backstay/backstay/daemon/internal/svc"
	"github.com/backstay/backstay/shared/manual"
	"github.com/backstay/backstay/shared/svc"
)

func main() {
	nothing := func(string) string { return "" }
	linux, mac := config.DefaultDataDir("linux", true, "", nothing), config.DefaultDataDir("darwin", true, "", nothing)
	if err := os.Setenv("BACKSTAYD_DATA", linux); err != nil { // the manual does not depend on who writes it
		panic(err)
	}
	unit := daemonsvc.Definition(daemonsvc.Options{Executable: "/usr/bin/backstayd", DataDir: linux, ConfigFile: filepath.Join(linux, config.FileName)})
	job := daemonsvc.Definition(daemonsvc.Options{Executable: "/usr/local/bin/backstayd", DataDir: mac, ConfigFile: filepath.Join(mac, config.FileName),
		LogDir: svc.LogDir(svc.System{GOOS: "darwin"}, mac)})
	os.Exit(manual.Main(manual.Book{Command: root(), Section: "8", Files: map[string]string{
		"systemd/" + svc.UnitName(unit):   svc.Unit(unit),
		"sysusers/backstayd.conf":         svc.Account(unit),
		"launchd/" + job.Label + ".plist": svc.Plist(job),
	}}, os.Args[1:]))
}
