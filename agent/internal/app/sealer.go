package app

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/secrets"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// systemdCreds is systemd's own program to seal to this host.
type systemdCreds struct{ path string }

var _ secrets.Sealer = systemdCreds{}

// newSealer gives nil where there is no systemd-creds, or where this account could not use it.
func newSealer() secrets.Sealer {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return nil
	}
	for _, path := range []string{"/usr/bin/systemd-creds", "/bin/systemd-creds"} {
		if _, err := os.Stat(path); err == nil {
			return systemdCreds{path}
		}
	}
	return nil
}

// Seal seals value, with the TPM where there is one and this host's key.
func (s systemdCreds) Seal(ctx context.Context, name string, value secret.Secret) ([]byte, error) {
	r, err := s.run(ctx, []byte(value.Reveal()), "encrypt", "--name="+name, "-", "-")
	if err != nil {
		return nil, fault.Wrap(fault.SecretStore, err, "systemd-creds could not seal a key to this host. See what `systemd-creds setup` says, or choose --secrets=sealed-file.")
	}
	return r, nil
}

// Open opens the credential at path.
func (s systemdCreds) Open(ctx context.Context, name, path string) (secret.Secret, error) {
	r, err := s.run(ctx, nil, "decrypt", "--name="+name, path, "-")
	return secret.New(string(r)), err
}

func (s systemdCreds) run(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	r, err := proc.Run(ctx, proc.Command{Path: s.path, Args: args, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}}, proc.RunOptions{Input: input})
	if err != nil {
		return nil, err
	}
	if r.Exit.Code != 0 {
		return nil, fmt.Errorf("%w: systemd-creds %s: exit %d: %s", errTool, args[0], r.Exit.Code, r.Stderr)
	}
	return r.Stdout, nil
}

// chooseSecrets gives the store of a host whose person named none. For the system's service it is what keeps the key from whoever
// copies the disk; where that cannot be had, nothing weaker is taken without having been asked for.
func chooseSecrets(system bool) (fleet.SecretStore, error) {
	switch {
	case !system || runtime.GOOS == "windows":
		return fleet.SecretsKeyring, nil
	case newSealer() != nil:
		return fleet.SecretsSystemd, nil
	}
	return "", fault.New(fault.InvalidInput, "This system has no keyring for its services. Say with --secrets=sealed-file that repository passwords are kept in a sealed file whose key lies on the same disk.")
}
