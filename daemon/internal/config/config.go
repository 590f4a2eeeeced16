// Package config is the daemon's configuration: defaults, then backstayd.toml, then the environment (BACKSTAYD_*), then flags,
// each overriding the one before. An unknown or impossible setting is refused with its name and an example.
// It has no state and starts no goroutine.
package config

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
)

// FileName is the configuration file that is read from the data folder when --config names no other.
const FileName = "backstayd.toml"

// DefaultPort is where agents, consoles and scripts find the daemon.
const DefaultPort = "7443"

// Config is the daemon's configuration. The names in the file and, after BACKSTAYD_ and in capitals, in the environment are those
// of the toml tags.
type Config struct {
	Data            string   `toml:"-"`                // data folder
	Listen          string   `toml:"listen"`           // host:port; an empty host is every address
	Address         string   `toml:"address"`          // https://host:port under which agents reach the daemon; made from Listen when empty
	Names           []string `toml:"names"`            // further host names and addresses for the certificate
	LogLevel        string   `toml:"log_level"`        // debug, info, warn, error
	Heartbeat       Duration `toml:"heartbeat"`        // how often agents report
	AwayLimit       Duration `toml:"away_limit"`       // jobs of a host that is away for longer are unknown
	JobTTL          Duration `toml:"job_ttl"`          // a job that could not be delivered for so long expires
	LogRetention    int      `toml:"log_retention"`    // months that logs are kept; 0 is for ever
	SessionLifetime Duration `toml:"session_lifetime"` // how long a sign-in lasts
}

// Duration is written as in "90s", "24h".
type Duration struct{ time.Duration }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return err
	}
	d.Duration = v
	return nil
}

// MarshalText writes a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Default is the configuration that nobody changed.
func Default(data string) Config {
	return Config{Data: data, Listen: ":" + DefaultPort, LogLevel: "info", Heartbeat: Duration{15 * time.Second},
		AwayLimit: Duration{2 * time.Minute}, JobTTL: Duration{24 * time.Hour}, SessionLifetime: Duration{12 * time.Hour}}
}

// Load gives the configuration of a data folder: the defaults, the file (path, or FileName in the data folder when path is empty;
// only a named file must exist) and the environment. Flags and Validate are the caller's.
func Load(data, path string, getenv func(string) string) (Config, error) {
	c := Default(data)
	named := path != ""
	if !named {
		path = filepath.Join(data, FileName)
	}
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
	case err != nil:
		return Config{}, fault.Wrap(fault.InvalidInput, err, "The configuration %s cannot be read. Check its name and permissions.", path)
	default:
		if err := decode(b, &c, path); err != nil {
			return Config{}, err
		}
	}
	if err := environment(&c, getenv); err != nil {
		return Config{}, err
	}
	return c, nil
}

// addressFile holds the address that the daemon of a data folder was last served under.
const addressFile = "address"

// NoteAddress keeps the address for other programs on this data folder: it may come from a flag that they do not see.
func (c *Config) NoteAddress() error {
	if err := atomicfile.Write(filepath.Join(c.Data, addressFile), []byte(c.Address+"\n"), 0o600); err != nil {
		return fault.Wrap(fault.StorageDenied, err, "The daemon's address cannot be noted in its data folder. Check the folder's owner and rights.")
	}
	return nil
}

// AsServed takes the noted address when no other setting names one.
func (c *Config) AsServed() {
	if c.Address != "" || c.Listen != Default(c.Data).Listen {
		return
	}
	if b, err := os.ReadFile(filepath.Join(c.Data, addressFile)); err == nil { // without it the default is as good a guess as any
		c.Address = strings.TrimSpace(string(b))
	}
}

func decode(b []byte, c *Config, path string) error {
	meta, err := toml.NewDecoder(bytes.NewReader(b)).Decode(c)
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "The configuration %s is not right: %s. Mend that line.", path, err)
	}
	if left := meta.Undecoded(); len(left) > 0 {
		return fault.New(fault.InvalidInput, "The configuration %s has an unknown setting %q. Remove it or mend its name.", path, left[0].String())
	}
	return nil
}

