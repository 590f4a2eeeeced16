package secrets_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

const planted = "hunter2-planted"

// ring is a keyring in memory; err, when set, is what every call gives.
type ring struct {
	mu    sync.Mutex
	items map[string]secret.Secret
	err   error
}

func (r *ring) Set(_ context.Context, service, user string, v secret.Secret) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.items == nil {
		r.items = map[string]secret.Secret{}
	}
	if len(v.Reveal()) > keyring.MaxItem {
		return errors.New("item is too long for a keyring")
	}
	if r.err == nil {
		r.items[service+"|"+user] = v
	}
	return r.err
}

func (r *ring) Get(_ context.Context, service, user string) (secret.Secret, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.items[service+"|"+user]
	if !ok && r.err == nil {
		return secret.Secret{}, keyring.ErrNotFound
	}
	return v, r.err
}

func (r *ring) Delete(_ context.Context, service, user string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.items[service+"|"+user]; !ok && r.err == nil {
		return keyring.ErrNotFound
	}
	if r.err == nil {
		delete(r.items, service+"|"+user)
	}
	return r.err
}

func (r *ring) Available(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *ring) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *ring) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.items)
}

func credentials() secret.Credentials {
	return secret.Credentials{Password: secret.New(planted), REST: &secret.RESTCredentials{User: "u", Password: secret.New(planted + "-rest")}}
}

// long is more than a keyring item takes.
func long() secret.Credentials {
	token := secret.New(planted + strings.Repeat("t", keyring.MaxItem))
	return secret.Credentials{Password: secret.New(planted), S3: &secret.S3Credentials{AccessKeyID: "a", SecretAccessKey: secret.New(planted), SessionToken: token}}
}

func equal(a, b secret.Credentials) bool {
	ta, errA := secret.EncodeCredentials(a)
	tb, errB := secret.EncodeCredentials(b)
	return errA == nil && errB == nil && ta.Equal(tb)
}

