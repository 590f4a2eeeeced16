package svc_test

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/backstay/backstay/daemon/internal/svc"
	"github.com/backstay/backstay/shared/sharedtest"
	service "github.com/backstay/backstay/shared/svc"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func TestDefinitionsAreTheGoldenOnes(t *testing.T) {
	linux := svc.Options{Executable: "/usr/bin/backstayd", DataDir: "/var/lib/backstayd", ConfigFile: "/var/lib/backstayd/backstayd.toml"}
	elsewhere := svc.Options{Executable: "/opt/back stay/backstayd", DataDir: "/srv/daemon", ConfigFile: "/etc/backstayd.toml", Settings: []string{"--config", "/etc/backstayd.toml"}}
	person := svc.Options{User: true, Executable: "/home/ann/bin/backstayd", DataDir: "/home/ann/.local/share/backstayd", ConfigFile: "/home/ann/.local/share/backstayd/backstayd.toml"}
	mac := svc.Options{Executable: "/usr/local/bin/backstayd", DataDir: "/Library/Application Support/Backstay/daemon", LogDir: "/Library/Logs/Backstay"}
	windows := svc.Options{Executable: `C:\Program Files\Backstay\backstayd.exe`, DataDir: `C:\ProgramData\Backstay\daemon`}
	for name, text := range map[string]string{
		"backstayd.service":        service.Unit(svc.Definition(linux)),
		"backstayd.sysusers":       service.Account(svc.Definition(linux)),
		"elsewhere.service":        service.Unit(svc.Definition(elsewhere)),
		"user.service":             service.Unit(svc.Definition(person)),
		"io.backstay.daemon.plist": service.Plist(svc.Definition(mac)),
		"windows.txt":              service.Windows(svc.Definition(windows)).String(),
	} {
		sharedtest.Golden(t, *update, filepath.Join("testdata", name), []byte(text), "It is what an installed daemon gets with the next version: look at the difference.")
	}
	if d := svc.Definition(linux); service.DropIn(d) != "" || service.Account(svc.Definition(person)) != "" {
		t.Fatal("the daemon has nothing of its own host, and a person's daemon no account")
	}
}
