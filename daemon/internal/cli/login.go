package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/secret"
)

type loginFlags struct {
	pin, user, credentials string
	passwordStdin          bool
}

func (c *cli) login() *cobra.Command {
	var f loginFlags
	cmd := c.leaf("login [ADDRESS] [flags]", "sign in to a daemon", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		return c.doLogin(ctx, args, f)
	})
	cmd.Long = `Sign in to a daemon, and remember its address, its pin and who you are.

At the first contact the pin that the daemon shows is printed, to be compared with the one that ` + "`backstayd pin`" + `
prints on the daemon's machine; with --pin it must be that one. The session's token goes into the OS keyring, or
with --credentials file into a file that only you can read; ` + "`backstay whoami`" + ` says which.`
	cmd.Flags().StringVar(&f.pin, "pin", "", "`pin` of the daemon's CA")
	cmd.Flags().StringVar(&f.user, "user", "", "`name` of who signs in (asked for when not given)")
	cmd.Flags().StringVar(&f.credentials, "credentials", inKeyring, "`where` the session is kept: keyring or file")
	cmd.Flags().BoolVar(&f.passwordStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func (c *cli) doLogin(ctx context.Context, args []string, f loginFlags) error {
	if f.credentials != inKeyring && f.credentials != inFile {
		return usage("--credentials is keyring or file, not %q.", f.credentials)
	}
	p, err := c.newProfile(ctx, args, f)
	if err != nil {
		return err
	}
	password, err := c.loginPassword(ctx, f)
	if err != nil {
		return err
	}
	client, err := c.client(target{address: p.Address, pin: p.Pin})
	if err != nil {
		return err
	}
	defer client.Close()
	session, err := client.SignIn(ctx, api.SessionRequest{User: p.User, Password: password.Reveal()})
	if err != nil {
		return err
	}
	if err := c.remember(ctx, client, p, session); err != nil {
		return err
	}
	if c.json {
		session.Token = ""
		return c.writeJSON(map[string]any{"address": p.Address, "pin": p.Pin, "user": session.User, "role": session.Role, "expires_at": session.ExpiresAt, "credentials": p.Credentials})
	}
	return c.say("Signed in at %s as %s (%s). The session is kept in %s and ends %s.",
		show(p.Address), show(session.User), show(session.Role), keptIn(p.Credentials), c.ago(session.ExpiresAt))
}

// remember stores token and profile. A session that cannot be kept is ended.
func (c *cli) remember(ctx context.Context, client *apiclient.Client, p profile, session api.Session) error {
	err := c.saveToken(ctx, p, session.Token)
	if err == nil {
		err = c.saveProfile(p)
	}
	if err != nil {
		if out := client.WithToken(session.Token).SignOut(ctx); out != nil {
			c.tell("The new session could not be ended; it ends by itself.")
		}
	}
	return err
}

// newProfile finds out which daemon, and who.
func (c *cli) newProfile(ctx context.Context, args []string, f loginFlags) (profile, error) {
	old, known, err := c.loadProfile()
	if err != nil {
		return profile{}, err
	}
	p := profile{Address: c.env.Getenv("BACKSTAY_ADDRESS"), Pin: f.pin, User: f.user, Credentials: f.credentials}
	switch {
	case len(args) == 1:
		p.Address = args[0]
	case p.Address == "" && known:
		p.Address = old.Address
	case p.Address == "":
		return profile{}, usage("Which daemon? Give its address: `backstay login https://daemon:7443`.")
	}
	if p.Address, err = apiclient.ParseAddress(p.Address); err != nil {
		return profile{}, usageError{err}
	}
	if p.Pin == "" {
		p.Pin = c.env.Getenv("BACKSTAY_PIN")
	}
	if p.Pin == "" && known && old.Address == p.Address {
		p.Pin = old.Pin
	}
	if p.Pin, err = c.trust(ctx, p.Address, p.Pin); err != nil {
		return profile{}, err
	}
	if p.User == "" && known && old.Address == p.Address && f.passwordStdin {
		p.User = old.User
	}
	if p.User == "" {
		p.User, err = c.askUser(ctx, old.User)
	}
	return p, err
}

// trust gives the pin to use: the known one, or the one that the daemon shows and a person confirms.
func (c *cli) trust(ctx context.Context, address, known string) (string, error) {
	if known != "" {
		return known, pin.Check(known)
	}
	found, err := apiclient.FetchPin(ctx, address)
	if err != nil {
		return "", err
	}
	if !c.env.Terminal.Interactive() {
		return "", fault.New(fault.PinMismatch, "%s is not known here yet. Give its pin with --pin, as `backstayd pin` prints it there.", address)
	}
	c.tell("First contact with %s. Its certificate authority has the pin\n\n  %s\n\nCompare it with what `backstayd pin` prints on the daemon's machine.", show(address), show(found))
	if err := c.confirm(ctx, false, "Is it the same?"); err != nil {
		return "", err
	}
	return found, nil
}

func (c *cli) askUser(ctx context.Context, suggestion string) (string, error) {
	if !c.env.Terminal.Interactive() {
		return "", usage("Who signs in? Give --user.")
	}
	question := "User: "
	if suggestion != "" {
		question = "User [" + show(suggestion) + "]: "
	}
	if err := writeText(c.env.Err, question); err != nil {
		return "", err
	}
	user, err := c.env.Terminal.ReadLine(ctx)
	if err != nil {
		return "", err
	}
	if user = strings.TrimSpace(user); user == "" {
		user = suggestion
	}
	if user == "" {
		return "", usage("Who signs in? Give --user.")
	}
	return user, nil
}

func (c *cli) loginPassword(ctx context.Context, f loginFlags) (secret.Secret, error) {
	const what = "password"
	if f.passwordStdin {
		lines, err := c.stdinLines(what)
		if err != nil {
			return secret.Secret{}, err
		}
		return lines[0], nil
	}
	return c.password(ctx, what, "Give it on standard input with --password-stdin.")
}

func keptIn(credentials string) string {
	switch credentials {
	case inKeyring:
		return "the OS keyring"
	case inFile:
		return "a file that only you can read"
	}
	return "the environment (BACKSTAY_TOKEN)"
}

func (c *cli) logout() *cobra.Command {
	return c.leaf("logout", "end the session", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		p, known, err := c.loadProfile()
		if err != nil {
			return err
		}
		if !known {
			return signedOut()
		}
		token, err := c.loadToken(ctx, p)
		if err != nil {
			return err
		}
		client, err := c.client(target{address: p.Address, pin: p.Pin, token: token})
		if err != nil {
			return err
		}
		defer client.Close()
		remote := client.SignOut(ctx)
		if err := c.dropToken(ctx, p); err != nil {
			return err
		}
		if remote != nil && fault.CodeOf(remote) != fault.Unauthenticated {
			message, _ := fault.Message(remote)
			c.tell("The session is forgotten here, but the daemon could not be told: %s", show(message))
		}
		return c.say("Signed out.")
	})
}

// identity is what whoami tells.
type identity struct {
	api.Identity
	Address     string `json:"address"`
	Pin         string `json:"pin"`
	Credentials string `json:"credentials"` // keyring, file or environment
}

func (c *cli) whoami() *cobra.Command {
	return c.leaf("whoami", "who is signed in, where, and where the session is kept", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		t, err := c.target(ctx)
		if err != nil {
			return err
		}
		client, err := c.client(t)
		if err != nil {
			return err
		}
		defer client.Close()
		me, err := client.Identity(ctx)
		if err != nil {
			return err
		}
		if c.json {
			return c.writeJSON(identity{Identity: me, Address: t.address, Pin: t.pin, Credentials: t.kept})
		}
		var f facts
		f.add("user", show(me.User))
		f.add("role", show(me.Role))
		f.add("daemon", show(t.address))
		f.add("version", show(me.Daemon.Version))
		f.add("pin", show(t.pin))
		f.add("credentials", keptIn(t.kept))
		f.add("ends", c.agoOr(me.ExpiresAt, "never"))
		return f.write(c.env.Out)
	})
}
