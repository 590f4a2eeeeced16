package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/agent/internal/policy"
	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// EnrolOptions is what a person decides at enrolment.
type EnrolOptions struct {
	DataDir string
	Server  string
	Token   string // single use; it is written down only for a service that enrols itself
	Pin     string
	Secrets fleet.SecretStore // chosen for the kind of agent when empty
	System  bool              // the system's agent, not a person's own
	Restic  string            // absolute path; looked for on PATH when empty
	Again   bool              // replace the enrolment that is there
}

// Enrol makes this host known to a daemon: the secret store is chosen and proven, the identity made, and everything written down.
func Enrol(ctx context.Context, o EnrolOptions) (_ config.Config, err error) {
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return config.Config{}, fmt.Errorf("find the data folder: %w", err)
	}
	folder, err := datafolder.Hold(o.DataDir, "backstay-agent")
	if err != nil {
		return config.Config{}, err
	}
	defer func() { err = errors.Join(err, folder.Release()) }()
	cfg, err := enrolConfig(o)
	if err != nil {
		return config.Config{}, err
	}
	store, err := secrets.Create(ctx, secretsConfig(cfg))
	if err != nil {
		return config.Config{}, err
	}
	key, err := store.Identity(ctx)
	if err != nil {
		return config.Config{}, err
	}
	if cfg.SealingKey, err = secret.Recipient(key); err != nil {
		return config.Config{}, err
	}
	if _, err := policy.WriteDefault(cfg.PolicyFile(), cfg.DataDir); err != nil {
		return config.Config{}, err
	}
	// Whatever can be refused is refused before the token is spent.
	if err := cfg.Check(); err != nil {
		return config.Config{}, err
	}
	if _, err := checkData(cfg); err != nil {
		return config.Config{}, err
	}
	answer, err := identity.Enrol(ctx, identity.EnrolConfig{Dir: cfg.IdentityDir(), Address: cfg.Server, Pin: cfg.CAPin, Token: o.Token,
		Facts: newFacts(cfg, store, slog.New(slog.DiscardHandler)).collect(ctx)})
	if err != nil {
		return config.Config{}, err
	}
	cfg.AgentID, cfg.HostID = answer.AgentID, answer.HostID
	return cfg, cfg.Save()
}

func enrolConfig(o EnrolOptions) (config.Config, error) {
	if _, err := config.Load(o.DataDir, os.Getenv); err == nil && !o.Again {
		return config.Config{}, fault.New(fault.Conflict, "This host is enrolled already. `backstay-agent status` shows with which daemon; --again replaces it.")
	}
	server, err := config.ParseServer(o.Server)
	if err != nil {
		return config.Config{}, err
	}
	if o.Secrets == "" {
		if o.Secrets, err = chooseSecrets(o.System); err != nil {
			return config.Config{}, err
		}
	}
	if !o.Secrets.Valid() {
		return config.Config{}, fault.New(fault.InvalidInput, "Say with --secrets where this host keeps repository passwords: %s, %s or %s.", fleet.SecretsKeyring, fleet.SecretsSystemd, fleet.SecretsSealedFile)
	}
	if o.Restic != "" && !filepath.IsAbs(o.Restic) {
		return config.Config{}, fault.New(fault.InvalidInput, "The path of restic must be absolute, not %q.", o.Restic)
	}
	return config.Config{DataDir: o.DataDir, Server: server, CAPin: o.Pin, Secrets: o.Secrets, Restic: o.Restic}, nil
}

func secretsConfig(c config.Config) secrets.Config {
	return secrets.Config{Kind: c.Secrets, DataDir: c.DataDir, KeyDir: c.KeyDir, CredentialsDir: os.Getenv("CREDENTIALS_DIRECTORY"), Sealer: newSealer()}
}
