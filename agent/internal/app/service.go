package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/policy"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/secrets"
	agentsvc "github.com/backstay/backstay/agent/internal/svc"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/svc"
)

// Service is the agent of a data folder as a service, as far as that is known: a host that is not enrolled yet has a service, too.
func Service(dataDir string, user bool) (svc.Definition, error) {
	own, err := os.Executable()
	if err != nil {
		return svc.Definition{}, fmt.Errorf("find this program: %w", err)
	}
	if dataDir, err = filepath.Abs(dataDir); err != nil {
		return svc.Definition{}, fmt.Errorf("find the data folder: %w", err)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = dataDir
	}
	o := agentsvc.Options{User: user, Executable: own, DataDir: dataDir, ConfigFile: config.File(dataDir),
		LogDir: svc.LogDir(svc.System{GOOS: runtime.GOOS, User: user, Home: home}, dataDir)}
	cfg, err := config.Load(dataDir, os.Getenv)
	if fault.CodeOf(err) == fault.NotFound {
		return agentsvc.Definition(o), nil
	}
	if err != nil {
		return svc.Definition{}, err
	}
	p, err := policy.Load(cfg.PolicyFile(), dataDir)
	if err != nil {
		return svc.Definition{}, err
	}
	if root := p.RestoreRoot(); root != "" && !within(dataDir, root) {
		o.RestoreRoots, o.ForeignRoot = []string{root}, ofAnother(root)
	}
	if cfg.Secrets == fleet.SecretsSystemd {
		o.Credential, o.Sealed = secrets.CredentialName, secrets.CredentialFile(secretsConfig(cfg))
	}
	return agentsvc.Definition(o), nil
}

// AfterEnrol says what comes next. A service that was installed before the host was enrolled is brought up to date and started.
func AfterEnrol(ctx context.Context, cfg config.Config, user bool, w io.Writer) error {
	if s := serviceState(ctx, cfg.DataDir, user); s == nil || !s.Installed {
		_, err := fmt.Fprintln(w, "Next: backstay-agent install makes it a service; backstay-agent run runs it here and now.")
		return err
	}
	o, err := ServiceOrder(svc.Install, cfg.DataDir, user)
	if err != nil {
		return err
	}
	return svc.Control(ctx, o, w)
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// ServiceOrder is one command about the agent's service.
func ServiceOrder(verb svc.Verb, dataDir string, user bool) (svc.Order, error) {
	d, err := Service(dataDir, user)
	if err != nil {
		return svc.Order{}, err
	}
	o := svc.Order{Definition: d, Verb: verb, Folders: []string{d.DataDir, secrets.KeyFolder(d.DataDir)}}
	o.Drain = func(ctx context.Context) ([]string, error) { return endJobs(ctx, filepath.Join(d.DataDir, "jobs")) }
	if _, err := os.Stat(d.Config); errors.Is(err, os.ErrNotExist) {
		o.NextRun = "backstay-agent enrol, with the line that `backstayd enrol-token` or the console gives"
	}
	if verb == svc.Install && !user && len(d.Systemd.DropIn) > 0 {
		err = makeRestoreRoot(d.DataDir)
	}
	return o, err
}

// makeRestoreRoot makes the folder that the service shall write: what is not there when it starts stays closed to it.
func makeRestoreRoot(dataDir string) error {
	p, err := policy.Load(filepath.Join(dataDir, "policy.toml"), dataDir)
	if err != nil {
		return err
	}
	root := p.RestoreRoot()
	if root == "" || within(dataDir, root) {
		return nil
	}
	if err := os.MkdirAll(root, 0o700); err != nil {
		return fault.Wrap(fault.StorageDenied, err, "The restore root %s cannot be made. Name another one in policy.toml.", root)
	}
	return nil
}

// endLimit is what a job that is told to end may take, with a repository that does not answer as well.
const endLimit = 3 * time.Minute

// endJobs cancels the jobs that run in the folder and waits for their ends, so that no process is left and no lock in a repository.
func endJobs(ctx context.Context, dir string) (done []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	folders, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	for _, path := range folders {
		f := journal.Folder(path)
		if _, ended, err := f.Outcome(); err != nil || ended {
			continue
		}
		e, accepted, err := f.Read()
		if err != nil || !accepted {
			continue // being removed, or never accepted
		}
		s, known, err := f.ReadShim()
		if err != nil || !known {
			continue // it has not begun
		}
		if alive, err := s.Self.Alive(); err != nil || !alive {
			continue
		}
		if err := endJob(ctx, f, s.Self); err != nil {
			return done, err
		}
		done = append(done, "ended the running job "+string(e.Accepted.Spec.JobID))
	}
	return done, nil
}

func endJob(ctx context.Context, f journal.Folder, shim proc.Identity) error {
	if err := f.Cancel(journal.CancelMark{By: "uninstall", At: time.Now().UTC()}); err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if alive, err := shim.Alive(); err == nil && !alive {
			return nil
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.Timeout, context.Cause(ctx), "The job %s does not end. Nothing was uninstalled; try again once it has ended.", filepath.Base(string(f)))
		case <-tick.C:
		}
	}
}

// serviceState asks the service manager; nil when there is none to ask, or none that answers this account.
func serviceState(ctx context.Context, dataDir string, user bool) *svc.State {
	own, err := os.Executable()
	if err != nil {
		return nil
	}
	m, err := svc.Open(ctx, agentsvc.Definition(agentsvc.Options{User: user, Executable: own, DataDir: dataDir}))
	if err != nil {
		return nil
	}
	s, err := m.State(ctx)
	if err = errors.Join(err, m.Close()); err != nil {
		return nil
	}
	return &s
}
