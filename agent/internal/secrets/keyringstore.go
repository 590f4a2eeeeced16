package secrets

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
)

// keyringService is the service of all items; the user is "<instance>/<repository>" or "<instance>/identity".
const keyringService = "backstay-agent"

// identityItem cannot be a repository's item: ids have no slash.
const identityItem = "/identity"

// index is keyring.json.
type index struct {
	V int `json:"v"`
	// Instance tells the items of several agents of one account apart.
	Instance     string               `json:"instance"`
	Repositories []fleet.RepositoryID `json:"repositories"` // sorted
}

type keyringStore struct {
	ring   Keyring
	folder string
	turn   turn
}

var _ keeper = (*keyringStore)(nil)

func indexPath(folder string) string { return filepath.Join(folder, "keyring.json") }

func createKeyring(ctx context.Context, c Config) (Store, error) {
	if made, err := exists(indexPath(c.folder())); err != nil {
		return nil, err
	} else if made {
		s, err := openKeyring(c)
		if err != nil {
			return nil, err
		}
		if _, err := s.Identity(ctx); err != nil {
			return nil, err
		}
		return s, nil
	}
	if err := c.Keyring.Available(ctx); err != nil {
		return nil, err
	}
	identity, _, err := secret.NewIdentity()
	if err != nil {
		return nil, err
	}
	s := &keyringStore{ring: c.Keyring, folder: c.folder(), turn: newTurn()}
	if err := s.begin(ctx, identity); err != nil {
		return nil, err
	}
	return s, nil
}

// begin makes the store anew with identity. The index is written last: without it the store counts as not set up.
func (s *keyringStore) begin(ctx context.Context, identity secret.Secret) error {
	x := index{V: 1, Instance: rand.Text()}
	if err := s.ring.Set(ctx, keyringService, x.Instance+identityItem, identity); err != nil {
		return err
	}
	return s.writeIndex(x)
}

func openKeyring(c Config) (Store, error) {
	s := &keyringStore{ring: c.Keyring, folder: c.folder(), turn: newTurn()}
	if _, err := s.readIndex(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *keyringStore) Kind() fleet.SecretStore { return fleet.SecretsKeyring }

// Put writes the item before the index: after a crash between the two the credentials are there, only not listed.
func (s *keyringStore) Put(ctx context.Context, repo fleet.RepositoryID, c secret.Credentials) error {
	if err := errors.Join(checkID(repo), c.Validate()); err != nil {
		return err
	}
	text, err := secret.EncodeCredentials(c)
	if err != nil {
		return err
	}
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.give()
	x, err := s.readIndex()
	if err != nil {
		return err
	}
	file := ""
	if len(text.Reveal()) > keyring.MaxItem {
		if text, file, err = s.writeLong(repo, text); err != nil {
			return err
		}
	}
	if err := s.ring.Set(ctx, keyringService, x.user(repo), text); err != nil {
		return err
	}
	if err := s.removeLong(repo, file); err != nil {
		return err
	}
	if x.has(repo) {
		return nil
	}
	x.Repositories = append(x.Repositories, repo)
	slices.Sort(x.Repositories)
	return s.writeIndex(x)
}

func (s *keyringStore) Get(ctx context.Context, repo fleet.RepositoryID) (secret.Credentials, error) {
	if err := checkID(repo); err != nil {
		return secret.Credentials{}, err
	}
	x, err := s.readIndex()
	if err != nil {
		return secret.Credentials{}, err
	}
	text, err := s.ring.Get(ctx, keyringService, x.user(repo))
	switch {
	case errors.Is(err, keyring.ErrNotFound) && x.has(repo):
		return secret.Credentials{}, fault.Wrap(fault.SecretStore, err, "The OS keyring no longer holds the password of repository %s that was stored in it. Check that the agent runs under the same account as before, or store the password once more.", repo)
	case errors.Is(err, keyring.ErrNotFound):
		return secret.Credentials{}, noSecret(repo)
	case err != nil:
		return secret.Credentials{}, err
	}
	if strings.HasPrefix(text.Reveal(), longPrefix) {
		if text, err = s.readLong(text); err != nil {
			return secret.Credentials{}, err
		}
	}
	c, err := secret.DecodeCredentials(text)
	if err != nil {
		return secret.Credentials{}, damaged(repo, err)
	}
	return c, nil
}

func (s *keyringStore) Delete(ctx context.Context, repo fleet.RepositoryID) error {
	if err := checkID(repo); err != nil {
		return err
	}
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.give()
	x, err := s.readIndex()
	if err != nil {
		return err
	}
	if err := s.ring.Delete(ctx, keyringService, x.user(repo)); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	if err := s.removeLong(repo, ""); err != nil {
		return err
	}
	if !x.has(repo) {
		return nil
	}
	x.Repositories = slices.DeleteFunc(x.Repositories, func(r fleet.RepositoryID) bool { return r == repo })
	return s.writeIndex(x)
}

func (s *keyringStore) List(context.Context) ([]fleet.RepositoryID, error) {
	x, err := s.readIndex()
	return x.Repositories, err
}

func (s *keyringStore) Identity(ctx context.Context) (secret.Secret, error) {
	x, err := s.readIndex()
	if err != nil {
		return secret.Secret{}, err
	}
	id, err := s.ring.Get(ctx, keyringService, x.Instance+identityItem)
	if errors.Is(err, keyring.ErrNotFound) {
		return secret.Secret{}, fault.Wrap(fault.SecretStore, err, "The OS keyring no longer holds this host's sealing key. Check that the agent runs under the same account as before, or enrol the host again.")
	}
	return id, err
}

// clear removes every item and file of the store.
func (s *keyringStore) clear(ctx context.Context) error {
	repos, err := s.List(ctx)
	if err != nil {
		return err
	}
	for _, repo := range repos {
		if err := s.Delete(ctx, repo); err != nil {
			return err
		}
	}
	x, err := s.readIndex()
	if err != nil {
		return err
	}
	if err := s.ring.Delete(ctx, keyringService, x.Instance+identityItem); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	return remove(indexPath(s.folder))
}

func (x index) user(repo fleet.RepositoryID) string { return x.Instance + "/" + string(repo) }

func (x index) has(repo fleet.RepositoryID) bool {
	_, found := slices.BinarySearch(x.Repositories, repo)
	return found
}

func (s *keyringStore) readIndex() (index, error) {
	b, err := os.ReadFile(indexPath(s.folder))
	if os.IsNotExist(err) {
		return index{}, notSetUp(fleet.SecretsKeyring)
	}
	if err != nil {
		return index{}, broken(err)
	}
	var x index
	if err := json.Unmarshal(b, &x); err != nil || x.V != 1 || x.Instance == "" {
		return index{}, broken(errors.Join(fmt.Errorf("%s is damaged", indexPath(s.folder)), err))
	}
	return x, nil
}

func (s *keyringStore) writeIndex(x index) error {
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return fmt.Errorf("encode keyring index: %w", err)
	}
	if err := atomicfile.Write(indexPath(s.folder), append(b, '\n'), 0o600); err != nil {
		return broken(err)
	}
	return nil
}

