package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/backstay/backstay/daemon/internal/config"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// local is who changes things by a command on the daemon's own host.
var local = control.Actor{Name: "local", Role: fleet.RoleAdmin}

// Admin changes the daemon's data from a command on its own host, whether the daemon runs or not.
type Admin struct {
	control *control.Service
	pin     string
	close   []func() error
}

// OpenAdmin opens the data of cfg. Close it.
func OpenAdmin(ctx context.Context, cfg config.Config) (*Admin, error) {
	if err := datafolder.Make(cfg.Data); err != nil {
		return nil, err
	}
	ca, err := openPKI(cfg, cfg.CertificateNames(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	store, err := sqlite.OpenStore(ctx, statePath(cfg), time.Now())
	if err != nil {
		return nil, err
	}
	logs, err := joblog.Open(joblog.Config{Dir: cfg.Data})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	service := control.New(control.Config{Store: store, Logs: logs, Address: cfg.Address, CAPin: ca.Pin(), SessionTTL: cfg.SessionLifetime.Duration})
	return &Admin{control: service, pin: ca.Pin(), close: []func() error{logs.Close, store.Close}}, nil
}

// Close closes the data.
func (a *Admin) Close() error {
	var errs []error
	for _, c := range a.close {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// Pin is the pin of the daemon's CA.
func (a *Admin) Pin() string { return a.pin }

// AddUser adds a person who may sign in.
func (a *Admin) AddUser(ctx context.Context, name, password string, role fleet.Role) (api.User, error) {
	return a.control.CreateUser(ctx, local, api.UserRequest{Name: name, Password: password, Role: role})
}

// EnrolmentToken makes a single-use token for an agent.
func (a *Admin) EnrolmentToken(ctx context.Context, validFor time.Duration) (api.EnrolmentToken, error) {
	return a.control.CreateEnrolmentToken(ctx, local, api.EnrolmentTokenRequest{ValidForMS: validFor.Milliseconds()})
}

// NoteRestored says that the data folder of cfg, or a part of it, was put back from a copy: a new epoch begins, and the agents send
// again what they still hold. The daemon must not run.
func NoteRestored(ctx context.Context, cfg config.Config) (err error) {
	if !Exists(cfg) {
		return fault.New(fault.NotFound, "There is no store in the data folder %s. Put the copy there first, or name the right folder with --data.", cfg.Data)
	}
	folder, err := datafolder.Hold(cfg.Data, "backstayd")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Release()) }()
	store, err := sqlite.OpenStore(ctx, statePath(cfg), time.Now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.Renew(ctx, time.Now())
}

// Exists tells whether the data folder was ever used.
func Exists(cfg config.Config) bool {
	_, err := os.Stat(statePath(cfg))
	return err == nil
}

func statePath(cfg config.Config) string { return filepath.Join(cfg.Data, "state.db") }

func openPKI(cfg config.Config, names []string, log *slog.Logger) (*pki.PKI, error) {
	return pki.Open(pki.Config{Dir: filepath.Join(cfg.Data, "pki"), Names: names, Log: log})
}
