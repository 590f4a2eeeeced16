package shell

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/pages"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
	"github.com/backstay/backstay/desktop/internal/words"
)

// Config is what New needs.
type Config struct {
	App    fyne.App
	Window fyne.Window
	Prefs  *prefs.Prefs
	Vault  *prefs.Vault
	// Post runs a function on the UI goroutine, some time, in order. nil is fyne.Do, for a real window.
	Post feed.Post
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Zone is the IANA name of this computer's time zone, "" where it cannot be told.
	Zone string
	// NoTray leaves the desktop's tray alone.
	NoTray bool
}

// Shell is the console's window.
type Shell struct {
	cfg     Config
	prefs   *prefs.Prefs
	calls   *feed.Runner // for requests that outlive a session
	deps    *pages.Deps
	frame   *frame
	layers  *widgets.Root
	palette *palette // nil: not open
	tray    *tray    // nil: the desktop has none

	fleet   *model.Fleet
	daemon  feed.Daemon   // of the session; the shell closes it
	session *feed.Session // nil: nobody is signed in
	attempt int           // counts the changes of session: an answer to an older one is dropped

	onEnter        func() // closes what asked for the password
	refusedAddress string
	refused        error

	logFonts *logview.Fonts
	page     pages.Page
	route    nav.Route
	leave    context.CancelFunc // ends the page's context
	history  nav.History
	news     *news

	stopClock context.CancelFunc
	wg        sync.WaitGroup
	closed    bool
}

