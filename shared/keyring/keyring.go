package keyring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	gokeyring "github.com/zalando/go-keyring"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// Limit is how long one call may take, the wait for a free slot included.
const Limit = 5 * time.Second

// MaxItem is the length in bytes of the longest value that every operating system's keyring takes.
const MaxItem = 2560

// ErrNotFound says that the keyring answered and holds no such item.
var ErrNotFound = errors.New("not in the keyring")

// backend is what of the library is used; tests put their own in its place.
type backend interface {
	Set(service, user, value string) error
	Get(service, user string) (string, error)
	Delete(service, user string) error
}

// Keyring reaches the OS keyring of the account that runs this process. It is safe for concurrent use; calls run one at a time.
type Keyring struct {
	backend backend
	limit   time.Duration
	// slot is held by the call under way. Full means: wait for it, within the own limit.
	slot chan struct{}
}

// New gives the OS keyring. It does not touch it: see Available.
func New() *Keyring { return newKeyring(system{}, Limit) }

func newKeyring(b backend, limit time.Duration) *Keyring {
	return &Keyring{backend: b, limit: limit, slot: make(chan struct{}, 1)}
}

// Set stores value under service and user, replacing what was there, and returns once it was read back.
func (k *Keyring) Set(ctx context.Context, service, user string, value secret.Secret) error {
	if n := len(value.Reveal()); n == 0 || n > MaxItem {
		return fault.New(fault.TooLarge, "A keyring item must have 1 to %d bytes, this one has %d. Use the sealed file for larger credentials.", MaxItem, n)
	}
	_, err := k.call(ctx, "store", func() (string, error) {
		if err := k.backend.Set(service, user, value.Reveal()); err != nil {
			return "", err
		}
		got, err := k.backend.Get(service, user)
		if err != nil || !value.Equal(secret.New(got)) {
			return "", fmt.Errorf("item is not there after it was stored: %w", errors.Join(err, errUnconfirmed))
		}
		return "", nil
	})
	return err
}

// Get gives the value under service and user, or ErrNotFound.
func (k *Keyring) Get(ctx context.Context, service, user string) (secret.Secret, error) {
	v, err := k.call(ctx, "read", func() (string, error) { return k.backend.Get(service, user) })
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(v), nil
}

// Delete removes the item under service and user, or gives ErrNotFound.
func (k *Keyring) Delete(ctx context.Context, service, user string) error {
	_, err := k.call(ctx, "delete", func() (string, error) { return "", k.backend.Delete(service, user) })
	return err
}

// Available tells whether the keyring works for this process, by storing, reading back and deleting a random item. The error
// is fault.SecretStore with the next step.
func (k *Keyring) Available(ctx context.Context) error {
	const service = "backstay-probe"
	user := rand.Text()
	if err := k.Set(ctx, service, user, secret.New(rand.Text())); err != nil {
		return err
	}
	if err := k.Delete(ctx, service, user); err != nil {
		return unusable("delete", err)
	}
	if _, err := k.Get(ctx, service, user); !errors.Is(err, ErrNotFound) {
		return unusable("delete", errors.Join(err, errUnconfirmed))
	}
	return nil
}

// errUnconfirmed says that the keyring reported success and did not do it.
var errUnconfirmed = errors.New("the keyring did not do what it confirmed")

type answer struct {
	value string
	err   error
}

// call runs f in its own goroutine, because a call of the library cannot be interrupted, and gives up on it after the limit.
func (k *Keyring) call(ctx context.Context, what string, f func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, k.limit)
	defer cancel()
	select {
	case k.slot <- struct{}{}:
	case <-ctx.Done():
		return "", unanswered(what, ctx.Err())
	}
	done := make(chan answer, 1) // room for the answer that nobody waits for any more
	go func() {
		defer func() { <-k.slot }()
		done <- guarded(f)
	}()
	select {
	case a := <-done:
		return a.value, classify(what, a.err)
	case <-ctx.Done():
		return "", unanswered(what, ctx.Err())
	}
}

// guarded turns a panic of f into an error: the library dereferences nil when the session bus goes away during a prompt.
func guarded(f func() (string, error)) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{err: fmt.Errorf("keyring library panicked: %v", r)}
		}
	}()
	v, err := f()
	return answer{value: v, err: err}
}

func classify(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errUnconfirmed):
		return unusable(what, err)
	case errors.Is(err, gokeyring.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, gokeyring.ErrSetDataTooBig):
		return fault.Wrap(fault.TooLarge, err, "The OS keyring refused an item as too long. Use the sealed file for larger credentials.")
	default:
		return unusable(what, err)
	}
}

func unusable(what string, err error) error {
	return fault.Wrap(fault.SecretStore, err, "The OS keyring could not %s an item. Check that a keyring is running and unlocked for this account, or choose the sealed file with --secrets=sealed-file.", what)
}

func unanswered(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s keyring item: %w", what, err)
	}
	return fault.Wrap(fault.SecretStore, err, "The OS keyring did not answer in time; it may be waiting for someone to unlock it. Unlock it and try again, or choose the sealed file with --secrets=sealed-file.")
}
