package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// CredentialName is the systemd credential that holds the sealed file's key: an age identity in its text form.
const CredentialName = "backstay-key"

// KeySource says where the sealed file's key comes from.
type KeySource string

// The sources of the key.
const (
	KeyFromCredential KeySource = "systemd-credential"
	KeyFromFile       KeySource = "key-file"
)

// record is sealed.json.
type record struct {
	V         int       `json:"v"`
	Key       KeySource `json:"key"`
	Recipient string    `json:"recipient"` // public half of the key, to tell a changed key from a damaged file
}

// content is what secrets.age holds, readable. Credentials are encoded by package secret.
type content struct {
	V           int                           `json:"v"`
	Identity    string                        `json:"identity"`
	Credentials map[fleet.RepositoryID]string `json:"credentials"`
}

type fileStore struct {
	kind      fleet.SecretStore
	folder    string
	source    KeySource
	key       secret.Secret
	recipient string
	turn      turn
}

var _ keeper = (*fileStore)(nil)

func recordPath(folder string) string { return filepath.Join(folder, "sealed.json") }
func sealedPath(folder string) string { return filepath.Join(folder, "secrets.age") }
func keyPath(c Config) string         { return filepath.Join(c.KeyDir, "secrets.key") }
func credentialPath(c Config) string  { return filepath.Join(c.CredentialsDir, CredentialName) }

// CredentialFile is the sealed credential, which systemd opens for the service.
func CredentialFile(c Config) string { return filepath.Join(c.filled().KeyDir, CredentialName+".cred") }

