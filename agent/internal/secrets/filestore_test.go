package secrets_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

func made(t *testing.T, c secrets.Config) secrets.Store {
	t.Helper()
	s, err := secrets.Create(t.Context(), c)
	if err == nil {
		err = s.Put(t.Context(), "repo", credentials())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeyFileLiesApartAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := made(t, secrets.Config{Kind: fleet.SecretsSealedFile, DataDir: dir})
	if secrets.Source(s) != secrets.KeyFromFile {
		t.Errorf("source %q", secrets.Source(s))
	}
	for path, mode := range map[string]os.FileMode{secrets.KeyFolder(dir): 0o700, filepath.Join(secrets.KeyFolder(dir), "secrets.key"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
}

// Nothing is guessed, made anew or emptied when the key or the file is not what it was.
func TestSealedFileRefuses(t *testing.T) {
	keyFile := func(c secrets.Config) string { return filepath.Join(secrets.KeyFolder(c.DataDir), "secrets.key") }
	sealed := func(c secrets.Config) string { return filepath.Join(c.DataDir, "secrets", "secrets.age") }
	other, _, err := secret.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(c *secrets.Config) error{
		"key missing":    func(c *secrets.Config) error { return os.Remove(keyFile(*c)) },
		"key damaged":    func(c *secrets.Config) error { return os.WriteFile(keyFile(*c), []byte("AGE-SECRET-KEY-1X"), 0o600) },
		"other key":      func(c *secrets.Config) error { return os.WriteFile(keyFile(*c), []byte(other.Reveal()), 0o600) },
		"sealed missing": func(c *secrets.Config) error { return os.Remove(sealed(*c)) },
		"sealed empty":   func(c *secrets.Config) error { return os.Truncate(sealed(*c), 0) },
		"sealed cut":     func(c *secrets.Config) error { return os.Truncate(sealed(*c), 300) },
		"record damaged": func(c *secrets.Config) error {
			return os.Truncate(filepath.Join(c.DataDir, "secrets", "sealed.json"), 3)
		},
		"key readable":      func(c *secrets.Config) error { return os.Chmod(keyFile(*c), 0o644) },
		"key folder open":   func(c *secrets.Config) error { return os.Chmod(secrets.KeyFolder(c.DataDir), 0o755) },
		"other store wants": func(c *secrets.Config) error { c.Kind, c.Keyring = fleet.SecretsKeyring, &ring{}; return nil },
	}
	for name, harm := range cases {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && (name == "key readable" || name == "key folder open") {
				t.Skip("no permission bits on Windows")
			}
			c := secrets.Config{Kind: fleet.SecretsSealedFile, DataDir: filepath.Join(t.TempDir(), "data")}
			made(t, c)
			if err := harm(&c); err != nil {
				t.Fatal(err)
			}
			if _, err := secrets.Open(c); fault.CodeOf(err) != fault.SecretStore {
				t.Errorf("open: %v", err)
			}
			if name == "other store wants" {
				return
			}
			if _, err := secrets.Create(t.Context(), c); fault.CodeOf(err) != fault.SecretStore {
				t.Errorf("create over it: %v", err)
			}
		})
	}
}

// A store sealed with systemd's credential never goes over to a key file, and one with a key file never to the credential.
func TestKeySourceIsRecorded(t *testing.T) {
	c := configs(t)["credential"]
	if s := made(t, c); secrets.Source(s) != secrets.KeyFromCredential {
		t.Fatalf("source %q", secrets.Source(s))
	}
	if _, err := os.Stat(secrets.KeyFolder(c.DataDir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key folder was made beside the credential: %v", err)
	}
	without := c
	without.CredentialsDir = ""
	if _, err := secrets.Open(without); fault.CodeOf(err) != fault.SecretStore {
		t.Errorf("opened without the credential: %v", err)
	}
	without.CredentialsDir = t.TempDir() // the unit gives other credentials only
	if _, err := secrets.Open(without); fault.CodeOf(err) != fault.SecretStore {
		t.Errorf("opened with another credential: %v", err)
	}
	without = c
	without.Kind = fleet.SecretsSealedFile
	if _, err := secrets.Open(without); fault.CodeOf(err) != fault.SecretStore {
		t.Errorf("opened as a store with a key file: %v", err)
	}
	file := secrets.Config{Kind: fleet.SecretsSealedFile, DataDir: filepath.Join(t.TempDir(), "data")}
	made(t, file)
	file.CredentialsDir = c.CredentialsDir
	s, err := secrets.Open(file)
	if err != nil || secrets.Source(s) != secrets.KeyFromFile {
		t.Errorf("key file beside a credential: %v", err)
	}
}

// Nothing weaker takes the place of systemd's credential, and the key that is sealed lies nowhere else.
func TestCredentialIsSealedOrRefused(t *testing.T) {
	c := secrets.Config{Kind: fleet.SecretsSystemd, DataDir: filepath.Join(t.TempDir(), "data")}
	if _, err := secrets.Create(t.Context(), c); fault.CodeOf(err) != fault.SecretStore {
		t.Fatalf("made without systemd-creds: %v", err)
	}
	tool := &sealer{}
	c.Sealer = tool
	made(t, c)
	key := tool.held[secrets.CredentialName].Reveal()
	files := 0
	err := filepath.WalkDir(filepath.Dir(c.DataDir), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), strings.TrimSpace(key)) {
			t.Errorf("%s holds the key", path)
		}
		return err
	})
	if err != nil || files < 3 || key == "" {
		t.Fatalf("%d files, key %d bytes, err %v", files, len(key), err)
	}
	if err := os.Remove(secrets.CredentialFile(c)); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.Open(c); fault.CodeOf(err) != fault.SecretStore {
		t.Errorf("opened without the sealed credential: %v", err)
	}
}

