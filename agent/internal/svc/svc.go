// Package svc is the agent as a service: what it needs of systemd, launchd and Windows. Package shared/svc does the rest.
//
// It is pure, has no state and starts no goroutine.
//
// # Decisions
//
// On Linux the agent runs as root, because only root may read everything, with five capabilities and a read-only file system: it
// reads all files (CAP_DAC_READ_SEARCH) and writes its data folder and the restore roots of policy.toml, where it gives files to
// their owners (CAP_CHOWN, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP). CAP_DAC_OVERRIDE, with which it could write below a folder of
// somebody else, it has on hosts with such a restore root only. It cannot make device nodes (CAP_MKNOD). Not used,
// because they would hide what is to be backed up: ProtectHome, PrivateTmp, ProtectKernelModules; because restores make setuid
// files again: RestrictSUIDSGID. A job lives in a scope of its own and inherits all this from the agent that started it.
//
// A restore root that is changed in policy.toml becomes writable with the next `backstay-agent install`.
package svc

import (
	"time"

	"github.com/backstay/backstay/shared/svc"
)

// Name is the service's name everywhere but with launchd.
const Name = "backstay-agent"

// Options are what differs between hosts.
type Options struct {
	User         bool // a person's own agent
	Executable   string
	DataDir      string
	ConfigFile   string
	LogDir       string
	RestoreRoots []string // folders outside the data folder that restores write
	ForeignRoot  bool     // one of them belongs to another account
	Credential   string   // name of the systemd credential with the key of the secrets; none when empty
	Sealed       string   // its file
}

// systemData is the data folder that StateDirectory= makes.
const systemData = "/var/lib/backstay-agent"

const (
	watchdog = time.Minute
	// stopTimeout: the agent itself stops at once; a job that could not get a scope of its own needs as long as restic does.
	stopTimeout = 100 * time.Second
)

// Definition is the agent's service.
func Definition(o Options) svc.Definition {
	d := svc.Definition{Name: Name, Label: "io.backstay.agent", Title: "Backstay agent",
		Description: "Backstay agent: runs this host's restic backups", Executable: o.Executable, Arguments: []string{"service", "run", "--data", o.DataDir},
		User: o.User, DataDir: o.DataDir, Config: o.ConfigFile, Needs: o.ConfigFile, LogDir: o.LogDir, Outlive: true,
		Systemd: svc.Systemd{Watchdog: watchdog, StopTimeout: stopTimeout}}
	if o.User {
		d.Systemd.Service = []string{"NoNewPrivileges=yes", "UMask=0077"}
	} else {
		d.Systemd.Service = sandbox(o.DataDir)
		for _, root := range o.RestoreRoots {
			d.Systemd.DropIn = append(d.Systemd.DropIn, "ReadWritePaths=-"+svc.UnitPath(root))
		}
		if o.ForeignRoot {
			d.Systemd.DropIn = append(d.Systemd.DropIn, "CapabilityBoundingSet=CAP_DAC_OVERRIDE")
		}
	}
	if o.Credential != "" {
		d.Systemd.DropIn = append(d.Systemd.DropIn, "LoadCredentialEncrypted="+o.Credential+":"+svc.UnitPath(o.Sealed))
	}
	return d
}

func sandbox(data string) []string {
	var out []string
	if data == systemData {
		out = append(out, "StateDirectory="+Name, "StateDirectoryMode=0700")
	} else {
		out = append(out, "ReadWritePaths="+svc.UnitPath(data))
	}
	return append(out,
		"UMask=0077",
		"# It reads everything and writes its data and the restore roots.",
		"CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_SETFCAP",
		"NoNewPrivileges=yes",
		"ProtectSystem=strict",
		"ProtectHome=read-only",
		"PrivateDevices=yes",
		"DevicePolicy=closed",
		"ProtectClock=yes",
		"ProtectControlGroups=yes",
		"ProtectKernelLogs=yes",
		"ProtectKernelTunables=yes",
		"ProtectProc=invisible",
		"KeyringMode=private",
		"LockPersonality=yes",
		"MemoryDenyWriteExecute=yes",
		"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
		"RestrictNamespaces=yes",
		"RestrictRealtime=yes",
		"SystemCallArchitectures=native",
		"SystemCallErrorNumber=EPERM",
		"SystemCallFilter=@system-service",
	)
}
