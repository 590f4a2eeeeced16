package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
)

// Where a session's token may lie.
const (
	inKeyring     = "keyring"
	inFile        = "file"
	inEnvironment = "environment"
)

const (
	keyringService = "backstay"
	profileFile    = "profile.json"
	tokenFile      = "session.json"
)

// profile is what `backstay login` remembers; the token lies elsewhere.
type profile struct {
	Address     string `json:"address"`
	Pin         string `json:"pin"`
	User        string `json:"user,omitempty"`
	Credentials string `json:"credentials"` // keyring or file
}

// storedToken is the content of the token's file. The address keeps a token from going to another daemon.
type storedToken struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

func (c *cli) path(name string) string { return filepath.Join(c.env.Config, name) }

// loadProfile gives the profile, and false when there is none.
func (c *cli) loadProfile() (profile, bool, error) {
	var p profile
	if c.env.Config == "" {
		return p, false, nil
	}
	b, err := os.ReadFile(c.path(profileFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return p, false, fault.Wrap(fault.InvalidInput, err, "The profile %s cannot be read. Remove it and run `backstay login` again.", c.path(profileFile))
	}
	return p, true, nil
}

func (c *cli) saveProfile(p profile) error {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("encode profile: %w", err)
	}
	return c.writeFile(profileFile, b)
}

func (c *cli) writeFile(name string, b []byte) error {
	if c.env.Config == "" {
		return fault.New(fault.InvalidInput, "This account has no folder for a profile. Choose one by BACKSTAY_CONFIG_DIR.")
	}
	err := os.MkdirAll(c.env.Config, 0o700)
	if err == nil {
		err = atomicfile.Write(c.path(name), append(b, '\n'), 0o600)
	}
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "%s cannot be written. Check the folder, or choose another by BACKSTAY_CONFIG_DIR.", c.path(name))
	}
	return nil
}

// saveToken stores a token where p says.
func (c *cli) saveToken(ctx context.Context, p profile, token string) error {
	if p.Credentials == inFile {
		b, err := json.Marshal(storedToken{Address: p.Address, Token: token})
		if err != nil {
			return fmt.Errorf("encode token: %w", err)
		}
		return c.writeFile(tokenFile, b)
	}
	if err := c.env.Keyring.Set(ctx, keyringService, p.keyringUser(), secret.New(token)); err != nil {
		return fault.Wrap(fault.SecretStore, err, "The OS keyring did not take the session. Unlock it and try again, or choose a file that only you can read: `backstay login --credentials file`.")
	}
	return nil
}

func (p profile) keyringUser() string { return p.User + " at " + p.Address }

// loadToken gives the token that saveToken stored.
func (c *cli) loadToken(ctx context.Context, p profile) (string, error) {
	if p.Credentials == inFile {
		return c.loadTokenFile(p)
	}
	token, err := c.env.Keyring.Get(ctx, keyringService, p.keyringUser())
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return "", signedOut()
	case err != nil:
		return "", fault.Wrap(fault.SecretStore, err, "The OS keyring did not give the session. Unlock it and try again, or sign in with `backstay login --credentials file`.")
	}
	return token.Reveal(), nil
}

func (c *cli) loadTokenFile(p profile) (string, error) {
	path := c.path(tokenFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", signedOut()
	}
	var t storedToken
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil {
		return "", fault.Wrap(fault.SecretStore, err, "The session's file %s cannot be read. Run `backstay login` again.", path)
	}
	private, err := onlyOwner(path)
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", path, err)
	}
	if !private {
		return "", fault.New(fault.SecretStore, "The session's file %s can be read by others. Run `backstay login` again, and keep the file to yourself.", path)
	}
	if t.Address != p.Address || t.Token == "" {
		return "", signedOut()
	}
	return t.Token, nil
}

// dropToken forgets a token; one that is not there is no error.
func (c *cli) dropToken(ctx context.Context, p profile) error {
	if p.Credentials == inFile {
		if err := os.Remove(c.path(tokenFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.Wrap(fault.SecretStore, err, "The session's file %s could not be removed. Remove it by hand.", c.path(tokenFile))
		}
		return nil
	}
	err := c.env.Keyring.Delete(ctx, keyringService, p.keyringUser())
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return fault.Wrap(fault.SecretStore, err, "The OS keyring did not drop the session. It ends by itself; unlock the keyring and try again.")
	}
	return nil
}

func signedOut() error {
	return fault.New(fault.Unauthenticated, "Nobody is signed in here. Run `backstay login`, or set BACKSTAY_TOKEN.")
}
