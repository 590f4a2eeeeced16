package config

import "path/filepath"

// DefaultPort is the daemon's port where an address names none.
const DefaultPort = "7443"

// File is the configuration of a data folder.
func File(dataDir string) string { return filepath.Join(dataDir, "agent.toml") }

func (c Config) path(parts ...string) string {
	return filepath.Join(append([]string{c.DataDir}, parts...)...)
}

// IdentityDir holds key.pem, cert.pem and ca.pem.
func (c Config) IdentityDir() string { return c.path("identity") }

// PolicyFile is the host's own ceiling.
func (c Config) PolicyFile() string { return c.path("policy.toml") }

// PlanFile is the newest desired state that the daemon sent.
func (c Config) PlanFile() string { return c.path("plan.json") }

// MarksFile says up to where the slots of each plan's schedule are dealt with.
func (c Config) MarksFile() string { return c.path("schedules.json") }

// CacheDir is restic's cache.
func (c Config) CacheDir() string { return c.path("cache") }

// JobsDir has one folder for each job.
func (c Config) JobsDir() string { return c.path("jobs") }

// System is what DefaultDataDir depends on; main fills it.
type System struct {
	GOOS   string
	Admin  bool // runs as root or as a Windows service account
	Home   string
	Getenv func(string) string
}

// DefaultDataDir is the data folder where neither --data nor BACKSTAY_AGENT_DATA names one: the machine's for a system service, the
// person's own otherwise.
func DefaultDataDir(s System) string {
	if dir := s.Getenv(DataEnv); dir != "" {
		return dir
	}
	switch {
	case s.GOOS == "windows" && s.Admin:
		return filepath.Join(or(s.Getenv("ProgramData"), `C:\ProgramData`), "Backstay", "Agent")
	case s.GOOS == "windows":
		return filepath.Join(or(s.Getenv("LocalAppData"), s.Home), "Backstay", "Agent")
	case s.GOOS == "darwin" && s.Admin:
		return "/Library/Application Support/Backstay/Agent"
	case s.GOOS == "darwin":
		return filepath.Join(s.Home, "Library", "Application Support", "Backstay", "Agent")
	case s.Admin:
		return "/var/lib/backstay-agent"
	}
	return filepath.Join(or(s.Getenv("XDG_STATE_HOME"), filepath.Join(s.Home, ".local", "state")), "backstay-agent")
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
