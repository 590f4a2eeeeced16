package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

const credentialsHelp = `Secrets are typed on the terminal or come on standard input, never as arguments. They are sealed here to the key of
each host; the daemon passes ciphertext on and keeps nothing. Compare a key with what ` + "`backstay-agent status`" + ` prints.

  --password-stdin     one line for each secret, in this order: the repository's password; the REST server's
                       password, with --rest-user; the S3 secret access key, with --s3-access-key-id
  --credentials-stdin  everything as one JSON object:
                       {"password": "…",
                        "rest": {"user": "…", "password": "…"},
                        "s3": {"access_key_id": "…", "secret_access_key": "…", "session_token": "…"}}`

// credentialFlags say for whom credentials are, and where they come from.
type credentialFlags struct {
	hosts              []string
	restUser, s3KeyID  string
	password, document bool // from standard input
}

func (f *credentialFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.hosts, "host", nil, "a `host` that gets the password (may be repeated)")
	cmd.Flags().StringVar(&f.restUser, "rest-user", "", "user `name` at the REST server; its password is a secret")
	cmd.Flags().StringVar(&f.s3KeyID, "s3-access-key-id", "", "S3 access key `id`; the secret access key is a secret")
	cmd.Flags().BoolVar(&f.password, "password-stdin", false, "read the secrets from standard input, one a line")
	cmd.Flags().BoolVar(&f.document, "credentials-stdin", false, "read all credentials from standard input, as JSON")
}

