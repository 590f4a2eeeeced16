package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"github.com/spf13/cobra"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/shell"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/localzone"
	"github.com/backstay/backstay/shared/secret"
)

// appID names the console to the desktop.
const appID = "io.backstay.console"

// options of the command line.
type options struct {
	config  string
	connect string
	pin     string
	user    string
	stdin   bool
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{Use: "backstay-desktop", Short: "Backstay's console", Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		Version: buildinfo.Version(), RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.InOrStdin(), cmd.ErrOrStderr(), o) }}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "`folder` of the console's preferences (the account's own when not given)")
	f.StringVar(&o.connect, "connect", "", "sign in at the daemon at this `address` right away; needs --pin, --user and --password-stdin")
	f.StringVar(&o.pin, "pin", "", "`pin` of that daemon, as `backstayd pin` prints it")
	f.StringVar(&o.user, "user", "", "`name` of who signs in there")
	f.BoolVar(&o.stdin, "password-stdin", false, "read the password from standard input")
	cmd.MarkFlagsRequiredTogether("connect", "pin", "user", "password-stdin")
	return cmd
}

// gcPercent is how much the heap may grow before it is collected. A log of a million lines is most of it and stays: with Go's own 100
// the console would take twice as much as it uses.
const gcPercent = 25

func run(stdin io.Reader, stderr io.Writer, o options) error {
	debug.SetGCPercent(gcPercent)
	folder := o.config
	if folder == "" {
		var err error
		if folder, err = prefs.DefaultFolder(); err != nil {
			return err
		}
	}
	data, err := prefs.Load(folder)
	if err != nil {
		return err
	}
	password, err := passwordOf(stdin, o)
	if err != nil {
		return err
	}
	saver := prefs.NewSaver(folder, func(err error) { fmt.Fprintln(stderr, "backstay-desktop:", err) })
	defer saver.Close()

	app.SetMetadata(fyne.AppMetadata{ID: appID, Name: "Backstay", Version: buildinfo.Version(), Icon: theme.AppIcon()})
	a := app.NewWithID(appID)
	w := a.NewWindow("Backstay")
	w.SetPadded(false)
	w.SetIcon(theme.AppIcon())
	w.SetMaster()
	w.Resize(sizeOf(data))
	s := shell.New(shell.Config{App: a, Window: w, Zone: localzone.Name(os.Getenv), Prefs: prefs.New(data, saver.Save), Vault: prefs.NewVault(nil, nil)})
	defer s.Close()
	w.SetOnClosed(s.Close)
	a.Lifecycle().SetOnStarted(func() { begin(s, stderr, o, password) })
	w.ShowAndRun()
	return nil
}

// begin opens the daemon that was asked for, or the one that was in use last.
func begin(s *shell.Shell, stderr io.Writer, o options, password secret.Secret) {
	if o.connect == "" {
		s.Start()
		return
	}
	address, err := feed.ParseAddress(o.connect)
	if err != nil {
		fmt.Fprintln(stderr, "backstay-desktop:", err)
		return
	}
	name := strings.TrimPrefix(address, "https://")
	s.Gate().SignIn(context.Background(), prefs.Profile{Address: address, Pin: o.pin, User: o.user, Name: name}, password, false,
		func(err error) { fmt.Fprintln(stderr, "backstay-desktop:", err) })
}

func passwordOf(stdin io.Reader, o options) (secret.Secret, error) {
	if !o.stdin {
		return secret.Secret{}, nil
	}
	line, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return secret.Secret{}, fmt.Errorf("read password: %w", err)
	}
	return secret.New(strings.TrimRight(line, "\r\n")), nil
}

func sizeOf(d prefs.Data) fyne.Size {
	if d.Width < 400 || d.Height < 300 {
		return fyne.NewSize(1440, 900)
	}
	return fyne.NewSize(d.Width, d.Height)
}
