package prefs

import (
	"context"
	"errors"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
)

// Services under which the console's items lie in the OS keyring.
const (
	sessionService    = "backstay-console"
	repositoryService = "backstay-console-repository"
)

// Vault keeps secrets of the console in the OS keyring. Its methods block, up to keyring.Limit; call them off the UI goroutine.
type Vault struct {
	ring Keyring
	// guard is called at the start of every blocking call; a test makes it fail on the UI goroutine.
	guard func()
}

// Keyring is what Vault needs of the OS keyring; shared/keyring has it.
type Keyring interface {
	Set(ctx context.Context, service, user string, value secret.Secret) error
	Get(ctx context.Context, service, user string) (secret.Secret, error)
	Delete(ctx context.Context, service, user string) error
}

var _ Keyring = (*keyring.Keyring)(nil)

// NewVault gives a vault over ring, or over this computer's own keyring when it is nil. guard may be nil.
func NewVault(ring Keyring, guard func()) *Vault {
	if ring == nil {
		ring = keyring.New()
	}
	if guard == nil {
		guard = func() {}
	}
	return &Vault{ring: ring, guard: guard}
}

// Token gives the session token of a profile; the zero Secret when none is kept.
func (v *Vault) Token(ctx context.Context, p Profile) (secret.Secret, error) {
	return v.get(ctx, sessionService, p.item())
}

// KeepToken stores the session token of a profile.
func (v *Vault) KeepToken(ctx context.Context, p Profile, token secret.Secret) error {
	return v.set(ctx, sessionService, p.item(), token)
}

// DropToken forgets the session token of a profile; one that is not there is no error.
func (v *Vault) DropToken(ctx context.Context, p Profile) error {
	v.guard()
	err := v.ring.Delete(ctx, sessionService, p.item())
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return explained(err)
}

// KeepPassword stores the password of a repository, for the person who typed it: the daemon never has it.
func (v *Vault) KeepPassword(ctx context.Context, p Profile, repository string, password secret.Secret) error {
	return v.set(ctx, repositoryService, repository+" at "+p.Address, password)
}

// Password gives the kept password of a repository; the zero Secret when none is kept.
func (v *Vault) Password(ctx context.Context, p Profile, repository string) (secret.Secret, error) {
	return v.get(ctx, repositoryService, repository+" at "+p.Address)
}

func (p Profile) item() string { return p.User + " at " + p.Address }

func (v *Vault) set(ctx context.Context, service, user string, value secret.Secret) error {
	v.guard()
	return explained(v.ring.Set(ctx, service, user, value))
}

func (v *Vault) get(ctx context.Context, service, user string) (secret.Secret, error) {
	v.guard()
	s, err := v.ring.Get(ctx, service, user)
	if errors.Is(err, keyring.ErrNotFound) {
		return secret.Secret{}, nil
	}
	return s, explained(err)
}

// explained puts the console's words in the place of the keyring's, which speak of an option that the console does not have.
func explained(err error) error {
	if err == nil || fault.CodeOf(err) != fault.SecretStore {
		return err
	}
	return fault.Wrap(fault.SecretStore, err, "The keyring of this computer did not answer. Unlock it, or sign in for this session only.")
}
