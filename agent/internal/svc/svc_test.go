package svc_test

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstay/backstay/agent/internal/svc"
	"github.com/backstay/backstay/shared/sharedtest"
	service "github.com/backstay/backstay/shared/svc"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func TestDefinitionsAreTheGoldenOnes(t *testing.T) {
	linux := svc.Options{Executable: "/usr/bin/backstay-agent", DataDir: "/var/lib/backstay-agent", ConfigFile: "/var/lib/backstay-agent/agent.toml"}
	host := linux
	host.ForeignRoot = true
	host.RestoreRoots, host.Credential, host.Sealed = []string{"/srv/restore", "/srv/with space 100%"}, "backstay-key", "/var/lib/backstay-agent.key/backstay-key.cred"
	elsewhere := svc.Options{Executable: "/opt/back stay/backstay-agent", DataDir: "/srv/agent $1", ConfigFile: "/srv/agent $1/agent.toml"}
	person := svc.Options{User: true, Executable: "/home/ann/bin/backstay-agent", DataDir: "/home/ann/.local/state/backstay-agent", ConfigFile: "/home/ann/.local/state/backstay-agent/agent.toml"}
	mac := svc.Options{Executable: "/usr/local/bin/backstay-agent", DataDir: "/Library/Application Support/Backstay/Agent", ConfigFile: "/Library/Application Support/Backstay/Agent/agent.toml", LogDir: "/Library/Logs/Backstay"}
	macPerson := svc.Options{User: true, Executable: "/Users/ann/R&D/backstay-agent", DataDir: "/Users/ann/Library/Application Support/Backstay/Agent", LogDir: "/Users/ann/Library/Logs/Backstay"}
	windows := svc.Options{Executable: `C:\Program Files\Backstay\backstay-agent.exe`, DataDir: `C:\ProgramData\Backstay\Agent`, ConfigFile: `C:\ProgramData\Backstay\Agent\agent.toml`}
	for name, text := range map[string]string{
		"backstay-agent.service":  service.Unit(svc.Definition(linux)),
		"host.conf":               service.DropIn(svc.Definition(host)),
		"elsewhere.service":       service.Unit(svc.Definition(elsewhere)),
		"user.service":            service.Unit(svc.Definition(person)),
		"io.backstay.agent.plist": service.Plist(svc.Definition(mac)),
		"user.plist":              service.Plist(svc.Definition(macPerson)),
		"windows.txt":             service.Windows(svc.Definition(windows)).String(),
	} {
		sharedtest.Golden(t, *update, filepath.Join("testdata", name), []byte(text), "It is what an installed agent gets with the next version: look at the difference.")
	}
}

// The unit is the same for every host, so that a package can bring it.
func TestUnitHasNothingOfThisHost(t *testing.T) {
	plain := svc.Options{Executable: "/usr/bin/backstay-agent", DataDir: "/var/lib/backstay-agent", ConfigFile: "/var/lib/backstay-agent/agent.toml"}
	host := plain
	host.RestoreRoots, host.Credential, host.Sealed = []string{"/srv/restore"}, "backstay-key", "/k/backstay-key.cred"
	if service.Unit(svc.Definition(plain)) != service.Unit(svc.Definition(host)) {
		t.Fatal("the unit differs between hosts")
	}
	if got := service.DropIn(svc.Definition(plain)); got != "" {
		t.Fatalf("a host without settings of its own has a drop-in: %q", got)
	}
	if got := service.Account(svc.Definition(plain)); got != "" {
		t.Fatalf("the agent has an account: %q", got)
	}
	if u := service.Unit(svc.Definition(host)); strings.Contains(u, "srv") {
		t.Fatal(u)
	}
}