func TestMigrate(t *testing.T) {
	dir, r := filepath.Join(t.TempDir(), "data"), &ring{}
	inFile := secrets.Config{Kind: fleet.SecretsSealedFile, DataDir: dir, Keyring: r}
	inRing := secrets.Config{Kind: fleet.SecretsKeyring, DataDir: dir, Keyring: r}
	want := map[fleet.RepositoryID]secret.Credentials{"repo": credentials(), "long": long()}
	s := made(t, inFile)
	if err := s.Put(t.Context(), "long", long()); err != nil {
		t.Fatal(err)
	}
	identity, err := s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	migrateAndCheck := func(from, to secrets.Config) {
		t.Helper()
		recorded := false
		if err := secrets.Migrate(t.Context(), from, to, func() error { recorded = true; return nil }); err != nil || !recorded {
			t.Fatalf("recorded %v, err %v", recorded, err)
		}
		s, err := secrets.Open(to)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, s, want)
		if id, err := s.Identity(t.Context()); err != nil || !id.Equal(identity) {
			t.Fatalf("the identity changed (%v)", err)
		}
		if _, err := secrets.Open(from); fault.CodeOf(err) != fault.SecretStore {
			t.Errorf("the old store is still there: %v", err)
		}
	}
	failed := errors.New("disk full")
	if err := secrets.Migrate(t.Context(), inFile, inRing, func() error { return failed }); !errors.Is(err, failed) {
		t.Fatalf("not recorded: %v", err)
	}
	if s, err = secrets.Open(inFile); err != nil {
		t.Fatalf("the old store after a failed migration: %v", err)
	}
	holds(t, s, want)
	migrateAndCheck(inFile, inRing)
	migrateAndCheck(inRing, inFile)
	if n := r.count(); n != 0 {
		t.Errorf("%d items left in the keyring", n)
	}
	if err := secrets.Migrate(t.Context(), inFile, inFile, func() error { return nil }); fault.CodeOf(err) != fault.InvalidInput {
		t.Errorf("to itself: %v", err)
	}
	r.fail(fault.New(fault.SecretStore, "down"))
	if err := secrets.Migrate(t.Context(), inFile, inRing, func() error { return nil }); fault.CodeOf(err) != fault.SecretStore {
		t.Errorf("to a broken keyring: %v", err)
	}
	if s, err = secrets.Open(inFile); err != nil {
		t.Fatal(err)
	}
	holds(t, s, want)
}

// An account that may not write beside its data folder is told what to do, and no store is left half made.
func TestKeyFolderCannotBeMade(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := secrets.Config{Kind: fleet.SecretsSealedFile, DataDir: filepath.Join(dir, "data"), KeyDir: filepath.Join(dir, "file", "key")}
	if _, err := secrets.Create(t.Context(), c); fault.CodeOf(err) != fault.SecretStore {
		t.Fatalf("create: %v", err)
	}
	c.KeyDir = filepath.Join(dir, "elsewhere")
	made(t, c)
}
