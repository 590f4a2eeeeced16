package app

import (
	"context"
	"log/slog"
	"os"
	"sync"

	"github.com/backstay/backstay/agent/internal/config"
	"github.com/backstay/backstay/agent/internal/inventory"
	"github.com/backstay/backstay/agent/internal/policy"
	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/fleet"
)

// StoreWords names a secret store for people.
func StoreWords(s fleet.SecretStore) string {
	switch s {
	case fleet.SecretsKeyring:
		return "the keyring of the operating system"
	case fleet.SecretsSealedFile:
		return "a sealed file"
	case fleet.SecretsSystemd:
		return "a sealed file whose key only systemd on this host can open"
	}
	return string(s)
}

// facts gathers what the daemon is told about this host.
type facts struct {
	cfg   config.Config
	store secrets.Store
	tool  *tool
	log   *slog.Logger

	mu     sync.Mutex
	lament string // what was missing at the last look; it is said once
}

func newFacts(cfg config.Config, store secrets.Store, log *slog.Logger) *facts {
	return &facts{cfg: cfg, store: store, tool: newTool(cfg), log: log}
}

// collect gives what could be found out; what could not is empty, and the log says why.
func (f *facts) collect(ctx context.Context) agentwire.Facts {
	got, err := inventory.Facts(ctx, inventory.Config{
		Hostname: os.Hostname, AgentVersion: buildinfo.Version(), SealingKey: f.cfg.SealingKey, SecretStore: f.store.Kind(),
		RestoreRoot: restoreRoot(f.cfg), ListSecrets: f.store.List,
		ResticVersion: func(ctx context.Context) (string, error) {
			_, version, err := f.tool.find(ctx)
			return version, err
		},
	})
	f.complain(ctx, err)
	return got
}

func (f *facts) complain(ctx context.Context, err error) {
	words := ""
	if err != nil {
		words = err.Error()
	}
	f.mu.Lock()
	said := words == f.lament
	f.lament = words
	f.mu.Unlock()
	if !said && err != nil {
		f.log.WarnContext(ctx, "some facts of this host are missing", "err", err)
	}
}

func restoreRoot(cfg config.Config) string {
	p, err := policy.Load(cfg.PolicyFile(), cfg.DataDir)
	if err != nil {
		return "" // nothing may be restored, and doctor says why
	}
	return p.RestoreRoot()
}
