package feed

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/secret"
)

// DefaultPort is where a daemon listens unless it was told otherwise.
const DefaultPort = "7443"

// ParseAddress gives the full form of a daemon's address. Where no port is given, it is the daemons' own.
func ParseAddress(text string) (string, error) {
	base, err := apiclient.ParseAddress(text)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", fault.Wrap(fault.InvalidInput, err, "%q is not the address of a daemon. Give it as https://host:port.", text)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), DefaultPort)
	}
	return u.String(), nil
}

// Contact is a daemon that was asked who it is.
type Contact struct {
	Address string // in its full form
	Pin     string // of its CA, to be compared by a person with the one that `backstayd pin` prints
}

// FirstContact asks the daemon at an address for its pin. Nothing is trusted yet: the pin is shown, and a person says whether it is
// the daemon's.
func FirstContact(ctx context.Context, address string) (Contact, error) {
	base, err := ParseAddress(address)
	if err != nil {
		return Contact{}, err
	}
	found, err := apiclient.FetchPin(ctx, base)
	if err != nil {
		return Contact{}, err
	}
	return Contact{Address: base, Pin: found}, nil
}

// CheckPin tells whether text has the form of a pin, for a field where a person pastes one.
func CheckPin(text string) error { return pin.Check(text) }

// Door is a daemon that is trusted by its pin.
type Door struct {
	Address string
	Pin     string
}

func (d Door) client(token string) (*apiclient.Client, error) {
	if err := pin.Check(d.Pin); err != nil { // without a pin the system's roots would decide
		return nil, err
	}
	base, err := ParseAddress(d.Address)
	if err != nil {
		return nil, err
	}
	return apiclient.New(apiclient.Config{Address: base, Pin: d.Pin, Token: token})
}

// Entry is a way in: the daemon as who signed in sees it.
type Entry struct {
	Daemon   *apiclient.Client
	Token    secret.Secret // to keep in the keyring
	Identity api.Identity
}

// SignIn exchanges a password for a session.
func (d Door) SignIn(ctx context.Context, user string, password secret.Secret) (Entry, error) {
	c, err := d.client("")
	if err != nil {
		return Entry{}, err
	}
	session, err := c.SignIn(ctx, api.SessionRequest{User: user, Password: password.Reveal()})
	if err != nil {
		c.Close()
		return Entry{}, err
	}
	c = c.WithToken(session.Token)
	entry, err := enter(ctx, c, session.Token)
	if err != nil {
		return Entry{}, errors.Join(err, abandon(ctx, c))
	}
	return entry, nil
}

// abandon ends a session that nobody will use. It ends by itself, should the daemon not answer.
func abandon(ctx context.Context, c *apiclient.Client) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return SignOut(ctx, c)
}

// Resume goes in with the token of an earlier session, or an API token. fault.Unauthenticated says that it has ended: sign in.
func (d Door) Resume(ctx context.Context, token secret.Secret) (Entry, error) {
	c, err := d.client(token.Reveal())
	if err != nil {
		return Entry{}, err
	}
	return enter(ctx, c, token.Reveal())
}

func enter(ctx context.Context, c *apiclient.Client, token string) (Entry, error) {
	id, err := c.Identity(ctx)
	if err != nil {
		c.Close()
		return Entry{}, err
	}
	return Entry{Daemon: c, Token: secret.New(token), Identity: id}, nil
}

// SignOut ends the session of an entry at the daemon and drops its connections. One that the daemon has forgotten already is no
// error. The token is forgotten by whoever keeps it, whatever the daemon said.
func SignOut(ctx context.Context, d Daemon) error {
	defer d.Close()
	if err := d.SignOut(ctx); err != nil && fault.CodeOf(err) != fault.Unauthenticated {
		return err
	}
	return nil
}
