// Package app puts the agent together: each part started, its end beside it, and no rule of its own. It also holds what the
// commands do besides running the agent: enrolment, status, doctor.
//
// Run owns every goroutine of the agent and returns when all are gone; the shims of running jobs go on.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/agent/internal/planner"
	"github.com/backstay/backstay/agent/internal/policy"
	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/systemd"
)

// Run connects to the daemon and runs its jobs until ctx ends.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) (err error) {
	folder, err := datafolder.Hold(cfg.DataDir, "backstay-agent")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Release()) }()
	store, err := secrets.Open(secretsConfig(cfg))
	if err != nil {
		return err
	}
	plans, err := planner.Open(cfg.PlanFile())
	if err != nil {
		return err
	}
	epochs, err := openEpoch(filepath.Join(cfg.DataDir, "epoch"))
	if err != nil {
		return err
	}
	facts := newFacts(cfg, store, log)
	jobRunner, err := newRunner(cfg, store, facts.tool, log)
	if err != nil {
		return err
	}
	jobRunner.Start(ctx)
	defer func() { err = errors.Join(err, jobRunner.Close()) }()

	scheduler, err := planner.NewScheduler(planner.SchedulerConfig{Plans: plans, Jobs: jobRunner, Host: cfg.HostID, Marks: cfg.MarksFile(), Log: log})
	if err != nil {
		return err
	}

	note := newStateNote(cfg)
	answers := &requests{cfg: cfg, store: store, runner: jobRunner, log: log}
	connection := session.New(session.Config{
		Server: cfg.Server, Pin: cfg.CAPin, AgentID: cfg.AgentID, IdentityDir: cfg.IdentityDir(), Facts: facts.collect,
		Jobs: jobs{jobRunner}, Requests: answers, Plans: plans, Epochs: epochs, Log: log,
		Connected: func(_ string, problem error) {
			if err := note.set(problem); err != nil {
				log.Warn("noting the state of the connection", "err", err)
			}
		},
	}, rand.Text())
	answers.changed = connection.FactsChanged
	renewer := identity.NewRenewer(identity.RenewerConfig{Dir: cfg.IdentityDir(), Address: cfg.Server, Pin: cfg.CAPin, Log: log})

	log.Info("agent is running", "server", cfg.Server, "host_id", cfg.HostID, "version", buildinfo.Version(), "secret_store", store.Kind())
	var wg sync.WaitGroup
	wg.Go(func() { connection.Run(ctx) })
	wg.Go(func() { renewer.Run(ctx) })
	wg.Go(func() { scheduler.Run(ctx) })
	wg.Go(func() { attend(ctx, func() { jobRunner.Busy() }, log) })
	wg.Wait()
	log.Info("agent stops; running jobs go on by themselves")
	return nil
}

// attend tells the service manager that the agent works, for as long as alive returns, and that it stops once ctx ends.
func attend(ctx context.Context, alive func(), log *slog.Logger) {
	notify := systemd.FromEnv(os.Getenv)
	if err := notify.Ready(); err != nil {
		log.Warn("telling the service manager", "err", err)
	}
	err := notify.Watch(ctx, func(context.Context) error { alive(); return nil })
	<-ctx.Done()
	if err := errors.Join(err, notify.Stopping()); err != nil {
		log.Warn("telling the service manager", "err", err)
	}
}

func newRunner(cfg config.Config, store secrets.Store, tool *tool, log *slog.Logger) (*runner.Runner, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = cfg.DataDir // restic and ssh want one
	}
	ceiling, err := policy.Load(cfg.PolicyFile(), cfg.DataDir)
	if err != nil {
		return nil, err
	}
	return runner.New(runner.Config{
		Dir: cfg.JobsDir(), Executable: own, Restic: tool.find, Secrets: store.Get, MaxParallel: ceiling.MaxParallelJobs, Log: log,
		Scope:  newScope(os.Getenv, os.Geteuid() != 0),
		Tool:   shim.Tool{Home: home, CacheDir: cfg.CacheDir(), Path: os.Getenv("PATH")},
		Timing: shim.Timing{Grace: cfg.CancelGrace.Duration},
		Policy: func(spec fleet.JobSpec) error {
			p, err := policy.Load(cfg.PolicyFile(), cfg.DataDir)
			if err != nil {
				return err
			}
			return p.Check(spec)
		},
		RestoreTarget: func(spec fleet.JobSpec) (string, error) {
			p, err := policy.Load(cfg.PolicyFile(), cfg.DataDir)
			if err != nil {
				return "", err
			}
			return p.RestoreTarget(spec)
		},
	})
}

// RunJob is the shim: it takes the process over when args (as in os.Args) are those of a job's own process, before anything else of
// the agent is set up.
func RunJob(args []string, stdin io.Reader) (code int, mine bool) {
	if len(args) != 4 || args[1] != "run-job" || args[2] != "--dir" {
		return 0, false
	}
	return shim.Main(context.Background(), args[3], stdin), true
}