func configs(t *testing.T) map[string]secrets.Config {
	t.Helper()
	key, _, err := secret.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	systemd := t.TempDir()
	if err := os.WriteFile(filepath.Join(systemd, secrets.CredentialName), []byte(key.Reveal()+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	dir := func() string { return filepath.Join(t.TempDir(), "data [1]") }
	return map[string]secrets.Config{
		"keyring":           {Kind: fleet.SecretsKeyring, DataDir: dir(), Keyring: &ring{}},
		"key file":          {Kind: fleet.SecretsSealedFile, DataDir: dir(), Keyring: &ring{err: errors.New("not to be used")}},
		"credential":        {Kind: fleet.SecretsSystemd, DataDir: dir(), CredentialsDir: systemd, Keyring: &ring{err: errors.New("not to be used")}},
		"sealed by systemd": {Kind: fleet.SecretsSystemd, DataDir: dir(), Sealer: &sealer{}, Keyring: &ring{err: errors.New("not to be used")}},
	}
}

// sealer stands for systemd-creds.
type sealer struct{ held map[string]secret.Secret }

func (s *sealer) Seal(_ context.Context, name string, value secret.Secret) ([]byte, error) {
	s.held = map[string]secret.Secret{name: value}
	return []byte("sealed\n"), nil
}

func (s *sealer) Open(_ context.Context, name, path string) (secret.Secret, error) {
	if b, err := os.ReadFile(path); err != nil || string(b) != "sealed\n" || s.held[name].IsZero() {
		return secret.Secret{}, errors.Join(errors.New("not sealed by me"), err)
	}
	return s.held[name], nil
}

func TestStores(t *testing.T) {
	for name, c := range configs(t) {
		t.Run(name, func(t *testing.T) { storeContract(t, c) })
	}
}

func TestRealKeyring(t *testing.T) {
	if !sharedtest.InSecretService(t, false) {
		return
	}
	storeContract(t, secrets.Config{Kind: fleet.SecretsKeyring, DataDir: t.TempDir()})
}

// storeContract is what every store promises.
func storeContract(t *testing.T, c secrets.Config) {
	ctx := t.Context()
	if _, err := secrets.Open(c); fault.CodeOf(err) != fault.SecretStore {
		t.Fatalf("opened before it was made: %v", err)
	}
	s, err := secrets.Create(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := s.Identity(ctx)
	if err != nil || identity.IsZero() || s.Kind() != c.Kind {
		t.Fatalf("kind %s, identity: %v", s.Kind(), err)
	}
	if _, err := s.Get(ctx, "repo"); fault.CodeOf(err) != fault.NoSecret {
		t.Fatalf("nothing stored: %v", err)
	}
	if err := s.Delete(ctx, "repo"); err != nil {
		t.Fatalf("delete of nothing: %v", err)
	}
	want := map[fleet.RepositoryID]secret.Credentials{"b:1": credentials(), "a": long(), "B:1": {Password: secret.New("x")}, "c": credentials()}
	for repo, cred := range want {
		if err := s.Put(ctx, repo, cred); err != nil {
			t.Fatal(err)
		}
	}
	want["c"], want["b:1"] = long(), secret.Credentials{Password: secret.New("other")} // replaced: longer, shorter
	for _, repo := range []fleet.RepositoryID{"c", "b:1"} {
		if err := s.Put(ctx, repo, want[repo]); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = secrets.Open(c); err != nil { // as after a restart
		t.Fatal(err)
	}
	holds(t, s, want)
	if again, err := secrets.Create(ctx, c); err != nil {
		t.Fatal(err)
	} else if id, err := again.Identity(ctx); err != nil || !id.Equal(identity) {
		t.Fatalf("enrolled again, the identity changed (%v)", err)
	}
	for _, repo := range []fleet.RepositoryID{"c", "a"} {
		if err := s.Delete(ctx, repo); err != nil {
			t.Fatal(err)
		}
		delete(want, repo)
	}
	holds(t, s, want)
	concurrent(t, s)
	for _, repo := range []fleet.RepositoryID{"", "../x", "/identity", "a b"} {
		if err := s.Put(ctx, repo, credentials()); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("id %q: %v", repo, err)
		}
	}
	if err := s.Put(ctx, "repo", secret.Credentials{}); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("empty password: %v", err)
	}
	hidden(t, c, s, identity)
}

func holds(t *testing.T, s secrets.Store, want map[fleet.RepositoryID]secret.Credentials) {
	t.Helper()
	list, err := s.List(t.Context())
	if err != nil || !slices.Equal(list, slices.Sorted(maps.Keys(want))) {
		t.Fatalf("list %v, err %v", list, err)
	}
	for repo, cred := range want {
		if got, err := s.Get(t.Context(), repo); err != nil || !equal(got, cred) {
			t.Fatalf("%s: other credentials, err %v", repo, err)
		}
	}
}

func concurrent(t *testing.T, s secrets.Store) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 8 {
		repo := fleet.RepositoryID(fmt.Sprintf("many-%d", i))
		wg.Go(func() {
			if err := s.Put(t.Context(), repo, credentials()); err != nil {
				t.Error(err)
			}
			if got, err := s.Get(t.Context(), repo); err != nil || !equal(got, credentials()) {
				t.Errorf("%s: other credentials, err %v", repo, err)
			}
			if err := s.Delete(t.Context(), repo); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list, err := s.List(t.Context()); err != nil || len(list) != 2 {
		t.Fatalf("left %v, err %v", list, err)
	}
}

// hidden looks for the planted secret and the identity in every file of the data folder and in every way to print the store.
func hidden(t *testing.T, c secrets.Config, s secrets.Store, identity secret.Secret) {
	t.Helper()
	if err := s.Put(t.Context(), "planted", long()); err != nil {
		t.Fatal(err)
	}
	show := func(where, text string) {
		if strings.Contains(text, planted) || strings.Contains(text, identity.Reveal()) || strings.Contains(text, "AGE-SECRET-KEY") {
			t.Errorf("%s shows a secret", where)
		}
	}
	files := 0
	err := filepath.WalkDir(c.DataDir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if runtime.GOOS != "windows" && path != c.DataDir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if e.IsDir() {
			return nil
		}
		files++
		b, err := os.ReadFile(path)
		show(path, string(b))
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files looked at, err %v", files, err)
	}
	for _, v := range []any{s, c, credentials()} {
		show("fmt", fmt.Sprintf("%v %+v %#v %s", v, v, v, v))
		b, err := json.Marshal(v)
		if err == nil {
			show("json", string(b))
		}
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		show("slog", out.String())
	}
}

// A keyring that fails is an error of its own, never "no secret", never the other store.
func TestBrokenKeyring(t *testing.T) {
	ctx, r := t.Context(), &ring{}
	c := secrets.Config{Kind: fleet.SecretsKeyring, DataDir: t.TempDir(), Keyring: r}
	down := fault.New(fault.SecretStore, "The keyring is locked.")
	r.fail(down)
	if _, err := secrets.Create(ctx, c); !errors.Is(err, down) {
		t.Fatalf("made on a broken keyring: %v", err)
	}
	if _, err := secrets.Open(c); fault.CodeOf(err) != fault.SecretStore {
		t.Fatalf("opened: %v", err)
	}
	r.fail(nil)
	s, err := secrets.Create(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(ctx, "repo", credentials()); err != nil {
		t.Fatal(err)
	}
	r.fail(down)
	_, getErr := s.Get(ctx, "repo")
	_, otherErr := s.Get(ctx, "other")
	_, idErr := s.Identity(ctx)
	for what, err := range map[string]error{"get": getErr, "get other": otherErr, "identity": idErr,
		"put": s.Put(ctx, "repo", credentials()), "delete": s.Delete(ctx, "repo")} {
		if !errors.Is(err, down) {
			t.Errorf("%s on a broken keyring: %v", what, err)
		}
	}
	r.fail(nil)
	holds(t, s, map[fleet.RepositoryID]secret.Credentials{"repo": credentials()})
	*r = ring{} // someone emptied it
	if _, err := s.Get(ctx, "repo"); fault.CodeOf(err) != fault.SecretStore {
		t.Errorf("an emptied keyring: %v", err)
	}
	if _, err := s.Identity(ctx); fault.CodeOf(err) != fault.SecretStore {
		t.Errorf("an emptied keyring's identity: %v", err)
	}
}

func TestUnknownKind(t *testing.T) {
	for _, kind := range []fleet.SecretStore{"", "vaultish"} {
		c := secrets.Config{Kind: kind, DataDir: t.TempDir()}
		if _, err := secrets.Create(t.Context(), c); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("create %q: %v", kind, err)
		}
		if _, err := secrets.Open(c); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("open %q: %v", kind, err)
		}
	}
}
