// Package app puts the daemon together: each part started, its end beside it, and no rule of its own.
//
// Run owns every goroutine of the daemon and returns when all are gone.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/backstay/backstay/daemon/internal/agentws"
	"github.com/backstay/backstay/daemon/internal/config"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/daemon/internal/metrics"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/daemon/internal/watch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/systemd"
)

// sweepEvery is how often what is due by the clock is looked after.
const sweepEvery = 5 * time.Second

// shutdownLimit bounds how long open requests may take once the daemon is asked to stop.
const shutdownLimit = 10 * time.Second

// Run serves until ctx ends. Set-up stops at the first error and undoes itself.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger) (err error) {
	var ends closers
	defer func() { err = errors.Join(err, ends.close()) }()

	folder, err := datafolder.Hold(cfg.Data, "backstayd")
	if err != nil {
		return err
	}
	ends.add(folder.Release)
	listener, err := listen(cfg.Listen)
	if err != nil {
		return err
	}
	ends.add(func() error { return ignoreClosed(listener.Close()) })
	if err := cfg.NoteAddress(); err != nil {
		return err
	}
	ca, err := openPKI(cfg, cfg.CertificateNames(), log)
	if err != nil {
		return err
	}
	store, err := sqlite.OpenStore(ctx, statePath(cfg), time.Now())
	if err != nil {
		return err
	}
	ends.add(store.Close)
	ends.add(func() error { return store.Mark(context.Background()) })
	if store.Renewed() {
		log.Warn("the store was put back from a copy: agents send again what they still hold", "restored_at", store.RestoredAt())
	}
	logs, err := joblog.Open(joblog.Config{Dir: cfg.Data, Log: log})
	if err != nil {
		return err
	}
	ends.add(logs.Close)
	core, err := newCore(ctx, cfg, log, store, logs, ca)
	if err != nil {
		return err
	}
	ends.add(core.background(ctx))
	ends.add(core.serve(listener))
	notify := systemd.FromEnv(os.Getenv)
	if err := notify.Ready(); err != nil {
		log.Warn("telling the service manager", "err", err)
	}
	ends.add(core.watchdog(ctx, notify))
	log.Info("daemon is ready", "listen", listener.Addr().String(), "address", cfg.Address, "ca_pin", ca.Pin(), "version", buildinfo.Version())
	select {
	case <-ctx.Done():
		log.Info("daemon stops")
		return notify.Stopping()
	case err := <-core.failed:
		return err
	}
}

// watchdog tells systemd that the daemon lives, for as long as the store answers; the function it gives ends that.
func (c *core) watchdog(parent context.Context, notify systemd.Notifier) func() error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	var wg sync.WaitGroup
	wg.Go(func() {
		err := notify.Watch(ctx, func(ctx context.Context) error {
			_, err := c.store.Rev(ctx)
			return err
		})
		if err != nil {
			c.log.Warn("telling the service manager's watchdog", "err", err)
		}
	})
	return func() error {
		cancel()
		wg.Wait()
		return nil
	}
}

// core is what stands on the stores.
type core struct {
	cfg      config.Config
	log      *slog.Logger
	store    *sqlite.Store
	logs     *joblog.Store
	service  *control.Service
	dispatch *dispatch.Dispatcher
	agents   *agentws.Handler
	api      *httpapi.Server
	server   *http.Server
	quiet    quietConns
	doors    *doors
	failed   chan error // the listener's end; holds one
}

