package pages

import (
	"context"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// door is a gate that answers at once.
type door struct {
	contactErr error
	signedIn   prefs.Profile
	opened     string
	out        int
}

func (g *door) Contact(_ context.Context, address string, done func(feed.Contact, error)) {
	done(feed.Contact{Address: "https://" + address + ":7443", Pin: "sha256:0123456789abcdef"}, g.contactErr)
}

func (g *door) SignIn(_ context.Context, p prefs.Profile, _ secret.Secret, _ bool, done func(error)) {
	g.signedIn = p
	done(fault.New(fault.Unauthenticated, "no"))
}

func (g *door) Open(address string)      { g.opened = address }
func (g *door) SignOut()                 { g.out++ }
func (g *door) Forget(string)            {}
func (g *door) Refused() (string, error) { return "", nil }

func newDoor(b *bench, known ...prefs.Profile) *door {
	g := &door{}
	b.deps.Gate, b.deps.Prefs = g, prefs.New(prefs.Data{Profiles: known}, func(prefs.Data) {})
	b.deps.Restyle = func() {}
	return g
}

func TestConnectGoesFromAddressOverPinToPasswordByKeysAlone(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon()))
	g := newDoor(b)
	b.open(nav.Route{Page: nav.Connect}, nil)
	b.key(fyne.KeyReturn)
	b.says("Type the daemon's address.")
	g.contactErr = fault.New(fault.Unavailable, "Nobody answers there. Check the address.")
	b.write("vault")
	b.key(fyne.KeyReturn)
	b.says("Nobody answers there. Check the address.")
	g.contactErr = nil
	b.key(fyne.KeyReturn)
	b.says("Is this your daemon?")
	b.says("sha256: 01234567 89abcdef")
	b.key(fyne.KeyReturn)
	b.write("mira")
	b.key(fyne.KeyReturn, fyne.KeyReturn)
	b.says("Type your password.")
	b.write("secret")
	b.key(fyne.KeyReturn)
	b.says("Not signed in")
	if g.signedIn.Pin != "sha256:0123456789abcdef" || g.signedIn.User != "mira" || g.signedIn.Address != "https://vault:7443" {
		t.Errorf("signed in at %+v", g.signedIn)
	}
}

func TestConnectOpensAKnownDaemonAndWarnsOfAnotherPin(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon()))
	g := newDoor(b, prefs.Profile{Address: "https://vault:7443", Name: "vault", Pin: "sha256:ff"})
	b.open(nav.Route{Page: nav.Connect}, nil)
	b.tap("vault")
	if g.opened != "https://vault:7443" {
		t.Errorf("opened %q", g.opened)
	}
	b.open(nav.Route{Page: nav.Connect, Tab: "new"}, nil)
	b.write("vault")
	b.key(fyne.KeyReturn)
	b.silent("Is this your daemon?")
	b.key(fyne.KeyReturn) // a stray Enter goes back
	b.says("Connect to a daemon")
}

func TestSettingsChangeTheLookAndSignOut(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	g := newDoor(b)
	b.open(nav.Route{Page: nav.Settings}, nil)
	b.tap("Dark")
	if got := b.deps.Prefs.Get().Theme; got != "dark" {
		t.Errorf("the theme is %q", got)
	}
	b.tap("Sign out")
	if g.out != 1 {
		t.Error("not signed out")
	}
}
