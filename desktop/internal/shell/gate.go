package shell

import (
	"context"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/pages"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// gate is the way in and out.
type gate struct{ s *Shell }

var _ pages.Gate = gate{}

func (g gate) Contact(ctx context.Context, address string, done func(feed.Contact, error)) {
	feed.Call(ctx, g.s.calls, func(ctx context.Context) (feed.Contact, error) { return feed.FirstContact(ctx, address) }, done)
}

// way is an entry and what came of keeping its token.
type way struct {
	entry   feed.Entry
	keeping error
}

func (g gate) SignIn(ctx context.Context, p prefs.Profile, password secret.Secret, remember bool, done func(error)) {
	vault := g.s.cfg.Vault
	feed.Call(ctx, g.s.calls, func(ctx context.Context) (way, error) {
		entry, err := feed.Door{Address: p.Address, Pin: p.Pin}.SignIn(ctx, p.User, password)
		if err != nil {
			return way{}, err
		}
		w := way{entry: entry}
		if remember {
			w.keeping = vault.KeepToken(ctx, p, entry.Token)
		}
		return w, nil
	}, func(w way, err error) {
		if err != nil {
			done(err)
			return
		}
		g.s.prefs.PutProfile(p)
		g.s.prefs.Change(func(d *prefs.Data) { d.RememberLogin = remember })
		g.s.enter(w.entry.Daemon)
		if w.keeping != nil {
			_, text := words.Error(w.keeping)
			g.s.toast(widgets.Warn, words.T("shell.not_remembered"), text)
		}
	})
}

// Open tries the token in the keyring. Whatever goes wrong, the connect page says it.
func (g gate) Open(address string) {
	p, ok := g.s.prefs.Profile(address)
	if !ok {
		g.s.showConnect("", nil)
		return
	}
	g.s.leaveSession()
	g.s.prefs.Change(func(d *prefs.Data) { d.Current = address })
	g.s.showWaiting(p)
	vault, attempt := g.s.cfg.Vault, g.s.attempt
	feed.Call(context.Background(), g.s.calls, func(ctx context.Context) (feed.Entry, error) {
		token, err := vault.Token(ctx, p)
		if err != nil {
			return feed.Entry{}, err
		}
		if token.IsZero() {
			return feed.Entry{}, errNoToken
		}
		return feed.Door{Address: p.Address, Pin: p.Pin}.Resume(ctx, token)
	}, func(e feed.Entry, err error) {
		switch {
		case attempt != g.s.attempt: // the person has chosen something else meanwhile
			if err == nil {
				e.Daemon.Close()
			}
		case err == nil:
			g.s.enter(e.Daemon)
		case fault.CodeOf(err) == fault.Unauthenticated:
			g.s.showConnect(address, nil)
		default:
			g.s.showConnect(address, err)
		}
	})
}

// errNoToken says that nobody is signed in; it is not worth a word.
var errNoToken = fault.New(fault.Unauthenticated, "Nobody is signed in.")

func (g gate) SignOut() {
	p, known := g.s.prefs.Profile(g.s.prefs.Get().Current)
	daemon, vault := g.s.daemon, g.s.cfg.Vault
	g.s.leaveSessionKeeping()
	g.s.showConnect(p.Address, nil)
	feed.Do(context.Background(), g.s.calls, func(ctx context.Context) error {
		var err error
		if daemon != nil {
			err = feed.SignOut(ctx, daemon)
		}
		if known {
			if e := vault.DropToken(ctx, p); e != nil {
				err = e
			}
		}
		return err
	}, func(err error) {
		if err != nil {
			_, text := words.Error(err)
			g.s.toast(widgets.Warn, words.T("shell.sign_out_trouble"), text)
		}
	})
}

func (g gate) Forget(address string) {
	p, ok := g.s.prefs.Profile(address)
	if !ok {
		return
	}
	g.s.prefs.DropProfile(address)
	vault := g.s.cfg.Vault
	feed.Do(context.Background(), g.s.calls, func(ctx context.Context) error { return vault.DropToken(ctx, p) }, func(err error) {
		if err != nil {
			_, text := words.Error(err)
			g.s.toast(widgets.Warn, words.T("shell.token_stays"), text)
		}
	})
}

func (g gate) Refused() (string, error) { return g.s.refusedAddress, g.s.refused }

// showConnect shows the way in, for one of the daemons when address is not "".
func (s *Shell) showConnect(address string, refused error) {
	s.refusedAddress, s.refused = address, refused
	s.history.Clear()
	s.open(nav.Route{Page: nav.Connect, ID: address}, nil)
}
