package secrets

import (
	"context"
	"fmt"

	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// keeper is a Store that Migrate can fill and empty.
type keeper interface {
	Store
	begin(ctx context.Context, identity secret.Secret) error
	clear(ctx context.Context) error
}

// Migrate moves identity and credentials from one store to the other: it fills the new one, reads all of it back, has the change
// recorded (record saves the agent's configuration), and only then empties the old one. Up to the record the old store is
// untouched and a failed Migrate can be run again.
func Migrate(ctx context.Context, from, to Config, record func() error) error {
	if from.Kind == to.Kind {
		return fault.New(fault.InvalidInput, "The secrets are in the store %q already.", to.Kind)
	}
	if from.Kind != fleet.SecretsKeyring && to.Kind != fleet.SecretsKeyring {
		return fault.New(fault.InvalidInput, "The sealed file cannot be moved from one key to another. Move the secrets to the store %q first, and from there.", fleet.SecretsKeyring)
	}
	source, err := Open(from)
	if err != nil {
		return err
	}
	to = to.filled()
	target, err := empty(ctx, to)
	if err != nil {
		return err
	}
	identity, err := source.Identity(ctx)
	if err != nil {
		return err
	}
	if err := target.begin(ctx, identity); err != nil {
		return err
	}
	if err := transfer(ctx, source, target); err != nil {
		return err
	}
	if err := record(); err != nil {
		return fmt.Errorf("record the secret store: %w", err)
	}
	old, ok := source.(keeper)
	if !ok {
		return fmt.Errorf("store %s cannot be emptied", source.Kind())
	}
	return old.clear(ctx)
}

// empty gives the target store with nothing in it, whatever an interrupted Migrate left there.
func empty(ctx context.Context, c Config) (keeper, error) {
	if err := datafolder.Make(c.folder()); err != nil {
		return nil, err
	}
	switch c.Kind {
	case fleet.SecretsKeyring:
		if err := c.Keyring.Available(ctx); err != nil {
			return nil, err
		}
		s := &keyringStore{ring: c.Keyring, folder: c.folder(), turn: newTurn()}
		left, err := exists(indexPath(s.folder))
		if err == nil && left {
			err = s.clear(ctx)
		}
		return s, err
	case fleet.SecretsSealedFile, fleet.SecretsSystemd:
		return newFileStore(ctx, c)
	}
	return nil, unknownKind(c.Kind)
}

func transfer(ctx context.Context, from, to Store) error {
	repos, err := from.List(ctx)
	if err != nil {
		return err
	}
	for _, repo := range repos {
		c, err := from.Get(ctx, repo)
		if err != nil {
			return err
		}
		if err := to.Put(ctx, repo, c); err != nil {
			return err
		}
		back, err := to.Get(ctx, repo)
		if err != nil {
			return err
		}
		if !same(c, back) {
			return fault.New(fault.SecretStore, "The new secret store gave back another password for repository %s than was stored. Nothing was changed; keep the store you have.", repo)
		}
	}
	return nil
}

func same(a, b secret.Credentials) bool {
	ta, errA := secret.EncodeCredentials(a)
	tb, errB := secret.EncodeCredentials(b)
	return errA == nil && errB == nil && ta.Equal(tb)
}
