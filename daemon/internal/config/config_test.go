package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/config"
	"github.com/backstay/backstay/shared/fault"
)

func none(string) string { return "" }

func TestFileThenEnvironment(t *testing.T) {
	dir := t.TempDir()
	file := "listen = \"127.0.0.1:9000\"\nheartbeat = \"5s\"\nlog_retention = 24\nnames = [\"backup.example.net\"]\n"
	if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"BACKSTAYD_LISTEN": "127.0.0.1:9001", "BACKSTAYD_JOB_TTL": "1h"}
	c, err := config.Load(dir, "", func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:9001" || c.Heartbeat.Duration != 5*time.Second || c.JobTTL.Duration != time.Hour || c.LogRetention != 24 || c.Address != "https://127.0.0.1:9001" {
		t.Fatalf("%+v", c)
	}
	if names := strings.Join(c.CertificateNames(), " "); !strings.Contains(names, "backup.example.net") || !strings.Contains(names, "127.0.0.1") {
		t.Fatalf("names %s", names)
	}
}

func TestDefaultsAreValid(t *testing.T) {
	c := config.Default(t.TempDir())
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(c.Address, "https://") || !strings.HasSuffix(c.Address, ":"+config.DefaultPort) {
		t.Fatalf("address %s", c.Address)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	cases := map[string]string{
		"listn = \"x\"":              "listn",
		"listen = \"nonsense\"":      "listen",
		"listen = \":99999\"":        "listen",
		"address = \"http://x:1\"":   "address",
		"log_level = \"loud\"":       "log_level",
		"heartbeat = \"0s\"":         "heartbeat",
		"heartbeat = \"soon\"":       "soon",
		"away_limit = \"16s\"":       "away_limit",
		"log_retention = -1":         "log_retention",
		"listen = ":                  "line",
		"session_lifetime = \"1ms\"": "session_lifetime",
	}
	for file, want := range cases {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(dir, "", none)
		if err == nil {
			err = c.Validate()
		}
		msg, _ := fault.Message(err)
		if fault.CodeOf(err) != fault.InvalidInput || !strings.Contains(msg, want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := config.Load(t.TempDir(), "/does/not/exist.toml", none); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("a named file that is missing: %v", err)
	}
}

func TestAddressAsServed(t *testing.T) {
	served := config.Default(t.TempDir())
	served.Address = "https://backup.example:8443"
	if err := served.NoteAddress(); err != nil {
		t.Fatal(err)
	}
	for want, set := range map[string]func(*config.Config){
		"https://backup.example:8443": func(*config.Config) {},
		"https://other.example:1":     func(c *config.Config) { c.Address = "https://other.example:1" },
		"https://127.0.0.1:9443":      func(c *config.Config) { c.Listen = "127.0.0.1:9443" },
	} {
		c := config.Default(served.Data)
		set(&c)
		c.AsServed()
		if err := c.Validate(); err != nil || c.Address != want {
			t.Errorf("address %s, %v, want %s", c.Address, err, want)
		}
	}
}