// longPrefix begins an item that holds the key of a sealed file instead of credentials (those begin with a brace):
// "sealed:<file name>:<age identity>".
const longPrefix = "sealed:"

// writeLong seals text into a new file and gives the item to store in its place. A new name each time: until the item is
// replaced, the old one and its file stay whole.
func (s *keyringStore) writeLong(repo fleet.RepositoryID, text secret.Secret) (item secret.Secret, name string, err error) {
	key, recipient, err := secret.NewIdentity()
	if err != nil {
		return secret.Secret{}, "", err
	}
	sealed, err := secret.SealText(recipient, text)
	if err != nil {
		return secret.Secret{}, "", err
	}
	name = longStem(repo) + "-" + strings.ToLower(rand.Text()) + ".age"
	if err := atomicfile.Write(filepath.Join(s.folder, name), []byte(sealed), 0o600); err != nil {
		return secret.Secret{}, "", broken(err)
	}
	return secret.New(longPrefix + name + ":" + key.Reveal()), name, nil
}

func (s *keyringStore) readLong(item secret.Secret) (secret.Secret, error) {
	name, key, ok := strings.Cut(strings.TrimPrefix(item.Reveal(), longPrefix), ":")
	if !ok || name != filepath.Base(name) {
		return secret.Secret{}, broken(errors.New("the keyring item names no file"))
	}
	b, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		return secret.Secret{}, broken(err)
	}
	text, err := secret.OpenText(secret.New(key), string(b))
	if err != nil {
		return secret.Secret{}, broken(err)
	}
	return text, nil
}

// removeLong removes the sealed files of repo, except the one named keep.
func (s *keyringStore) removeLong(repo fleet.RepositoryID, keep string) error {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return broken(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), longStem(repo)+"-") || e.Name() == keep {
			continue
		}
		if err := remove(filepath.Join(s.folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// longStem is safe as a file name on every system, whatever the id is made of.
func longStem(repo fleet.RepositoryID) string {
	h := sha256.Sum256([]byte(repo))
	return hex.EncodeToString(h[:12])
}

func damaged(repo fleet.RepositoryID, err error) error {
	return fault.Wrap(fault.SecretStore, err, "The stored password of repository %s cannot be read. Store it once more.", repo)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return broken(err)
	}
	return nil
}
