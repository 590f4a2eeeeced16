package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/svc"
)

const stateFile = "state.json"

// connectionState is what a running agent notes for `status`.
type connectionState struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
	Problem   string    `json:"problem,omitempty"`
}

// stateNote writes connectionState whenever it changes.
type stateNote struct {
	path string

	mu   sync.Mutex
	last connectionState
}

func newStateNote(cfg config.Config) *stateNote {
	return &stateNote{path: filepath.Join(cfg.DataDir, stateFile)}
}

func (n *stateNote) set(err error) error {
	s := connectionState{Connected: err == nil}
	if err != nil {
		message, ok := fault.Message(err)
		if !ok {
			message = err.Error()
		}
		s.Problem = message
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.Connected == n.last.Connected && s.Problem == n.last.Problem && !n.last.Since.IsZero() {
		return nil
	}
	s.Since = time.Now().UTC()
	n.last = s
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return atomicfile.Write(n.path, b, 0o600)
}

// Status is what `backstay-agent status` shows.
type Status struct {
	Version     string               `json:"version"`
	DataDir     string               `json:"data_dir"`
	Server      string               `json:"server"`
	HostID      fleet.HostID         `json:"host_id"`
	Running     bool                 `json:"running"`
	Service     *svc.State           `json:"service,omitempty"`    // nil when no service manager answers
	Connection  *connectionState     `json:"connection,omitempty"` // of the running agent
	SecretStore fleet.SecretStore    `json:"secret_store"`
	KeySource   secrets.KeySource    `json:"key_source,omitempty"` // of a sealed file
	SealingKey  string               `json:"sealing_key"`
	Secrets     []fleet.RepositoryID `json:"secrets"`
	Jobs        []JobStatus          `json:"jobs"` // not yet ended
}

// JobStatus is one job of Status.
type JobStatus struct {
	ID   fleet.JobID   `json:"id"`
	Kind fleet.JobKind `json:"kind"`
	At   time.Time     `json:"accepted_at"`
}

// Inspect looks at an agent from outside, running or not. With an error the state of its service is there all the same.
func Inspect(ctx context.Context, dataDir string, user bool) (Status, error) {
	cfg, err := config.Load(dataDir, os.Getenv)
	if err != nil {
		return Status{Service: serviceState(ctx, dataDir, user)}, err
	}
	store, err := secrets.Open(secretsConfig(cfg))
	if err != nil {
		return Status{Service: serviceState(ctx, dataDir, user)}, err
	}
	s := Status{Version: buildinfo.Version(), DataDir: dataDir, Server: cfg.Server, HostID: cfg.HostID, SecretStore: store.Kind(),
		KeySource: secrets.Source(store), SealingKey: cfg.SealingKey}
	if s.Secrets, err = store.List(ctx); err != nil {
		return Status{}, err
	}
	if s.Running, err = isRunning(dataDir); err != nil {
		return Status{}, err
	}
	if s.Running {
		s.Connection = readState(cfg)
	}
	s.Service = serviceState(ctx, dataDir, user)
	s.Jobs, err = openJobs(cfg)
	return s, err
}

func isRunning(dataDir string) (bool, error) {
	folder, err := datafolder.Hold(dataDir, "backstay-agent")
	if fault.CodeOf(err) == fault.DataLocked {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, folder.Release()
}

func readState(cfg config.Config) *connectionState {
	b, err := os.ReadFile(filepath.Join(cfg.DataDir, stateFile))
	if err != nil {
		return nil // an agent that has just begun
	}
	var s connectionState
	if json.Unmarshal(b, &s) != nil {
		return nil
	}
	return &s
}

func openJobs(cfg config.Config) ([]JobStatus, error) {
	if _, err := os.Stat(cfg.JobsDir()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	folders, err := filepath.Glob(filepath.Join(cfg.JobsDir(), "*"))
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	var open []JobStatus
	for _, path := range folders {
		entry, ok, err := journal.Folder(path).Read()
		if err != nil || !ok {
			continue // being removed, or never accepted
		}
		if _, ended, err := entry.Folder.Outcome(); err == nil && !ended {
			open = append(open, JobStatus{ID: entry.Accepted.Spec.JobID, Kind: entry.Accepted.Spec.Kind, At: entry.Accepted.At})
		}
	}
	return open, nil
}

// Write shows s to a person, or as JSON.
func (s Status) Write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	state := s.notRunning()
	switch {
	case s.Running && s.Connection != nil && s.Connection.Connected:
		state = "running, connected since " + s.Connection.Since.Local().Format(time.DateTime)
	case s.Running && s.Connection != nil:
		state = "running, not connected since " + s.Connection.Since.Local().Format(time.DateTime) + ": " + s.Connection.Problem
	case s.Running:
		state = "running"
	}
	store := StoreWords(s.SecretStore)
	if s.KeySource != "" {
		store += " (key: " + string(s.KeySource) + ")"
	}
	_, err := fmt.Fprintf(w, "agent %s: %s\nservice: %s\ndaemon: %s\nhost: %s\nrepository passwords: %d, in %s\nsealing key: %s\ndata: %s\njobs: %d open\n",
		s.Version, state, s.Service.String("backstay-agent"), s.Server, s.HostID, len(s.Secrets), store, s.SealingKey, s.DataDir, len(s.Jobs))
	for _, j := range s.Jobs {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %s  %s  since %s\n", j.ID, j.Kind, j.At.Local().Format(time.DateTime))
		}
	}
	return err
}

func (s Status) notRunning() string {
	if s.Service != nil && s.Service.Installed {
		return "not running. Start it with: backstay-agent start"
	}
	return "not running. Start it with: backstay-agent install, or by hand with: backstay-agent run"
}
