package keyring_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

func TestRealSecretService(t *testing.T) {
	if !sharedtest.InSecretService(t, false) {
		return
	}
	ctx, k := context.Background(), keyring.New()
	if err := k.Available(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(ctx, "backstay-test", "nobody"); !errors.Is(err, keyring.ErrNotFound) {
		t.Fatalf("missing item: %v", err)
	}
	if err := k.Delete(ctx, "backstay-test", "nobody"); !errors.Is(err, keyring.ErrNotFound) {
		t.Fatalf("delete of a missing item: %v", err)
	}
	for _, value := range []string{rand.Text(), "ünïcode 'quotes\" \\ and $HOME", strings.Repeat("x", keyring.MaxItem)} {
		if err := k.Set(ctx, "backstay-test", "user", secret.New(value)); err != nil {
			t.Fatal(err)
		}
		got, err := k.Get(ctx, "backstay-test", "user")
		if err != nil || got.Reveal() != value {
			t.Fatalf("read back %d of %d bytes, err %v", len(got.Reveal()), len(value), err)
		}
	}
	if err := k.Delete(ctx, "backstay-test", "user"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(ctx, "backstay-test", "user"); !errors.Is(err, keyring.ErrNotFound) {
		t.Fatalf("deleted item: %v", err)
	}
}

// A locked keyring with nobody there to type its password: the call must end, and not as "not found".
func TestLockedSecretService(t *testing.T) {
	if !sharedtest.InSecretService(t, true) {
		return
	}
	k := keyring.New()
	begin := time.Now()
	err := k.Available(context.Background())
	if fault.CodeOf(err) != fault.SecretStore || errors.Is(err, keyring.ErrNotFound) {
		t.Fatalf("locked keyring: %v", err)
	}
	if d := time.Since(begin); d > 2*keyring.Limit {
		t.Fatalf("took %v", d)
	}
	if _, err := k.Get(context.Background(), "backstay-test", "user"); fault.CodeOf(err) != fault.SecretStore {
		t.Fatalf("read from a locked keyring: %v", err)
	}
}
