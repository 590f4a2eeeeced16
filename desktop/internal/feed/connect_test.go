package feed_test

import (
	"strings"
	"testing"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/secret"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"backup.example.net":         "https://backup.example.net:7443",
		" https://Backup.example/ ":  "https://backup.example:7443",
		"backup.example.net:443":     "https://backup.example.net:443",
		"[fd00::7]":                  "https://[fd00::7]:7443",
		"[fd00::7]:8443":             "https://[fd00::7]:8443",
		"http://backup.example":      "",
		"":                           "",
		"https://u:p@backup.example": "",
		"backup.example/path":        "",
	} {
		got, err := feed.ParseAddress(text)
		if got != want || (err != nil) != (want == "") || err != nil && fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// From an address to a signed-in daemon: the pin is shown first, and then only the daemon with that pin is spoken to.
func TestConnect(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	contact, err := feed.FirstContact(ctx, s.Address())
	if err != nil || contact.Pin != pin.Of(s.CA()) || contact.Address != s.Address() {
		t.Fatalf("%+v, %v", contact, err)
	}
	door := feed.Door(contact) // a person has compared the pin
	if _, err := door.SignIn(ctx, "mira", secret.New("wrong")); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("a wrong password: %v", err)
	}
	entry, err := door.SignIn(ctx, "mira", secret.New(apitest.Password))
	if err != nil || entry.Token.IsZero() || entry.Identity.User == "" {
		t.Fatalf("%+v, %v", entry.Identity, err)
	}
	again, err := door.Resume(ctx, entry.Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := feed.SignOut(ctx, again.Daemon); err != nil {
		t.Error(err)
	}
	if err := feed.SignOut(ctx, entry.Daemon); err != nil { // it is out already
		t.Error(err)
	}
	if _, err := door.Resume(ctx, entry.Token); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("an ended session: %v", err)
	}
	other := feed.Door{Address: s.Address(), Pin: "sha256:" + strings.Repeat("0", 64)}
	if _, err := other.SignIn(ctx, "mira", secret.New(apitest.Password)); fault.CodeOf(err) != fault.PinMismatch {
		t.Errorf("another daemon: %v", err)
	}
	for _, p := range []string{"", "sha256:12"} { // without a pin the system's roots would decide
		if _, err := (feed.Door{Address: s.Address(), Pin: p}).Resume(ctx, entry.Token); fault.CodeOf(err) != fault.InvalidInput || feed.CheckPin(p) == nil {
			t.Errorf("pin %q: %v", p, err)
		}
	}
	s.Close()
	if _, err := feed.FirstContact(ctx, s.Address()); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("nobody there: %v", err)
	}
}
