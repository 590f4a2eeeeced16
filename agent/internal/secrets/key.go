package secrets

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/datafolder"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// makeKeyFile makes a key unless there is one: one that is there opens the secrets of an earlier enrolment.
func makeKeyFile(_ context.Context, c Config) error {
	return makeKey(c, keyPath(c), func(key secret.Secret) ([]byte, error) { return []byte(key.Reveal() + "\n"), nil })
}

// makeCredential makes a key that only systemd on this host can open, unless there is one.
func makeCredential(ctx context.Context, c Config) error {
	if c.CredentialsDir != "" {
		if there, err := exists(credentialPath(c)); err != nil || there {
			return err // systemd has one for us
		}
	}
	if c.Sealer == nil {
		return fault.New(fault.SecretStore, "This system has no systemd-creds (systemd 250 or newer) to seal a key with. Choose --secrets=sealed-file.")
	}
	return makeKey(c, CredentialFile(c), func(key secret.Secret) ([]byte, error) { return c.Sealer.Seal(ctx, CredentialName, key) })
}

func makeKey(c Config, path string, form func(secret.Secret) ([]byte, error)) error {
	if err := datafolder.Make(c.KeyDir); err != nil {
		return fault.Wrap(fault.SecretStore, errors.Unwrap(err), "The folder %s for the sealed file's key cannot be made. Make it with mode 0700 for the agent's account, or name another as key_dir.", c.KeyDir)
	}
	if there, err := exists(path); err != nil || there {
		return err
	}
	key, _, err := secret.NewIdentity()
	if err != nil {
		return err
	}
	text, err := form(key)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, text, 0o600); err != nil {
		return broken(err)
	}
	return nil
}

func readKeyFile(c Config) (secret.Secret, error) {
	if err := checkPrivate(c.KeyDir, keyPath(c)); err != nil {
		return secret.Secret{}, err
	}
	b, err := os.ReadFile(keyPath(c))
	if err != nil {
		return secret.Secret{}, fault.Wrap(fault.SecretStore, err, "The key of the sealed secrets cannot be read. Give back the %s.", describe(c, KeyFromFile))
	}
	return secret.New(string(b)), nil
}

// openLimit bounds the opening of a credential: a TPM takes its time.
const openLimit = 30 * time.Second

// readCredential reads what systemd gave the service, or, outside the service, has systemd open the sealed credential.
func readCredential(c Config) (secret.Secret, error) {
	if c.CredentialsDir != "" {
		b, err := os.ReadFile(credentialPath(c))
		if err != nil {
			return secret.Secret{}, fault.Wrap(fault.SecretStore, err, "The key of the sealed secrets cannot be read. Give back the %s, and run `backstay-agent install` once more.", describe(c, KeyFromCredential))
		}
		return secret.New(string(b)), nil
	}
	if c.Sealer == nil {
		return secret.Secret{}, fault.New(fault.SecretStore, "The sealed secrets need the systemd credential %s, and this process was given none. Start the agent as its systemd service.", CredentialName)
	}
	ctx, cancel := context.WithTimeout(context.Background(), openLimit)
	defer cancel()
	key, err := c.Sealer.Open(ctx, CredentialName, CredentialFile(c))
	if err != nil {
		return secret.Secret{}, fault.Wrap(fault.SecretStore, err, "systemd does not open the %s. It is sealed to one host: give back the former file, or enrol the host again.", describe(c, KeyFromCredential))
	}
	return key, nil
}
