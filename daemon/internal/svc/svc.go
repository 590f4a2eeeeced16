// Package svc is the daemon as a service: what it needs of systemd, launchd and Windows. Package shared/svc does the rest.
//
// It is pure, has no state and starts no goroutine.
//
// # Decisions
//
// On Linux the daemon has an account of its own and nothing else: no capability, one writable folder, and a kernel that runs no
// program for it but itself (NoExecPaths). The account is a real one and not systemd's DynamicUser, because commands such as
// `backstayd user add` work on the data folder beside the daemon, as the folder's owner.
package svc

import (
	"time"

	"github.com/backstay/backstay/shared/svc"
)

// Name is the service's name everywhere but with launchd.
const Name = "backstayd"

// Account is whom the daemon runs as on Linux.
const Account = "backstay"

// Options are what differs between hosts.
type Options struct {
	User       bool // a person's own daemon
	Executable string
	DataDir    string
	ConfigFile string
	LogDir     string
	Settings   []string // flags that were given at install
}

// systemData is the data folder that StateDirectory= makes.
const systemData = "/var/lib/backstayd"

const (
	watchdog    = 3 * time.Minute // a store that is slow is not a store that hangs
	stopTimeout = 30 * time.Second
)

// Definition is the daemon's service.
func Definition(o Options) svc.Definition {
	d := svc.Definition{Name: Name, Label: "io.backstay.daemon", Title: "Backstay daemon",
		Description: "Backstay daemon: hosts, plans and jobs of a fleet of restic backups", Executable: o.Executable,
		Arguments: append([]string{"service", "run", "--data", o.DataDir}, o.Settings...), User: o.User, DataDir: o.DataDir, Config: o.ConfigFile, LogDir: o.LogDir,
		Systemd: svc.Systemd{Account: Account, Home: systemData, Watchdog: watchdog, StopTimeout: stopTimeout}}
	if o.User {
		d.Systemd.Account = ""
		d.Systemd.Service = []string{"NoNewPrivileges=yes", "UMask=0077", "LimitNOFILE=524288"}
	} else {
		d.Systemd.Service = sandbox(o.DataDir, o.Executable)
	}
	return d
}

func sandbox(data, executable string) []string {
	var out []string
	if data == systemData {
		out = append(out, "StateDirectory="+Name, "StateDirectoryMode=0700")
	} else {
		out = append(out, "ReadWritePaths="+svc.UnitPath(data))
	}
	return append(out,
		"UMask=0077",
		"LimitNOFILE=524288",
		"# It runs no program but itself, and writes its data only.",
		"NoExecPaths=/",
		"ExecPaths="+svc.UnitPath(executable),
		"CapabilityBoundingSet=",
		"NoNewPrivileges=yes",
		"ProtectSystem=strict",
		"ProtectHome=yes",
		"PrivateTmp=yes",
		"PrivateDevices=yes",
		"PrivateUsers=yes",
		"DevicePolicy=closed",
		"ProtectClock=yes",
		"ProtectControlGroups=yes",
		"ProtectHostname=yes",
		"ProtectKernelLogs=yes",
		"ProtectKernelModules=yes",
		"ProtectKernelTunables=yes",
		"ProtectProc=invisible",
		"ProcSubset=pid",
		"KeyringMode=private",
		"LockPersonality=yes",
		"MemoryDenyWriteExecute=yes",
		"RemoveIPC=yes",
		"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
		"RestrictNamespaces=yes",
		"RestrictRealtime=yes",
		"RestrictSUIDSGID=yes",
		"SystemCallArchitectures=native",
		"SystemCallErrorNumber=EPERM",
		"SystemCallFilter=@system-service",
		"SystemCallFilter=~@privileged @resources",
	)
}
