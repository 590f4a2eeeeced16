package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/backstay/backstay/agent/internal/bell"
	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/shim"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// Config is what a Runner needs. The first part has no defaults.
type Config struct {
	Dir        string // the jobs folder
	Executable string // this program, absolute
	Restic     func(context.Context) (path, version string, err error)
	Secrets    func(context.Context, fleet.RepositoryID) (secret.Credentials, error)

	Arguments      []string                                                 // how Executable becomes a shim; the job's folder follows. "run-job --dir" when nil
	Tool           shim.Tool                                                // restic's surroundings; its Restic and Version come from the function above
	Policy         func(fleet.JobSpec) error                                // refuses what this host does not allow; everything is allowed when nil
	RestoreTarget  func(fleet.JobSpec) (string, error)                      // the folder a restore makes; no restores when nil
	Scope          func(ctx context.Context, id fleet.JobID, pid int) error // puts a new shim where the agent's end does not reach it; nothing when nil
	MaxParallel    int                                                      // jobs at a time; 2 when 0
	SecretsTimeout time.Duration                                            // 10 s when 0
	Keep           time.Duration                                            // how long a job is held that the daemon has whole; 72 h when 0
	KeepBytes      int64                                                    // and how much of the disk such jobs may take; 1 GiB when 0
	AskPause       time.Duration                                            // between tries to ask a repository about a job that died; 30 s when 0
	Timing         shim.Timing
	Now            func() time.Time
	Log            *slog.Logger
}

const (
	defaultParallel = 2
	defaultSecrets  = 10 * time.Second
	defaultKeep     = 72 * time.Hour
	defaultBytes    = 1 << 30
)

func (c Config) filled() Config {
	if c.Arguments == nil {
		c.Arguments = []string{"run-job", "--dir"}
	}
	if c.MaxParallel <= 0 {
		c.MaxParallel = defaultParallel
	}
	if c.SecretsTimeout <= 0 {
		c.SecretsTimeout = defaultSecrets
	}
	if c.Keep <= 0 {
		c.Keep = defaultKeep
	}
	if c.AskPause <= 0 {
		c.AskPause = defaultPause
	}
	if c.KeepBytes <= 0 {
		c.KeepBytes = defaultBytes
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Runner runs this host's jobs.
type Runner struct {
	cfg     Config
	journal *journal.Journal
	boot    string
	cancel  context.CancelFunc
	wait    sync.WaitGroup

	mu        sync.Mutex
	jobs      map[fleet.JobID]*job
	order     []*job // by acceptance
	accepting map[fleet.JobID]chan struct{}
	changed   bell.Bell
	begin     func(*job) // starts the goroutine of a waiting job; nil before Start
	closed    bool
}

// New opens the journal. Nothing runs before Start.
func New(cfg Config) (*Runner, error) {
	cfg = cfg.filled()
	boot, err := proc.BootID()
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(cfg.Dir)
	if err != nil {
		return nil, err
	}
	r := &Runner{cfg: cfg, journal: j, boot: boot, jobs: map[fleet.JobID]*job{}, accepting: map[fleet.JobID]chan struct{}{}}
	entries, err := j.Load()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		jb, err := r.held(e)
		if err != nil {
			return nil, err
		}
		r.add(jb)
	}
	return r, nil
}

// held is the job of a journal entry as a former agent left it.
func (r *Runner) held(e journal.Entry) (*job, error) {
	end, ended, err := e.Folder.Outcome()
	if err != nil {
		return nil, err
	}
	j := newJob(e)
	if j.acked, err = e.Folder.ReadAcked(); err != nil {
		return nil, fmt.Errorf("read acknowledgement: %w", err)
	}
	if _, j.cancelled, err = e.Folder.Cancelled(); err != nil {
		return nil, fmt.Errorf("read cancel mark: %w", err)
	}
	switch {
	case ended:
		j.phase, j.finished = phaseEnded, &end
		if s, ok, err := e.Folder.ReadShim(); err == nil && ok {
			j.started(s)
		}
	case e.Launch != "":
		j.phase = phaseActive
	case j.cancelled:
		j.phase = phaseEnding
		close(j.stop)
	}
	return j, nil
}

// add makes j known. The caller holds r.mu, or nobody else has r yet.
func (r *Runner) add(j *job) {
	r.jobs[j.id()] = j
	r.order = append(r.order, j)
}

// Start adopts what a former agent left running and goes on with what waits. The end of ctx ends all watching, and no job.
func (r *Runner) Start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begin = func(j *job) { r.wait.Go(func() { r.queue(ctx, j) }) }
	for _, j := range r.order {
		switch j.phase {
		case phaseActive:
			r.wait.Go(func() { r.adopt(ctx, j) })
		case phaseWaiting, phaseEnding:
			r.begin(j)
		}
	}
	r.scheduleLocked()
	r.wait.Go(func() { r.forget(ctx) })
}

// Close stops watching and waits until every goroutine is gone. Running shims run on. It may be called again.
func (r *Runner) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	if r.cancel != nil {
		r.cancel()
	}
	r.wait.Wait()
	r.mu.Lock()
	jobs := slices.Clone(r.order) // a call of Run may still add one, which the next agent runs
	r.mu.Unlock()
	var errs []error
	for _, j := range jobs {
		errs = append(errs, j.closeTail())
	}
	return errors.Join(errs...)
}

// scheduleLocked gives turns to waiting jobs: in order, one a repository, MaxParallel in all. An adopted job counts even when it is
// one too many.
func (r *Runner) scheduleLocked() {
	if r.begin == nil || r.closed {
		return
	}
	busy := map[fleet.RepositoryID]bool{}
	active := 0
	for _, j := range r.order {
		if j.phase == phaseActive {
			busy[j.repository()] = true
			active++
		}
	}
	for _, j := range r.order {
		if active >= r.cfg.MaxParallel {
			return
		}
		if j.phase != phaseWaiting || busy[j.repository()] {
			continue
		}
		busy[j.repository()] = true
		active++
		j.phase = phaseActive
		close(j.turn)
	}
}

// newID names a launch.
func newID() string { return rand.Text() }
