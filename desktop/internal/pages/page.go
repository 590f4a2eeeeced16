// Package pages holds the console's pages, one type each, in four faces: loading, empty, error, full. A page is made for a Route,
// shows what the model holds, asks the daemon for what it does not, and is left for good by Leave.
//
// Everything here runs on the UI goroutine. Requests go through feed.Call with the page's own context, which ends when the page is
// left: a page starts no goroutine of its own and hears of nothing after Leave.
package pages

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
	"github.com/backstay/backstay/shared/secret"
)

// Page is one open page.
type Page interface {
	// Content is what fills the room below the top bar. It is asked for once.
	Content() fyne.CanvasObject
	// Crumbs are the top bar's words: where the page lies, its own name last.
	Crumbs() []Crumb
	// Actions are the page's buttons at the right of the top bar; nil for none.
	Actions() fyne.CanvasObject
	// Update says that the model changed.
	Update(model.Change)
	// Tick comes once a second, for texts that age and for charts.
	Tick(now time.Time)
	// Key takes a key that nothing focused wanted. It tells whether the page did something with it; Escape goes back otherwise.
	Key(Key) bool
	// State is what the page wants back when a person returns to it: scroll position, filter, selection. It may be nil.
	State() any
	// Leave ends the page. Its context has ended already.
	Leave()
}

// Shown is a page that wants to know when it is on the screen, to take the keyboard.
type Shown interface{ Shown() }

// Crumb is a word of the top bar; with a route it leads there.
type Crumb struct {
	Text  string
	Route nav.Route // the zero Route leads nowhere
}

// Key is what a page may be told of the keyboard.
type Key struct {
	Name  fyne.KeyName
	Super bool // Ctrl, or ⌘ on macOS
	Shift bool
}

// Deps is what the shell gives every page.
type Deps struct {
	Fleet   *model.Fleet
	Session *feed.Session // nil on the connect page
	Daemon  feed.Daemon   // nil on the connect page
	Calls   *feed.Runner  // for feed.Call
	Prefs   *prefs.Prefs
	Vault   *prefs.Vault
	Gate    Gate
	Window  fyne.Window
	Now     func() time.Time
	Zone    string    // IANA name of this computer's time zone, "" where it cannot be told
	Post    feed.Post // runs a function on the UI goroutine, later
	// LogFonts are the log's, for all pages.
	LogFonts *logview.Fonts

	Navigate func(nav.Route)
	Back     func()
	Toast    func(tone widgets.Tone, title, text string)
	Copy     func(text string)
	// SaveFile asks where to, and writes what write writes to the path, off the UI goroutine. Nothing happens when the person thinks
	// better of it.
	SaveFile func(ctx context.Context, name string, write func(ctx context.Context, path string) error)
	// Restyle shows the console anew after theme, density or language were changed in Prefs.
	Restyle func()
}

// Gate is the way in and out, for the connect and settings pages.
type Gate interface {
	// Contact asks the daemon at an address for its pin. Nothing is trusted by that.
	Contact(ctx context.Context, address string, done func(feed.Contact, error))
	// SignIn trusts the profile's pin and signs in. On success the console opens and this page is left; done is called on failure
	// only. With remember the session's token goes into the keyring of this computer.
	SignIn(ctx context.Context, p prefs.Profile, password secret.Secret, remember bool, done func(error))
	// Open opens a known daemon with the token in the keyring, or shows the connect page for it.
	Open(address string)
	// SignOut ends the session and shows the connect page.
	SignOut()
	// Forget drops a known daemon and its token.
	Forget(address string)
	// Refused is why the last try to open Address failed without anybody asking for it; "" and nil when none did.
	Refused() (address string, err error)
}

// maker makes a page; state is what an earlier page of the same route gave in State, or nil.
type maker func(ctx context.Context, d *Deps, r nav.Route, state any) Page

// New makes the page of a route. The page's context ends when the page is left.
func New(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	if m := makers()[r.Page]; m != nil {
		return m(ctx, d, r, state)
	}
	return newOverview(ctx, d, nav.Route{Page: nav.Overview}, nil)
}

// makers lists the pages.
func makers() map[nav.Name]maker {
	return map[nav.Name]maker{
		nav.Access:       newAccess,
		nav.Connect:      newConnect,
		nav.Host:         newHost,
		nav.Hosts:        newHosts,
		nav.Job:          newJob,
		nav.Jobs:         newJobs,
		nav.Overview:     newOverview,
		nav.Plans:        newPlans,
		nav.Repositories: newRepositories,
		nav.Settings:     newSettings,
		nav.Snapshots:    newSnapshots,
	}
}

// base is what most pages need nothing special for.
type base struct{}

func (base) Actions() fyne.CanvasObject { return nil }
func (base) Tick(time.Time)             {}
func (base) Key(Key) bool               { return false }
func (base) State() any                 { return nil }
func (base) Leave()                     {}
