package shell

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"go.uber.org/goleak"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ring is a keyring in memory, which requests use from their goroutines.
type ring struct {
	mu    sync.Mutex
	items map[string]secret.Secret
}

func newRing() *ring { return &ring{items: map[string]secret.Secret{}} }

func (r *ring) Set(_ context.Context, service, user string, v secret.Secret) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items[service+"/"+user] = v
	return nil
}

func (r *ring) Get(_ context.Context, service, user string) (secret.Secret, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.items[service+"/"+user]
	if !ok {
		return v, keyring.ErrNotFound
	}
	return v, nil
}

func (r *ring) Delete(_ context.Context, service, user string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.items, service+"/"+user)
	return nil
}

// desk is a console without a display. The test's goroutine is its UI goroutine.
type desk struct {
	t      *testing.T
	shell  *Shell
	daemon *sample.Daemon
	window fyne.Window
	prefs  *prefs.Prefs
	queue  chan func()
	app    fyne.App
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	k := &desk{t: t, app: test.NewTempApp(t), queue: make(chan func(), 4096), daemon: sample.New(sample.Noon())}
	k.window = k.app.NewWindow("Backstay")
	k.window.SetPadded(false)
	k.window.Resize(fyne.NewSize(1440, 900))
	k.prefs = prefs.New(prefs.Data{Theme: "light", Language: "en", Profiles: []prefs.Profile{{Address: sample.Address, Name: "Backup", User: "mira"}}}, nil)
	k.shell = New(Config{App: k.app, Window: k.window, Prefs: k.prefs, Vault: prefs.NewVault(newRing(), nil), NoTray: true,
		Post: func(f func()) { k.queue <- f }, Now: k.daemon.Now})
	t.Cleanup(func() {
		done := make(chan struct{})
		go func() { // what still comes is dropped, as a closed window's is
			for {
				select {
				case <-k.queue:
				case <-done:
					return
				}
			}
		}()
		k.shell.Close()
		close(done)
		k.window.Close()
	})
	return k
}

// until carries out what is posted until want holds.
func (k *desk) until(what string, want func() bool) {
	k.t.Helper()
	limit := time.After(20 * time.Second)
	for !want() {
		select {
		case f := <-k.queue:
			f()
		case <-limit:
			k.t.Fatalf("not seen in time: %s", what)
		}
	}
}

func (k *desk) enter() {
	k.t.Helper()
	k.shell.Enter(k.daemon)
	k.until("the fleet is listed", func() bool { return k.shell.fleet.Listed() && k.shell.fleet.Identity().User != "" })
}

func TestEveryPageOpensAndIsLeft(t *testing.T) {
	k := newDesk(t)
	k.enter()
	scene := k.daemon.Scene()
	routes := []nav.Route{{Page: nav.Hosts}, {Page: nav.Host, ID: string(scene.Host)}, {Page: nav.Jobs}, {Page: nav.Job, ID: string(scene.Running)}, {Page: nav.Snapshots},
		{Page: nav.Plans}, {Page: nav.Repositories}, {Page: nav.Access}, {Page: nav.Settings}, {Page: nav.Overview}}
	for _, r := range routes {
		k.shell.Navigate(r)
		k.until("page "+string(r.Page), func() bool { return k.shell.route == r && k.shell.page.Content() != nil })
		if len(k.shell.page.Crumbs()) == 0 {
			t.Errorf("%s has no name", r.Page)
		}
		k.daemon.Advance(time.Second)
	}
	if got := k.prefs.Get().Page.Page; got != nav.Overview {
		t.Errorf("the page to begin with next time is %s", got)
	}
	for range routes {
		k.shell.Back()
	}
	if k.shell.route.Page != nav.Overview {
		t.Errorf("the way back ends at %s", k.shell.route.Page)
	}
	k.shell.Navigate(nav.Route{Page: "nowhere"})
	k.shell.Navigate(nav.Route{Page: nav.Job})
	if k.shell.route.Page != nav.Overview {
		t.Errorf("a route that is none was followed to %v", k.shell.route)
	}
}

func TestALostConnectionKeepsThePageGreyedAndComesBack(t *testing.T) {
	k := newDesk(t)
	k.enter()
	k.shell.Navigate(nav.Route{Page: nav.Hosts})
	k.daemon.Cut()
	k.until("lost", func() bool { return k.shell.fleet.Connection().Link == model.Lost })
	if !k.shell.frame.link.root.Visible() || !k.shell.frame.veil.Visible() || !strings.Contains(k.shell.frame.link.text.Text(), "how things were at") {
		t.Errorf("the strip says %q, veil %v", k.shell.frame.link.text.Text(), k.shell.frame.veil.Visible())
	}
	if k.shell.route.Page != nav.Hosts || len(k.shell.fleet.Hosts()) == 0 {
		t.Error("what was known is gone")
	}
	k.daemon.Heal()
	k.shell.session.Reconnect()
	k.until("live again", func() bool { return k.shell.fleet.Connection().Link == model.Live })
	if k.shell.frame.link.root.Visible() || k.shell.frame.veil.Visible() {
		t.Error("the strip or the veil stays")
	}
}

