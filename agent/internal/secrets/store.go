package secrets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
)

// Store keeps credentials by repository.
type Store interface {
	Kind() fleet.SecretStore
	// Put stores c, replacing what was there, and returns once it is safe.
	Put(ctx context.Context, repo fleet.RepositoryID, c secret.Credentials) error
	// Get gives fault.NoSecret when the store holds nothing for repo and fault.SecretStore when it does not work.
	Get(ctx context.Context, repo fleet.RepositoryID) (secret.Credentials, error)
	// Delete removes the credentials of repo; there being none is no error.
	Delete(ctx context.Context, repo fleet.RepositoryID) error
	// List names the repositories with credentials, sorted.
	List(ctx context.Context) ([]fleet.RepositoryID, error)
	// Identity is the agent's sealing identity, to which credentials for this host are sealed.
	Identity(ctx context.Context) (secret.Secret, error)
}

// Keyring is what the keyring store needs of package keyring.
type Keyring interface {
	Set(ctx context.Context, service, user string, value secret.Secret) error
	Get(ctx context.Context, service, user string) (secret.Secret, error)
	Delete(ctx context.Context, service, user string) error
	Available(ctx context.Context) error
}

var _ Keyring = (*keyring.Keyring)(nil)

// Config says which store, and where.
type Config struct {
	Kind    fleet.SecretStore
	DataDir string // the agent's data folder
	// KeyDir is the folder of the sealed file's key; KeyFolder(DataDir) when empty.
	KeyDir string
	// CredentialsDir is systemd's $CREDENTIALS_DIRECTORY, empty when there is none.
	CredentialsDir string
	// Keyring is the OS keyring when nil.
	Keyring Keyring
	// Sealer is systemd's way to seal to this host; without one only the service itself gets at the key.
	Sealer Sealer
}

// Sealer seals a systemd credential to this host, and opens it again: as root, outside the service.
type Sealer interface {
	Seal(ctx context.Context, name string, value secret.Secret) ([]byte, error)
	Open(ctx context.Context, name, path string) (secret.Secret, error)
}

// KeyFolder is where the sealed file's key lies for an agent with this data folder: beside it, not in it.
func KeyFolder(dataDir string) string { return filepath.Clean(dataDir) + ".key" }

func (c Config) folder() string { return filepath.Join(c.DataDir, "secrets") }

func (c Config) filled() Config {
	if c.KeyDir == "" {
		c.KeyDir = KeyFolder(c.DataDir)
	}
	if c.Keyring == nil {
		c.Keyring = keyring.New()
	}
	return c
}

// Create makes the store of a host that is being enrolled, with a new sealing identity, after it proved that the store works.
// Where it was made before it is opened, and keeps its identity.
func Create(ctx context.Context, c Config) (Store, error) {
	c = c.filled()
	if err := datafolder.Make(c.folder()); err != nil {
		return nil, err
	}
	switch c.Kind {
	case fleet.SecretsKeyring:
		return createKeyring(ctx, c)
	case fleet.SecretsSealedFile, fleet.SecretsSystemd:
		return createFile(ctx, c)
	}
	return nil, unknownKind(c.Kind)
}

// Open opens the store that Create or Migrate made.
func Open(c Config) (Store, error) {
	c = c.filled()
	switch c.Kind {
	case fleet.SecretsKeyring:
		return openKeyring(c)
	case fleet.SecretsSealedFile, fleet.SecretsSystemd:
		return openFile(c)
	}
	return nil, unknownKind(c.Kind)
}

func unknownKind(k fleet.SecretStore) error {
	return fault.New(fault.InvalidInput, "There is no secret store %q. Choose %q, %q or %q.", k, fleet.SecretsKeyring, fleet.SecretsSealedFile, fleet.SecretsSystemd)
}

func notSetUp(k fleet.SecretStore) error {
	return fault.New(fault.SecretStore, "The secret store %q is not set up on this host. Enrol the host with --secrets=%s, or set the store back to the one that was chosen.", k, k)
}

func noSecret(repo fleet.RepositoryID) error {
	return fault.New(fault.NoSecret, "This host holds no password for repository %s. Store it from the console or the command line.", repo)
}

func checkID(repo fleet.RepositoryID) error {
	if !fleet.ValidID(string(repo)) {
		return fault.New(fault.InvalidInput, "The repository id is not valid.")
	}
	return nil
}

// turn lets one caller at a time change the files of a store. It is a channel and not a mutex, because disk and keyring are
// waited for while it is held; who waits for it gives up with its context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the secret store: %w", ctx.Err())
	}
}

func (t turn) give() { <-t }

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, broken(err)
	}
	return true, nil
}

// broken is the store's own files failing; err names no secret.
func broken(err error) error {
	return fault.Wrap(fault.SecretStore, err, "The secret store's files in the agent's data folder cannot be used. Check their owner, their permissions and the free space.")
}
