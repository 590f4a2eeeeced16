package cli

import (
	"context"

	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/fault"
)

// target is the daemon to talk to, and as whom.
type target struct {
	address, pin, token string
	user                string // as the profile has it; the daemon knows better
	kept                string // where the token lies
}

// target finds the daemon in the environment and the profile. The environment wins. The profile's pin and token go to the
// profile's daemon only.
func (c *cli) target(ctx context.Context) (target, error) {
	p, signedIn, err := c.loadProfile()
	if err != nil {
		return target{}, err
	}
	t := target{address: c.env.Getenv("BACKSTAY_ADDRESS"), pin: c.env.Getenv("BACKSTAY_PIN"), token: c.env.Getenv("BACKSTAY_TOKEN"), kept: inEnvironment}
	switch {
	case t.address == "" && !signedIn:
		return target{}, fault.New(fault.Unauthenticated, "No daemon is known here. Run `backstay login https://daemon:7443`, or set BACKSTAY_ADDRESS, BACKSTAY_PIN and BACKSTAY_TOKEN.")
	case t.address == "":
		t.address = p.Address
	}
	if t.address, err = apiclient.ParseAddress(t.address); err != nil {
		return target{}, err
	}
	same := signedIn && t.address == p.Address
	if t.pin == "" {
		if !same {
			return target{}, fault.New(fault.InvalidInput, "The pin of the daemon at %s is not known. Set BACKSTAY_PIN to what `backstayd pin` prints.", t.address)
		}
		t.pin = p.Pin
	}
	if t.token == "" {
		if !same {
			return target{}, fault.New(fault.Unauthenticated, "Nobody is signed in at %s. Run `backstay login %s`, or set BACKSTAY_TOKEN.", t.address, t.address)
		}
		t.kept, t.user = p.Credentials, p.User
		t.token, err = c.loadToken(ctx, p)
	}
	return t, err
}

// connect makes the client for the daemon of this person or script. Close it.
func (c *cli) connect(ctx context.Context) (*apiclient.Client, error) {
	t, err := c.target(ctx)
	if err != nil {
		return nil, err
	}
	return c.client(t)
}

func (c *cli) client(t target) (*apiclient.Client, error) {
	return apiclient.New(apiclient.Config{Address: t.address, Pin: t.pin, Token: t.token, UserAgent: "backstay/" + buildinfo.Version()})
}

// with runs f with a connected client.
func (c *cli) with(ctx context.Context, f func(api *apiclient.Client) error) error {
	api, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer api.Close()
	return f(api)
}
