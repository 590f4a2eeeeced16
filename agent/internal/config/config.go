package config

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Config is agent.toml. Its zero values are not usable: see Load and Validate.
type Config struct {
	DataDir string `toml:"-"`

	// Set by enrolment.
	Server     string            `toml:"server"` // "https://host:port"
	CAPin      string            `toml:"ca_pin"` // pin of the daemon's CA, as the enrolment token carried it
	AgentID    fleet.AgentID     `toml:"agent_id"`
	HostID     fleet.HostID      `toml:"host_id"`
	Secrets    fleet.SecretStore `toml:"secrets"`
	SealingKey string            `toml:"sealing_key"` // public half of the sealing identity

	// Free to edit.
	KeyDir   string `toml:"key_dir,omitempty"`   // folder of the sealed file's key; beside the data folder when empty
	Restic   string `toml:"restic,omitempty"`    // absolute path; looked for on PATH when empty
	LogLevel string `toml:"log_level,omitempty"` // debug, info, warn, error; info when empty

	// CancelGrace is the time between asking restic to end and ending it; 90 s when 0, because restic with a dead server needs 60.
	CancelGrace Duration `toml:"cancel_grace,omitempty"`
}

// Environment variables. DataEnv is read by the commands, before there is a Config.
const (
	DataEnv     = "BACKSTAY_AGENT_DATA"
	serverEnv   = "BACKSTAY_AGENT_SERVER"
	resticEnv   = "BACKSTAY_AGENT_RESTIC"
	keyDirEnv   = "BACKSTAY_AGENT_KEY_DIR"
	logLevelEnv = "BACKSTAY_AGENT_LOG_LEVEL"
)

// Load reads agent.toml of the data folder, lets the environment replace settings, and validates the result. A host that is not
// enrolled gives fault.NotFound.
func Load(dataDir string, getenv func(string) string) (Config, error) {
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return Config{}, fmt.Errorf("resolve data folder %s: %w", dataDir, err)
	}
	path := File(dataDir)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return Config{}, fault.Wrap(fault.NotFound, err, "This host is not enrolled: there is no %s. Run `backstay-agent enrol` with a token first, or name the right folder with --data.", path)
	}
	if err != nil {
		return Config{}, fault.Wrap(fault.InvalidInput, err, "The agent's configuration %s cannot be read. Run the agent as the account that enrolled the host.", path)
	}
	c, err := parse(b, path)
	if err != nil {
		return Config{}, err
	}
	c.DataDir = dataDir
	for name, to := range map[string]*string{serverEnv: &c.Server, resticEnv: &c.Restic, keyDirEnv: &c.KeyDir, logLevelEnv: &c.LogLevel} {
		if v := getenv(name); v != "" {
			*to = v
		}
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func parse(b []byte, path string) (Config, error) {
	var c Config
	meta, err := toml.Decode(string(b), &c)
	if err != nil {
		return Config{}, fault.Wrap(fault.InvalidInput, err, "The agent's configuration %s is not valid TOML. Correct it, or enrol the host again.", path)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return Config{}, fault.New(fault.InvalidInput, "The agent's configuration %s has an unknown setting %q. Correct or remove it.", path, unknown[0].String())
	}
	return c, nil
}

// Save writes agent.toml, readable by the agent's account alone.
func (c Config) Save() error {
	if err := c.Validate(); err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString("# Written by `backstay-agent enrol`. The first part is this host's identity and is not to be edited; key_dir, restic and\n# log_level may be.\n\n")
	if err := toml.NewEncoder(&out).Encode(c); err != nil {
		return fmt.Errorf("encode agent configuration: %w", err)
	}
	if err := atomicfile.Write(File(c.DataDir), out.Bytes(), 0o600); err != nil {
		return fault.Wrap(fault.InvalidInput, err, "The agent's configuration cannot be written to %s. Check the folder's owner and free space.", c.DataDir)
	}
	return nil
}

// Check is Validate for a host that is about to be enrolled and has no ids yet.
func (c Config) Check() error {
	c.AgentID, c.HostID = "new", "new"
	return c.Validate()
}

// Validate names the first setting that is not usable.
func (c Config) Validate() error {
	if !filepath.IsAbs(c.DataDir) {
		return setting("data folder", c.DataDir, "an absolute path")
	}
	if server, err := ParseServer(c.Server); err != nil {
		return err
	} else if server != c.Server {
		return setting("server", c.Server, server)
	}
	if !printable(c.CAPin, 256) {
		return setting("ca_pin", c.CAPin, "the pin that the daemon printed")
	}
	if !fleet.ValidID(string(c.AgentID)) || !fleet.ValidID(string(c.HostID)) {
		return fault.New(fault.InvalidInput, "agent_id or host_id in the agent's configuration is not valid. Enrol the host again.")
	}
	if !c.Secrets.Valid() {
		return setting("secrets", string(c.Secrets), fmt.Sprintf("%s, %s or %s", fleet.SecretsKeyring, fleet.SecretsSealedFile, fleet.SecretsSystemd))
	}
	if !printable(c.SealingKey, 256) {
		return setting("sealing_key", c.SealingKey, "the public key that enrolment wrote")
	}
	for name, path := range map[string]string{"restic": c.Restic, "key_dir": c.KeyDir} {
		if path != "" && !filepath.IsAbs(path) {
			return setting(name, path, "an absolute path")
		}
	}
	if c.CancelGrace.Duration < 0 {
		return setting("cancel_grace", c.CancelGrace.String(), "a duration as in 90s")
	}
	if _, ok := levelOf(c.LogLevel); !ok {
		return setting("log_level", c.LogLevel, "debug, info, warn or error")
	}
	return nil
}

func setting(name, value, want string) error {
	return fault.New(fault.InvalidInput, "The agent's setting %s is %q. Set it to %s.", name, value, want)
}

func printable(s string, most int) bool {
	return s != "" && len(s) <= most && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Level is the log level of LogLevel.
func (c Config) Level() slog.Level {
	l, _ := levelOf(c.LogLevel) // Validate refused any other
	return l
}

func levelOf(s string) (slog.Level, bool) {
	switch s {
	case "debug":
		return slog.LevelDebug, true
	case "", "info":
		return slog.LevelInfo, true
	case "warn":
		return slog.LevelWarn, true
	case "error":
		return slog.LevelError, true
	}
	return slog.LevelInfo, false
}

// ParseServer gives the daemon's address in its one form "https://host:port"; the scheme may be left out, the port is 7443 then.
func ParseServer(s string) (string, error) {
	bad := func(err error) error {
		if strings.Contains(s, "@") {
			return fault.New(fault.InvalidInput, "The daemon's address must not have a user name or password in it. Give it as https://host:port.")
		}
		return fault.Wrap(fault.InvalidInput, err, "The daemon's address %q is not valid. Give it as https://host:port, without anything after the port.", s)
	}
	text := s
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", bad(errors.Unwrap(err)) // url.Error repeats the text, and it may hold a password
	}
	port := u.Port()
	if port == "" {
		port = DefaultPort
	}
	rest := u.Path + u.RawQuery + u.Fragment + u.Opaque
	if u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Trim(rest, "/") != "" || strings.HasSuffix(u.Host, ":") {
		return "", bad(nil)
	}
	return "https://" + joinHostPort(u.Hostname(), port), nil
}

func joinHostPort(host, port string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

// Duration is written as in "90s".
type Duration struct{ time.Duration }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(text))
	return err
}

// MarshalText writes a duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