func createFile(ctx context.Context, c Config) (Store, error) {
	if made, err := exists(recordPath(c.folder())); err != nil {
		return nil, err
	} else if made {
		return openFile(c)
	}
	identity, _, err := secret.NewIdentity()
	if err != nil {
		return nil, err
	}
	s, err := newFileStore(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.begin(ctx, identity); err != nil {
		return nil, err
	}
	return s, nil
}

// newFileStore makes the key when it is missing: a credential of systemd or a key file, whichever was chosen.
func newFileStore(ctx context.Context, c Config) (*fileStore, error) {
	s := &fileStore{kind: c.Kind, folder: c.folder(), source: sourceOf(c.Kind), turn: newTurn()}
	makeKey := makeKeyFile
	if s.source == KeyFromCredential {
		makeKey = makeCredential
	}
	if err := makeKey(ctx, c); err != nil {
		return nil, err
	}
	return s, s.loadKey(c)
}

func sourceOf(k fleet.SecretStore) KeySource {
	if k == fleet.SecretsSystemd {
		return KeyFromCredential
	}
	return KeyFromFile
}

// begin makes the store anew with identity. The record is written last: without it the store counts as not set up.
func (s *fileStore) begin(_ context.Context, identity secret.Secret) error {
	if err := s.write(content{V: 1, Identity: identity.Reveal()}); err != nil {
		return err
	}
	b, err := json.MarshalIndent(record{V: 1, Key: s.source, Recipient: s.recipient}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode sealed file's record: %w", err)
	}
	if err := atomicfile.Write(recordPath(s.folder), append(b, '\n'), 0o600); err != nil {
		return broken(err)
	}
	return nil
}

func openFile(c Config) (Store, error) {
	b, err := os.ReadFile(recordPath(c.folder()))
	if os.IsNotExist(err) {
		return nil, notSetUp(c.Kind)
	}
	if err != nil {
		return nil, broken(err)
	}
	var r record
	if err := json.Unmarshal(b, &r); err != nil || r.V != 1 {
		return nil, broken(errors.Join(fmt.Errorf("%s is damaged", recordPath(c.folder())), err))
	}
	if r.Key != sourceOf(c.Kind) {
		return nil, notSetUp(c.Kind)
	}
	s := &fileStore{kind: c.Kind, folder: c.folder(), source: r.Key, turn: newTurn()}
	if err := s.loadKey(c); err != nil {
		return nil, err
	}
	if s.recipient != r.Recipient {
		return nil, fault.New(fault.SecretStore, "The key of the sealed secrets is not the one they were sealed with. Give back the former %s.", describe(c, r.Key))
	}
	if _, err := s.read(); err != nil {
		return nil, err
	}
	return s, nil
}

// Source tells where the key of a sealed-file store comes from, and "" for any other store.
func Source(s Store) KeySource {
	if f, ok := s.(*fileStore); ok {
		return f.source
	}
	return ""
}

func describe(c Config, k KeySource) string {
	if k == KeyFromCredential {
		return "systemd credential " + CredentialFile(c)
	}
	return "key file " + keyPath(c)
}

func (s *fileStore) loadKey(c Config) error {
	if s.source != KeyFromCredential && s.source != KeyFromFile {
		return broken(fmt.Errorf("unknown key source %q", s.source))
	}
	read := readKeyFile
	if s.source == KeyFromCredential {
		read = readCredential
	}
	var err error
	if s.key, err = read(c); err != nil {
		return err
	}
	if s.recipient, err = secret.Recipient(s.key); err != nil {
		return fault.New(fault.SecretStore, "The key of the sealed secrets is damaged. Give back the former %s.", describe(c, s.source))
	}
	return nil
}

func (s *fileStore) Kind() fleet.SecretStore { return s.kind }

func (s *fileStore) Put(ctx context.Context, repo fleet.RepositoryID, c secret.Credentials) error {
	if err := errors.Join(checkID(repo), c.Validate()); err != nil {
		return err
	}
	text, err := secret.EncodeCredentials(c)
	if err != nil {
		return err
	}
	return s.change(ctx, func(in *content) {
		if in.Credentials == nil {
			in.Credentials = map[fleet.RepositoryID]string{}
		}
		in.Credentials[repo] = text.Reveal()
	})
}

func (s *fileStore) Get(_ context.Context, repo fleet.RepositoryID) (secret.Credentials, error) {
	in, err := s.read()
	if err != nil {
		return secret.Credentials{}, err
	}
	text, ok := in.Credentials[repo]
	if !ok {
		return secret.Credentials{}, noSecret(repo)
	}
	c, err := secret.DecodeCredentials(secret.New(text))
	if err != nil {
		return secret.Credentials{}, damaged(repo, err)
	}
	return c, nil
}

func (s *fileStore) Delete(ctx context.Context, repo fleet.RepositoryID) error {
	return s.change(ctx, func(in *content) { delete(in.Credentials, repo) })
}

func (s *fileStore) List(context.Context) ([]fleet.RepositoryID, error) {
	in, err := s.read()
	return slices.Sorted(maps.Keys(in.Credentials)), err
}

func (s *fileStore) Identity(context.Context) (secret.Secret, error) {
	in, err := s.read()
	return secret.New(in.Identity), err
}

// clear removes the sealed file and its record. The key file stays: copies of the sealed file may need it.
func (s *fileStore) clear(context.Context) error {
	return errors.Join(remove(recordPath(s.folder)), remove(sealedPath(s.folder)))
}

func (s *fileStore) change(ctx context.Context, f func(*content)) error {
	if err := s.turn.take(ctx); err != nil {
		return err
	}
	defer s.turn.give()
	in, err := s.read()
	if err != nil {
		return err
	}
	f(&in)
	return s.write(in)
}

func (s *fileStore) read() (content, error) {
	b, err := os.ReadFile(sealedPath(s.folder))
	if err != nil {
		return content{}, broken(err)
	}
	text, err := secret.OpenText(s.key, string(b))
	if err != nil {
		return content{}, broken(err)
	}
	var in content
	// The decoder's own error may quote the text, so it is not kept.
	if err := json.Unmarshal([]byte(text.Reveal()), &in); err != nil || in.V != 1 || in.Identity == "" {
		return content{}, broken(fmt.Errorf("%s holds something else", sealedPath(s.folder)))
	}
	return in, nil
}

func (s *fileStore) write(in content) error {
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode secrets: %w", err)
	}
	sealed, err := secret.SealText(s.recipient, secret.New(string(b)))
	if err != nil {
		return err
	}
	if err := atomicfile.Write(sealedPath(s.folder), []byte(sealed), 0o600); err != nil {
		return broken(err)
	}
	return nil
}
