// Package inventory gathers the facts that an agent tells the daemon about its host. It touches no secret: which repositories
// have one is known without opening the store, and the sealing key is its public half. No state, no goroutine.
package inventory

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// Config says where the facts come from.
type Config struct {
	Hostname     func() (string, error) // os.Hostname outside of tests
	AgentVersion string
	SealingKey   string
	SecretStore  fleet.SecretStore
	RestoreRoot  string
	// ListSecrets names the repositories whose credentials the host holds.
	ListSecrets func(context.Context) ([]fleet.RepositoryID, error)
	// ResticVersion finds a usable restic; its error is told to the log, and the daemon sees an empty version.
	ResticVersion func(context.Context) (string, error)
}

// Facts gathers them all. With an error the facts are still good to send: what could not be found out is empty.
func Facts(ctx context.Context, c Config) (agentwire.Facts, error) {
	f := agentwire.Facts{OS: runtime.GOOS, Arch: runtime.GOARCH, AgentVersion: c.AgentVersion, SealingKey: c.SealingKey,
		SecretStore: c.SecretStore, RestoreRoot: c.RestoreRoot}
	hostname, err := c.Hostname()
	if err != nil {
		err = fmt.Errorf("find host name: %w", err)
	}
	f.Hostname = hostname
	version, resticErr := c.ResticVersion(ctx)
	if resticErr == nil {
		f.ResticVersion = version
	} else {
		resticErr = fmt.Errorf("find restic: %w", resticErr)
	}
	repos, listErr := c.ListSecrets(ctx)
	if listErr == nil {
		f.Secrets = repos
	} else {
		listErr = fmt.Errorf("list secrets: %w", listErr)
	}
	return f, errors.Join(err, resticErr, listErr)
}