func newCore(ctx context.Context, cfg config.Config, log *slog.Logger, store *sqlite.Store, logs *joblog.Store, ca *pki.PKI) (*core, error) {
	rev, err := store.Rev(ctx)
	if err != nil {
		return nil, err
	}
	c := &core{cfg: cfg, log: log, store: store, logs: logs, doors: newDoors(), failed: make(chan error, 1)}
	feed := watch.New(watch.Config{Rev: rev})
	numbers := metrics.New(metrics.Sources{Version: buildinfo.Version(), Logs: logs.Stats, Agents: func() int { return c.dispatch.Sessions() }})
	c.service = control.New(control.Config{Store: store, Logs: logs, Feed: numbers.Feed(feed), Log: log, Address: cfg.Address, CAPin: ca.Pin(),
		JobTTL: cfg.JobTTL.Duration, AwayLimit: cfg.AwayLimit.Duration, SessionTTL: cfg.SessionLifetime.Duration,
		Room: func() error { return sqlite.Fault(datafolder.Room(cfg.Data)) }})
	rows, _, err := c.service.WatchRows(ctx)
	if err != nil {
		return nil, err
	}
	numbers.Known(rows)
	c.dispatch = dispatch.New(dispatch.Config{Control: c.service, Log: log, Silence: 3*cfg.Heartbeat.Duration + 5*time.Second, StartWithin: cfg.JobTTL.Duration})
	c.service.SetDispatcher(c.dispatch)
	c.agents = agentws.New(agentws.Config{Control: c.service, Logs: logs, Dispatch: c.dispatch, Authority: ca, Log: log, Heartbeat: cfg.Heartbeat.Duration})
	c.api = httpapi.New(httpapi.Config{Control: c.service, Logs: logs, Feed: feed, Log: log, Metrics: numbers, MetricsPage: numbers.Handler(),
		AllowedHosts: cfg.CertificateNames(), Daemon: api.DaemonInfo{Version: buildinfo.Version(), Epoch: store.Epoch(), CAPin: ca.Pin()}})
	mux := http.NewServeMux()
	for _, path := range []string{agentwire.PathConnect, agentwire.PathEnrol, agentwire.PathRenew} {
		mux.Handle(path, c.agents)
	}
	mux.Handle("/", c.api)
	settings := ca.TLS()
	settings.GetConfigForClient = c.doors.admit
	c.server = &http.Server{Handler: mux, TLSConfig: settings, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnState: c.note}
	httpapi.Harden(c.server)
	return c, nil
}

// note follows the server's connections.
func (c *core) note(conn net.Conn, s http.ConnState) {
	c.doors.note(conn, s)
	c.quiet.note(conn, s)
}

// background runs what is due by the clock; the function it gives stops it.
func (c *core) background(parent context.Context) func() error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	var wg sync.WaitGroup
	wg.Go(func() { c.dispatch.Run(ctx) })
	wg.Go(func() { c.sweep(ctx) })
	return func() error {
		cancel()
		wg.Wait()
		return nil
	}
}

func (c *core) sweep(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	var garbage collector
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		garbage.tune()
		if err := c.service.Sweep(ctx); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "looking after what is due", "err", err)
		}
		if err := c.store.Mark(ctx); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "noting how far the store has come", "err", err)
		}
		if err := c.dropOldLogs(); err != nil {
			c.log.ErrorContext(ctx, "dropping old logs", "err", err)
		}
	}
}

// dropOldLogs removes the logs of months beyond the retention that somebody chose; by default there is none.
func (c *core) dropOldLogs() error {
	if c.cfg.LogRetention == 0 {
		return nil
	}
	dropped, err := c.logs.DropBefore(time.Now().UTC().AddDate(0, -c.cfg.LogRetention, 0))
	for _, name := range dropped {
		c.log.Info("logs beyond their retention were dropped", "file", name)
	}
	return err
}

// serve takes connections; the function it gives takes no new ones and ends those that are open: agents and consoles are told, each
// for a second at most, quiet connections are cut, and requests under way have until shutdownLimit.
func (c *core) serve(listener net.Listener) func() error {
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			c.failed <- fmt.Errorf("serve: %w", err)
		}
	})
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
		defer cancel()
		wg.Go(c.agents.Close)
		wg.Go(c.api.Close)
		c.doors.end()
		c.quiet.end()
		err := c.server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = c.server.Close()
		}
		wg.Wait()
		return ignoreClosed(err)
	}
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fault.Wrap(fault.AddressInUse, err, "Another program listens on %s. Stop it, or choose another address with --listen.", address)
	}
	if err != nil {
		return nil, fault.Wrap(fault.InvalidInput, err, "Cannot listen on %s. Choose an address of this machine with --listen.", address)
	}
	return l, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// closers end parts in the reverse order of their start.
type closers struct{ list []func() error }

func (c *closers) add(f func() error) { c.list = append(c.list, f) }

func (c *closers) close() error {
	var errs []error
	for i := len(c.list) - 1; i >= 0; i-- {
		errs = append(errs, c.list[i]())
	}
	c.list = nil
	return errors.Join(errs...)
}
