package config_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func valid(dir string) config.Config {
	return config.Config{DataDir: dir, Server: "https://daemon.example:7443", CAPin: "sha256:abc", AgentID: "A1", HostID: "H1",
		Secrets: fleet.SecretsKeyring, SealingKey: "age1abc"}
}

func noEnv(string) string { return "" }

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	want := valid(dir)
	want.Restic, want.LogLevel, want.KeyDir = filepath.Join(dir, "restic"), "debug", filepath.Join(dir, "k")
	if err := want.Save(); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(dir, noEnv)
	if err != nil || !reflect.DeepEqual(got, want) || got.Level() != slog.LevelDebug {
		t.Fatalf("loaded %+v, err %v", got, err)
	}
	info, err := os.Stat(filepath.Join(dir, "agent.toml"))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, err %v", info.Mode(), err)
	}
}

func TestEnvironmentReplacesSettingsOnly(t *testing.T) {
	dir := t.TempDir()
	if err := valid(dir).Save(); err != nil {
		t.Fatal(err)
	}
	restic := filepath.Join(dir, "other-restic")
	env := map[string]string{"BACKSTAY_AGENT_SERVER": "https://other.example:1", "BACKSTAY_AGENT_RESTIC": restic, "BACKSTAY_AGENT_LOG_LEVEL": "warn",
		"BACKSTAY_AGENT_SECRETS": "sealed-file", "BACKSTAY_AGENT_HOST_ID": "other"}
	got, err := config.Load(dir, func(k string) string { return env[k] })
	want := valid(dir)
	want.Server, want.Restic, want.LogLevel = "https://other.example:1", restic, "warn"
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("loaded %+v, err %v", got, err)
	}
	env["BACKSTAY_AGENT_LOG_LEVEL"] = "loud"
	if _, err := config.Load(dir, func(k string) string { return env[k] }); fault.CodeOf(err) != fault.InvalidInput {
		t.Fatalf("bad level from the environment: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	if _, err := config.Load(t.TempDir(), noEnv); fault.CodeOf(err) != fault.NotFound {
		t.Fatalf("not enrolled: %v", err)
	}
	text := func(change func(string) string) string {
		dir := t.TempDir()
		if err := valid(dir).Save(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "agent.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "agent.toml"), []byte(change(string(b))), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, change := range map[string]func(string) string{
		"not TOML":        func(s string) string { return s + "\n{{" },
		"unknown setting": func(s string) string { return s + "\nresitc = \"/x\"\n" },
		"wrong type":      func(s string) string { return s + "\nlog_level = 3\n" },
		"cut":             func(s string) string { return s[:len(s)/2] },
		"empty":           func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := config.Load(text(change), noEnv); fault.CodeOf(err) != fault.InvalidInput {
				t.Errorf("err %v", err)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"relative data":    func(c *config.Config) { c.DataDir = "data" },
		"http":             func(c *config.Config) { c.Server = "http://daemon.example:7443" },
		"no port":          func(c *config.Config) { c.Server = "https://daemon.example" },
		"no pin":           func(c *config.Config) { c.CAPin = "" },
		"bad agent id":     func(c *config.Config) { c.AgentID = "../x" },
		"bad host id":      func(c *config.Config) { c.HostID = "" },
		"unknown store":    func(c *config.Config) { c.Secrets = "plain" },
		"no sealing key":   func(c *config.Config) { c.SealingKey = "a b" },
		"relative restic":  func(c *config.Config) { c.Restic = "restic" },
		"relative key dir": func(c *config.Config) { c.KeyDir = "k" },
		"log level":        func(c *config.Config) { c.LogLevel = "INFO" },
	} {
		t.Run(name, func(t *testing.T) {
			c := valid(t.TempDir())
			change(&c)
			if err := c.Validate(); fault.CodeOf(err) != fault.InvalidInput {
				t.Errorf("err %v", err)
			}
			if err := c.Save(); fault.CodeOf(err) != fault.InvalidInput {
				t.Errorf("saved: %v", err)
			}
		})
	}
}

func TestParseServer(t *testing.T) {
	for in, want := range map[string]string{
		"https://d.example:8443":  "https://d.example:8443",
		"https://d.example:8443/": "https://d.example:8443",
		"https://d.example":       "https://d.example:7443",
		"d.example":               "https://d.example:7443",
		"127.0.0.1:1":             "https://127.0.0.1:1",
		"https://[::1]:9":         "https://[::1]:9",
	} {
		if got, err := config.ParseServer(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "http://d:1", "wss://d:1", "https://", "https://u:hunter2@d:1", "https://d:1/path", "https://d:1?x=1", "https://d:", "https://d:port", "d e:1", "https://u:hunter2@d:1\x7f"} {
		got, err := config.ParseServer(in)
		if fault.CodeOf(err) != fault.InvalidInput || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestDefaultDataDir(t *testing.T) {
	env := map[string]string{}
	get := func(k string) string { return env[k] }
	for goos, want := range map[string][2]string{"linux": {"/var/lib/backstay-agent", "/home/u/.local/state/backstay-agent"},
		"darwin": {"/Library/Application Support/Backstay/Agent", "/home/u/Library/Application Support/Backstay/Agent"}} {
		if runtime.GOOS == "windows" {
			break // separators
		}
		for i, admin := range []bool{true, false} {
			if got := config.DefaultDataDir(config.System{GOOS: goos, Admin: admin, Home: "/home/u", Getenv: get}); got != want[i] {
				t.Errorf("%s admin %v: %s", goos, admin, got)
			}
		}
	}
	if got := config.DefaultDataDir(config.System{GOOS: "windows", Admin: true, Getenv: get}); !strings.HasSuffix(got, filepath.Join("Backstay", "Agent")) {
		t.Error(got)
	}
	env["BACKSTAY_AGENT_DATA"] = "/elsewhere"
	if got := config.DefaultDataDir(config.System{GOOS: "linux", Getenv: get}); got != "/elsewhere" {
		t.Error(got)
	}
}