func environment(c *Config, getenv func(string) string) error {
	texts := map[string]*string{"LISTEN": &c.Listen, "ADDRESS": &c.Address, "LOG_LEVEL": &c.LogLevel}
	for name, to := range texts {
		if v := getenv("BACKSTAYD_" + name); v != "" {
			*to = v
		}
	}
	durations := map[string]*Duration{"HEARTBEAT": &c.Heartbeat, "AWAY_LIMIT": &c.AwayLimit, "JOB_TTL": &c.JobTTL, "SESSION_LIFETIME": &c.SessionLifetime}
	for name, to := range durations {
		if v := getenv("BACKSTAYD_" + name); v != "" {
			if err := to.UnmarshalText([]byte(v)); err != nil {
				return fault.Wrap(fault.InvalidInput, err, "BACKSTAYD_%s is %q, which is not a duration. Write it as in 90s or 24h.", name, v)
			}
		}
	}
	if v := getenv("BACKSTAYD_NAMES"); v != "" {
		c.Names = strings.Split(v, ",")
	}
	if v := getenv("BACKSTAYD_LOG_RETENTION"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return fault.Wrap(fault.InvalidInput, err, "BACKSTAYD_LOG_RETENTION is %q, which is not a number of months.", v)
		}
		c.LogRetention = n
	}
	return nil
}

// Validate checks c and fills in what follows from other settings.
func (c *Config) Validate() error {
	bad := func(name, value, want string) error {
		return fault.New(fault.InvalidInput, "The setting %s is %q. It must be %s.", name, value, want)
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		return bad("listen", c.Listen, "host:port, as in 127.0.0.1:"+DefaultPort+" or :"+DefaultPort)
	}
	if c.Address == "" {
		c.Address = "https://" + net.JoinHostPort(reachable(host), port)
	}
	u, err := url.Parse(c.Address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Port() == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return bad("address", c.Address, "https://host:port")
	}
	if _, err := c.Level(); err != nil {
		return bad("log_level", c.LogLevel, "debug, info, warn or error")
	}
	for name, d := range map[string]Duration{"heartbeat": c.Heartbeat, "away_limit": c.AwayLimit, "job_ttl": c.JobTTL, "session_lifetime": c.SessionLifetime} {
		if d.Duration < time.Second {
			return bad(name, d.String(), "one second or more")
		}
	}
	if c.AwayLimit.Duration < 2*c.Heartbeat.Duration {
		return bad("away_limit", c.AwayLimit.String(), "at least twice the heartbeat")
	}
	if c.LogRetention < 0 {
		return bad("log_retention", strconv.Itoa(c.LogRetention), "a number of months, 0 for ever")
	}
	return nil
}

// reachable is the name under which others find a daemon that listens at host.
func reachable(host string) string {
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return host
	}
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

// Level is LogLevel as slog has it.
func (c *Config) Level() (slog.Level, error) {
	var l slog.Level
	err := l.UnmarshalText([]byte(c.LogLevel))
	return l, err
}

// CertificateNames are all names and addresses under which the daemon is to be reached.
func (c *Config) CertificateNames() []string {
	names := append([]string{}, c.Names...)
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && host != "" {
		names = append(names, host)
	}
	if u, err := url.Parse(c.Address); err == nil && u.Hostname() != "" {
		names = append(names, u.Hostname())
	}
	return names
}

// DefaultDataDir is the data folder where neither --data nor BACKSTAYD_DATA names one: the machine's for an administrator, the
// person's own otherwise.
func DefaultDataDir(goos string, admin bool, home string, getenv func(string) string) string {
	if v := getenv("BACKSTAYD_DATA"); v != "" {
		return v
	}
	switch {
	case goos == "windows" && admin:
		return filepath.Join(getenv("ProgramData"), "Backstay", "daemon")
	case goos == "windows":
		return filepath.Join(getenv("LocalAppData"), "Backstay", "daemon")
	case goos == "darwin" && admin:
		return "/Library/Application Support/Backstay/daemon"
	case goos == "darwin":
		return filepath.Join(home, "Library", "Application Support", "Backstay", "daemon")
	case admin:
		return "/var/lib/backstayd"
	}
	if v := getenv("XDG_DATA_HOME"); v != "" {
		return filepath.Join(v, "backstayd")
	}
	return filepath.Join(home, ".local", "share", "backstayd")
}
