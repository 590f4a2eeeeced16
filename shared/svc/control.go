package svc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fault"
)

// Verb is what is to be done with a service.
type Verb string

// The verbs, each a command.
const (
	Install   Verb = "install"
	Uninstall Verb = "uninstall"
	Start     Verb = "start"
	Stop      Verb = "stop"
	Restart   Verb = "restart"
)

// Verbs lists all with what they do, for the commands' help.
var Verbs = [...]struct {
	Verb  Verb
	Short string
}{
	{Install, "make this program a service that starts with the system (--user: with your session)"},
	{Uninstall, "take the service away; its data stay unless --purge is given"},
	{Start, "start the service"},
	{Stop, "stop the service"},
	{Restart, "stop the service and start it again"},
}

// Order is one command.
type Order struct {
	Definition
	Verb    Verb
	Purge   bool     // uninstall: remove Folders as well
	Folders []string // all that the program keeps
	NoStart bool     // install: leave starting to somebody else
	Fresh   bool     // install: start it again even if nothing changed
	NextRun string   // install: what has to be done before the service can start
	// Drain ends what the service left running, before an uninstall stops the service and again after; what it did is said.
	Drain func(context.Context) ([]string, error)
}

// limit bounds one command: systemd's own limits for starting and stopping are shorter.
const limit = 5 * time.Minute

// Control carries out o and says on w what was done.
func Control(ctx context.Context, o Order, w io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m, err := Open(ctx, o.Definition)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	var lines []string
	switch o.Verb {
	case Install:
		lines, err = o.install(ctx, m)
	case Uninstall:
		lines, err = o.uninstall(ctx, m)
	case Start:
		lines, err = []string{o.what() + " is started."}, m.Start(ctx)
	case Stop:
		lines, err = []string{o.what() + " is stopped."}, m.Stop(ctx)
	case Restart:
		lines, err = []string{o.what() + " is started again."}, m.Restart(ctx)
	default:
		return fmt.Errorf("unknown verb %q", o.Verb)
	}
	if err != nil {
		if o.Verb == Uninstall && len(lines) > 0 { // what was done counts all the same
			_, werr := fmt.Fprintln(w, strings.Join(lines, "\n"))
			err = errors.Join(err, werr)
		}
		return err
	}
	_, err = fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

func (o Order) what() string {
	if o.User {
		return "Your own service " + o.Name
	}
	return "The service " + o.Name
}

func (o Order) install(ctx context.Context, m Manager) ([]string, error) {
	if !o.User {
		if err := checkTrusted(o.Executable); err != nil {
			return nil, err
		}
	}
	done, err := m.Install(ctx)
	if err != nil {
		return nil, err
	}
	lines := []string{o.what() + " is installed:"}
	if len(done) == 0 {
		lines = []string{o.what() + " was installed already, and nothing had to be changed:"}
	}
	for _, d := range done {
		lines = append(lines, "  "+d)
	}
	lines = append(lines, "  program  "+o.Executable, "  config   "+o.Config, "  data     "+o.DataDir, "  log      "+o.logPlace())
	if o.NextRun != "" {
		return append(lines, "It is not started yet. Next: "+o.NextRun), nil
	}
	if o.NoStart {
		return lines, nil
	}
	now, err := m.State(ctx)
	if err != nil {
		return lines, err
	}
	switch {
	case !now.Running:
		err = m.Start(ctx)
	case len(done) > 0 || o.Fresh:
		err = m.Restart(ctx)
	}
	if err != nil {
		return lines, err
	}
	if now, err = m.State(ctx); err != nil {
		return lines, err
	}
	return append(lines, fmt.Sprintf("It runs (%s, pid %d).", now.Words, now.PID)), nil
}

func (o Order) uninstall(ctx context.Context, m Manager) ([]string, error) {
	if o.Purge {
		if err := o.checkFolders(); err != nil {
			return nil, err
		}
	}
	var lines []string
	var err error
	note := func(done []string, e error) {
		for _, d := range done {
			lines = append(lines, "  "+d)
		}
		err = e
	}
	if o.Drain != nil {
		note(o.Drain(ctx))
	}
	if err == nil {
		note(m.Uninstall(ctx))
	}
	if err == nil && o.Drain != nil {
		note(o.Drain(ctx))
	}
	if err != nil {
		return lines, err
	}
	head := o.what() + " is uninstalled:"
	if len(lines) == 0 {
		head = o.what() + " was not installed."
	}
	lines = append([]string{head}, lines...)
	if !o.Purge {
		return append(lines, "Its data stay in "+o.DataDir+"; `"+o.program()+" uninstall --purge` removes them."), nil
	}
	for _, f := range o.Folders {
		if _, err := os.Lstat(f); err != nil {
			continue
		}
		if err := os.RemoveAll(f); err != nil {
			return lines, fault.Wrap(fault.StorageDenied, err, "%s could not be removed whole (%v). Remove the rest by hand.", f, err)
		}
		lines = append(lines, "  removed "+f)
	}
	return lines, nil
}

// checkFolders refuses to remove what is not this program's own: each folder has a lock file, or lies beside one that has.
func (o Order) checkFolders() error {
	for _, f := range o.Folders {
		if filepath.Dir(filepath.Clean(f)) == filepath.Clean(f) || len(f) < 4 {
			return fault.New(fault.InvalidInput, "%s cannot be purged. Name the right folder with --data.", f)
		}
	}
	if _, err := os.Stat(o.DataDir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(o.DataDir, "lock")); err != nil {
		return fault.New(fault.InvalidInput, "%s does not look like a data folder of %s, so it is not removed. Name the right one with --data.", o.DataDir, o.Name)
	}
	return nil
}