// sealable gives hosts by name, and refuses those that cannot be sealed to.
func (c *cli) sealable(ctx context.Context, client *apiclient.Client, hostNames []string) ([]fleet.Host, error) {
	var hosts []fleet.Host
	for _, name := range hostNames {
		h, err := client.Host(ctx, name)
		if err != nil {
			return nil, err
		}
		switch {
		case h.RevokedAt != nil:
			return nil, fault.New(fault.HostRevoked, "The agent of %s is revoked. Enrol it anew with `backstay enrol-token --host %s`.", h.Name, h.Name)
		case h.SealingKey == "":
			return nil, fault.New(fault.HostOffline, "%s has not told its key yet. Start its agent and try again.", h.Name)
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// readCredentials gets them from where the flags say. A password that is made now is asked for twice.
func (c *cli) readCredentials(ctx context.Context, f credentialFlags, fresh bool) (secret.Credentials, error) {
	var cr secret.Credentials
	var err error
	switch {
	case f.password && f.document:
		return cr, usage("Give either --password-stdin or --credentials-stdin.")
	case f.document:
		cr, err = c.credentialsDocument(f)
	case f.password:
		cr, err = c.credentialLines(f)
	default:
		cr, err = c.askCredentials(ctx, f, fresh)
	}
	if err != nil {
		return cr, err
	}
	return cr, cr.Validate()
}

func (c *cli) credentialsDocument(f credentialFlags) (secret.Credentials, error) {
	if f.restUser != "" || f.s3KeyID != "" {
		return secret.Credentials{}, usage("--credentials-stdin holds the user names as well. Leave --rest-user and --s3-access-key-id out.")
	}
	b, err := io.ReadAll(io.LimitReader(c.env.In, maxInput))
	if err != nil {
		return secret.Credentials{}, fmt.Errorf("read standard input: %w", err)
	}
	cr, err := secret.DecodeCredentials(secret.New(string(b)))
	if err != nil {
		return cr, usage("Standard input does not hold credentials as one JSON object. See `backstay repo secret --help` for its form.")
	}
	return cr, nil
}

// secretNames are the secrets to read, in the order that is documented.
func (f credentialFlags) secretNames() []string {
	all := []string{"repository password"}
	if f.restUser != "" {
		all = append(all, "password of "+f.restUser+" at the REST server")
	}
	if f.s3KeyID != "" {
		all = append(all, "S3 secret access key")
	}
	return all
}

// assemble puts the secrets that secretNames named where they belong.
func (f credentialFlags) assemble(all []secret.Secret) secret.Credentials {
	cr := secret.Credentials{Password: all[0]}
	all = all[1:]
	if f.restUser != "" {
		cr.REST = &secret.RESTCredentials{User: f.restUser, Password: all[0]}
		all = all[1:]
	}
	if f.s3KeyID != "" {
		cr.S3 = &secret.S3Credentials{AccessKeyID: f.s3KeyID, SecretAccessKey: all[0]}
	}
	return cr
}

func (c *cli) credentialLines(f credentialFlags) (secret.Credentials, error) {
	lines, err := c.stdinLines(f.secretNames()...)
	if err != nil {
		return secret.Credentials{}, err
	}
	return f.assemble(lines), nil
}

func (c *cli) askCredentials(ctx context.Context, f credentialFlags, fresh bool) (secret.Credentials, error) {
	const otherwise = "Give it on standard input: --password-stdin or --credentials-stdin."
	if fresh {
		c.tell("Keep the repository's password in a safe place as well: without it nobody can read the backups, and Backstay has no copy.")
	}
	var all []secret.Secret
	for i, name := range f.secretNames() {
		ask := c.password
		if i == 0 {
			ask = c.newPassword
		}
		s, err := ask(ctx, show(name), otherwise)
		if err != nil {
			return secret.Credentials{}, err
		}
		all = append(all, s)
	}
	return f.assemble(all), nil
}

// giveSecrets seals the credentials to each host and hands them on. One host that is away does not keep the others from theirs.
func (c *cli) giveSecrets(ctx context.Context, client *apiclient.Client, hosts []fleet.Host, r fleet.Repository, cr secret.Credentials) error {
	var failed error
	for _, h := range hosts {
		sealed, err := secret.Seal(h.SealingKey, h.ID, r.ID, cr)
		if err == nil {
			err = client.PutSecret(ctx, string(h.ID), string(r.ID), sealed)
		}
		if err != nil {
			message, ok := fault.Message(err)
			if !ok {
				return errors.Join(failed, err)
			}
			failed = errors.Join(failed, fault.Wrap(fault.CodeOf(err), err, "%s did not get the password of %s: %s Then: `backstay repo secret %s --host %s`.", h.Name, r.Name, message, r.Name, h.Name))
			continue
		}
		if err := c.done("%s holds its password (%s). It was sealed to the host's key %s.", show(h.Name), show(h.SecretStore), show(h.SealingKey)); err != nil {
			return err
		}
	}
	return failed
}

func (c *cli) repositorySecret() *cobra.Command {
	var f credentialFlags
	var remove bool
	cmd := c.named(leafArgs{use: "secret NAME --host HOST [flags]", short: "give hosts a repository's password, or take it away", complete: repositoryNames},
		func(ctx context.Context, client *apiclient.Client, name string) error {
			r, err := client.Repository(ctx, name)
			if err != nil {
				return err
			}
			if remove {
				return c.dropSecrets(ctx, client, f.hosts, r)
			}
			hosts, err := c.sealable(ctx, client, f.hosts)
			if err != nil {
				return err
			}
			credentials, err := c.readCredentials(ctx, f, false)
			if err != nil {
				return err
			}
			return c.giveSecrets(ctx, client, hosts, r, credentials)
		})
	cmd.Long = "Give hosts a repository's password, in the place of the one they hold, or take it away.\n\n" + credentialsHelp
	cmd.Flags().BoolVar(&remove, "rm", false, "let the hosts forget the password")
	f.add(cmd)
	required(cmd, "host")
	c.flagNames(cmd, map[string]func(context.Context, *apiclient.Client) ([]string, error){"host": hostNames})
	return cmd
}

func (c *cli) dropSecrets(ctx context.Context, client *apiclient.Client, hosts []string, r fleet.Repository) error {
	for _, h := range hosts {
		if err := client.DeleteSecret(ctx, h, string(r.ID)); err != nil {
			return err
		}
		if err := c.done("%s holds no password of %s any more.", show(h), show(r.Name)); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