func TestASessionThatEndedAsksInPlace(t *testing.T) {
	k := newDesk(t)
	k.prefs.Change(func(d *prefs.Data) { d.Current = sample.Address })
	k.enter()
	k.shell.Navigate(nav.Route{Page: nav.Plans})
	k.daemon.SignOutAll()
	k.until("signed out", func() bool { return k.shell.fleet.Connection().Link == model.SignedOut })
	k.shell.signInAgain()
	if k.window.Canvas().Overlays().Top() == nil || k.shell.route.Page != nav.Plans {
		t.Fatal("nobody was asked, or the page is gone")
	}
	hosts := len(k.shell.fleet.Hosts())
	fresh := sample.New(sample.Noon())
	k.shell.Enter(fresh)
	if k.window.Canvas().Overlays().Top() != nil || k.shell.route.Page != nav.Plans || len(k.shell.fleet.Hosts()) != hosts {
		t.Errorf("after signing in: overlay %v, page %s, %d hosts", k.window.Canvas().Overlays().Top(), k.shell.route.Page, len(k.shell.fleet.Hosts()))
	}
}

func TestFailuresAreToldOnceAndHarmlessly(t *testing.T) {
	k := newDesk(t)
	k.enter()
	job := *k.shell.fleet.Job(k.daemon.Scene().Failed)
	before := k.shell.layers.Toasts().Len()
	for range 3 {
		k.shell.news.update(model.Change{Ended: []fleet.JobID{job.ID}})
	}
	if n := k.shell.layers.Toasts().Len() - before; n != 1 {
		t.Errorf("%d toasts", n)
	}
	if got := harmless("a$(rm)`x`\"<b>\x1b[31m'\n"); strings.ContainsAny(got, "$`\"'<>\x1b\n") {
		t.Errorf("%q", got)
	}
}

func TestPaletteFindsAndGoes(t *testing.T) {
	k := newDesk(t)
	k.enter()
	k.shell.Palette()
	p := k.shell.palette
	if p == nil || len(p.choices) < len(sections) {
		t.Fatal("no palette")
	}
	p.entry.SetText("db-04 prod")
	if len(p.choices) == 0 || !strings.Contains(p.choices[0].label, "db-04") {
		t.Fatalf("%v", p.choices)
	}
	p.entry.SetText("zzzzzz")
	p.key(fyne.KeyReturn)
	if k.shell.palette == nil {
		t.Error("Enter on nothing closed the palette")
	}
	p.entry.SetText("repositor")
	p.key(fyne.KeyReturn)
	if k.shell.palette != nil || k.shell.route.Page != nav.Repositories {
		t.Errorf("it went to %v", k.shell.route)
	}
}

func TestThemeAndLanguageChangeWhereOneIs(t *testing.T) {
	k := newDesk(t)
	k.enter()
	k.shell.Navigate(nav.Route{Page: nav.Settings})
	k.prefs.Change(func(d *prefs.Data) { d.Theme, d.Language = "dark", "de" })
	k.shell.Restyle()
	if c := k.shell.page.Crumbs(); k.shell.route.Page != nav.Settings || c[0].Text != "Einstellungen" || !k.shell.frame.sidebar.dark() {
		t.Errorf("%v, dark %v", c, k.shell.frame.sidebar.dark())
	}
	k.prefs.Change(func(d *prefs.Data) { d.Language = "en" })
	k.shell.Restyle()
}

func TestSignOutForgetsTheTokenAndGoesToTheWayIn(t *testing.T) {
	k := newDesk(t)
	k.prefs.Change(func(d *prefs.Data) { d.Current = sample.Address })
	p, _ := k.prefs.Profile(sample.Address)
	if err := k.shell.cfg.Vault.KeepToken(t.Context(), p, secret.New("t")); err != nil {
		t.Fatal(err)
	}
	k.enter()
	gate{k.shell}.SignOut()
	if k.shell.route.Page != nav.Connect || k.shell.session != nil {
		t.Fatalf("%v", k.shell.route)
	}
	k.until("the token is gone", func() bool {
		s, err := k.shell.cfg.Vault.Token(t.Context(), p)
		return err == nil && s.IsZero()
	})
	k.shell.Navigate(nav.Route{Page: nav.Hosts})
	if k.shell.route.Page != nav.Connect {
		t.Error("a page opened without anybody signed in")
	}
}

func TestOpenWithoutATokenAsksForThePassword(t *testing.T) {
	k := newDesk(t)
	gate{k.shell}.Open(sample.Address)
	k.until("the way in", func() bool {
		return k.shell.route == nav.Route{Page: nav.Connect, ID: sample.Address}
	})
	if address, err := k.shell.Gate().Refused(); address != sample.Address || err != nil {
		t.Errorf("%s, err %v", address, err)
	}
	k.shell.showConnect(sample.Address, errors.New("boom"))
	if _, err := k.shell.Gate().Refused(); err == nil {
		t.Error("the reason is lost")
	}
}
