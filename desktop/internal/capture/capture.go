// Package capture paints the console's pages into PNG files without a display: the pictures of the README, and the set that is
// looked at before a change is landed. It shows the sample fleet (package sample) through the real shell and pages, painted by fyne's
// software painter.
//
// It runs on the goroutine that calls it, which is its UI goroutine; what the console posts is carried out there.
package capture

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/shell"
	"github.com/backstay/backstay/shared/secret"
)

// Config says what to paint.
type Config struct {
	Out      string   // folder of the PNG files, which is made
	Shots    []string // names of shots, see Names; none means all
	Themes   []string // light, dark; none means both
	Size     fyne.Size
	Scale    float32 // pixels of the picture for a unit of the console; 0 is 1
	Language string  // tag; "" is English
	Report   func(path string)
}

// Run paints.
func Run(cfg Config) error {
	if cfg.Size.Width <= 0 || cfg.Size.Height <= 0 {
		cfg.Size = fyne.NewSize(1440, 900)
	}
	if len(cfg.Themes) == 0 {
		cfg.Themes = []string{"light", "dark"}
	}
	if cfg.Language == "" {
		cfg.Language = "en"
	}
	shots, err := choose(cfg.Shots)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Out, 0o755); err != nil {
		return fmt.Errorf("make folder for pictures: %w", err)
	}
	for _, theme := range cfg.Themes {
		for _, s := range shots {
			if err := paint(cfg, theme, s); err != nil {
				return fmt.Errorf("paint %s in %s: %w", s.name, theme, err)
			}
		}
	}
	return nil
}

// stage is one console, ready to be painted.
type stage struct {
	app    fyne.App
	window fyne.Window
	shell  *shell.Shell
	daemon *sample.Daemon
	queue  chan func()
}

// paint shows one page and writes its picture.
func paint(cfg Config, theme string, s shot) (err error) {
	st := newStage(cfg, theme, s)
	defer st.close()
	st.play(s)
	path := filepath.Join(cfg.Out, s.name+"-"+theme+".png")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := png.Encode(f, st.window.Canvas().Capture()); err != nil {
		return err
	}
	if cfg.Report != nil {
		cfg.Report(path)
	}
	return nil
}

// play brings what a shot shows onto the stage.
func (st *stage) play(s shot) {
	if !s.signedOut {
		st.shell.Enter(st.daemon)
	}
	if !s.early {
		st.settle()
	}
	if s.show != nil {
		s.show(st)
	}
	if !s.early {
		st.settle()
	}
}

func newStage(cfg Config, theme string, s shot) *stage {
	st := &stage{app: test.NewApp(), queue: make(chan func(), 4096), daemon: sample.New(sample.Noon())}
	if s.vacant {
		st.daemon = sample.Vacant(sample.Noon())
	}
	if s.role != "" {
		st.daemon.SetRole(s.role)
	}
	st.window = st.app.NewWindow("Backstay")
	st.window.SetPadded(false)
	if c, ok := st.window.Canvas().(interface{ SetScale(float32) }); ok && cfg.Scale > 0 {
		c.SetScale(cfg.Scale)
	}
	st.window.Resize(cfg.Size)
	data := prefs.Data{Theme: theme, Language: cfg.Language, RememberLogin: true}
	if !s.signedOut {
		data.Profiles = []prefs.Profile{{Address: sample.Address, Name: "Backup", User: "mira", Pin: "sha256:" + strings.Repeat("5e1f90c4", 8)}}
		data.Current = sample.Address
	}
	p := prefs.New(data, nil)
	st.shell = shell.New(shell.Config{App: st.app, Window: st.window, Prefs: p, Vault: prefs.NewVault(noKeyring{}, nil), NoTray: true, Zone: sample.Zone,
		Post: func(f func()) { st.queue <- f }, Now: st.daemon.Now})
	st.window.Resize(cfg.Size)
	return st
}

func (st *stage) close() {
	done := make(chan struct{})
	go func() { // what is posted meanwhile is dropped: nobody looks any more
		for {
			select {
			case <-st.queue:
			case <-done:
				return
			}
		}
	}()
	st.shell.Close()
	close(done)
	st.window.Close()
}

// Times of settle.
const (
	quietFor  = 250 * time.Millisecond
	settleFor = 10 * time.Second
)

// settle carries out what is posted until nothing more comes for a while.
func (st *stage) settle() {
	limit := time.After(settleFor)
	for {
		select {
		case f := <-st.queue:
			f()
		case <-time.After(quietFor):
			return
		case <-limit:
			return
		}
	}
}

// run lets seconds of the made-up daemon pass, and shows each.
func (st *stage) run(seconds int) {
	for range seconds {
		st.daemon.Advance(time.Second)
		st.pump(3 * feed.DefaultInterval / 2)
	}
}

// pump carries out what is posted for so long.
func (st *stage) pump(d time.Duration) {
	end := time.After(d)
	for {
		select {
		case f := <-st.queue:
			f()
		case <-end:
			return
		}
	}
}

// noKeyring is a computer without a keyring.
type noKeyring struct{}

var errNoKeyring = errors.New("no keyring here")

func (noKeyring) Set(context.Context, string, string, secret.Secret) error { return errNoKeyring }
func (noKeyring) Get(context.Context, string, string) (secret.Secret, error) {
	return secret.Secret{}, errNoKeyring
}
func (noKeyring) Delete(context.Context, string, string) error { return nil }