// New makes the console in its window and shows the connect page. Open or Enter goes further. Close ends it.
func New(cfg Config) *Shell {
	if cfg.Post == nil {
		cfg.Post = fyne.Do
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Shell{cfg: cfg, prefs: cfg.Prefs, calls: feed.NewRunner(cfg.Post), fleet: model.New(), leave: func() {}}
	s.news = newNews(s)
	s.logFonts = logview.NewFonts()
	s.restyleApp()
	s.build()
	s.showConnect("", nil)
	s.listenToKeys()
	s.startTray()
	ctx, stop := context.WithCancel(context.Background())
	s.stopClock = stop
	s.wg.Go(func() { s.clock(ctx) })
	return s
}

// build makes everything that the window shows but the page.
func (s *Shell) build() {
	s.frame = newFrame(s)
	s.layers = widgets.NewRoot(s.frame.root, s.after)
	s.deps = &pages.Deps{Fleet: s.fleet, Calls: s.calls, Prefs: s.prefs, Vault: s.cfg.Vault, Gate: gate{s}, Window: s.cfg.Window, Now: s.cfg.Now, Zone: s.cfg.Zone, Post: s.cfg.Post, LogFonts: s.logFonts,
		Navigate: s.Navigate, Back: s.Back, Toast: s.toast, Copy: s.copy, SaveFile: s.saveFile, Restyle: s.Restyle}
	s.cfg.Window.SetContent(s.layers)
}

// clock posts a tick each second, one at a time: an UI that is busy is not given more to do.
func (s *Shell) clock(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		applied := make(chan struct{})
		s.cfg.Post(func() {
			defer close(applied)
			if ctx.Err() == nil {
				s.tick()
			}
		})
		select {
		case <-applied:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Shell) tick() {
	now := s.cfg.Now()
	s.frame.tick(now)
	if s.page != nil {
		s.page.Tick(now)
	}
}

// Enter begins a session with a daemon that somebody is signed in at, and shows the page that was open last, or the overview. The
// daemon is the shell's to close.
func (s *Shell) Enter(d feed.Daemon) { s.enter(d) }

func (s *Shell) enter(d feed.Daemon) {
	again := s.fleet.Connection().Link == model.SignedOut && s.daemon != nil && s.daemon.Address() == d.Address()
	s.leaveSession()
	if !again { // signing in again in place keeps what is on the screen
		s.fleet = model.New()
	}
	s.daemon = d
	s.refusedAddress, s.refused = "", nil
	if s.onEnter != nil {
		s.onEnter()
		s.onEnter = nil
	}
	s.session = feed.Start(feed.Config{Daemon: d, Post: s.cfg.Post, Apply: s.apply, Now: s.cfg.Now})
	s.deps.Fleet, s.deps.Session, s.deps.Daemon, s.deps.Calls = s.fleet, s.session, d, s.session.Calls
	s.news.reset()
	s.frame.sessionChanged()
	route := s.route
	if route.Page == nav.Connect {
		route = s.prefs.Get().Page
	}
	if !route.Valid() || route.Page == nav.Connect {
		route = nav.Route{Page: nav.Overview}
	}
	s.history.Clear()
	s.open(route, nil)
}

// leaveSession ends the session with its daemon.
func (s *Shell) leaveSession() {
	d := s.daemon
	s.leaveSessionKeeping()
	if d != nil {
		d.Close()
	}
}

// leaveSessionKeeping ends the session and leaves the daemon to the caller.
func (s *Shell) leaveSessionKeeping() {
	s.attempt++
	s.dropPage()
	if s.session != nil {
		s.session.Close()
	}
	s.session, s.daemon = nil, nil
	s.deps.Session, s.deps.Daemon, s.deps.Calls = nil, nil, s.calls
}

// apply takes a batch of the session: model first, then what shows it.
func (s *Shell) apply(b model.Batch) {
	c := s.fleet.Apply(b)
	if c.None() {
		return
	}
	s.news.update(c)
	s.frame.update(c)
	s.updateTray()
	if s.page != nil {
		s.page.Update(c)
	}
}

// Start opens the daemon that was in use last, if there is one.
func (s *Shell) Start() {
	if current := s.prefs.Get().Current; current != "" {
		gate{s}.Open(current)
		return
	}
	if p, ok := s.page.(pages.Shown); ok { // it could not have the keyboard before there was a window
		p.Shown()
	}
}

// Gate is the way in, for a caller that has a password.
func (s *Shell) Gate() pages.Gate { return gate{s} }

// Restyle shows everything anew in the theme, density and language of the preferences.
func (s *Shell) Restyle() {
	route, state := s.route, s.stateOfPage()
	s.dropPage()
	s.restyleApp()
	s.build()
	s.deps.Session, s.deps.Daemon = s.session, s.daemon
	if s.session != nil {
		s.deps.Calls = s.session.Calls
	}
	s.frame.sessionChanged()
	s.open(route, state)
}

func (s *Shell) restyleApp() {
	d := s.prefs.Get()
	if err := words.Use(d.Language); err != nil {
		fyne.LogError("language", err)
	}
	mode, density := theme.System, theme.Comfortable
	if d.Theme != "" {
		mode = theme.Mode(d.Theme)
	}
	if d.Density != "" {
		density = theme.Density(d.Density)
	}
	s.cfg.App.Settings().SetTheme(theme.New(mode, density))
}

// Close ends the session and everything that the shell began, and waits for it.
func (s *Shell) Close() {
	if s.closed {
		return
	}
	s.closed = true
	s.rememberWindow()
	s.leaveSession()
	s.stopClock()
	s.calls.Close()
	s.wg.Wait()
}

func (s *Shell) rememberWindow() {
	size := s.cfg.Window.Canvas().Size()
	if size.Width < 200 || size.Height < 200 {
		return
	}
	s.prefs.Change(func(d *prefs.Data) { d.Width, d.Height = size.Width, size.Height })
}

func (s *Shell) toast(tone widgets.Tone, title, text string) {
	s.layers.Toasts().Push(widgets.Toast{Tone: tone, Title: title, Text: text, Close: words.T("dialog.close")})
}

// after is the clock of tooltips and toasts: f comes on the UI goroutine, unless it was stopped or the shell is closed.
func (s *Shell) after(d time.Duration, f func()) (stop func()) {
	stopped := false // touched on the UI goroutine only
	t := time.AfterFunc(d, func() {
		s.cfg.Post(func() {
			if !stopped && !s.closed {
				f()
			}
		})
	})
	return func() {
		stopped = true
		t.Stop()
	}
}

func (s *Shell) copy(text string) { s.cfg.App.Clipboard().SetContent(text) }
