//go:build linux

// Backstay-bench opens the console's real window with made-up fleets and measures what it takes: processor time of a frame, how long
// the UI goroutine keeps others waiting, memory, and what the window costs while nothing happens. It is a tool of those who build
// Backstay and is not installed anywhere; `make bench-window` runs it.
//
// Each line of its output is a metric and its value. Processor time is counted by thread: the UI goroutine's own thread has all of
// Backstay's and fyne's work for a frame, and the calls into OpenGL; the threads of Mesa's software rasteriser, which stand for a
// graphics card here, are counted apart.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"github.com/spf13/cobra"

	"github.com/backstay/backstay/desktop/internal/theme"
)

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "backstay-bench:", err)
		os.Exit(1)
	}
}

// config is what to measure, and how much of it.
type config struct {
	scene   string
	lines   int
	rate    int
	hosts   int
	jobs    int
	seconds int
	theme   string
	profile string
}

func command() *cobra.Command {
	var c config
	cmd := &cobra.Command{Use: "backstay-bench log|hosts|jobs|idle", Short: "measure the console's window", Args: cobra.ExactArgs(1), SilenceUsage: true, SilenceErrors: true}
	f := cmd.Flags()
	f.IntVar(&c.lines, "lines", 1_000_000, "lines that a log has before it is measured")
	f.IntVar(&c.rate, "rate", 5000, "lines a second that come then")
	f.IntVar(&c.hosts, "hosts", 2000, "hosts of the fleet")
	f.IntVar(&c.jobs, "jobs", 10_000, "jobs of the fleet")
	f.IntVar(&c.seconds, "seconds", 30, "how long to measure")
	f.StringVar(&c.theme, "theme", "light", "light or dark")
	f.StringVar(&c.profile, "profile", "", "`file` for a profile of the processor time")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c.scene = args[0]
		measure, ok := scenes[c.scene]
		if !ok {
			return fmt.Errorf("there is no scene %q", c.scene)
		}
		return run(c, measure)
	}
	return cmd
}

// run opens the window, measures in a goroutine beside it, and ends with that.
func run(c config, measure func(*bench) error) error {
	debug.SetGCPercent(25) // as the console has it
	app.SetMetadata(fyne.AppMetadata{ID: "io.backstay.bench", Name: "Backstay"})
	a := app.NewWithID("io.backstay.bench")
	w := a.NewWindow("Backstay")
	w.SetPadded(false)
	w.SetIcon(theme.AppIcon())
	w.Resize(fyne.NewSize(1440, 900))
	b, err := newBench(c, a, w)
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	a.Lifecycle().SetOnStarted(func() {
		go func() {
			time.Sleep(settle)
			result <- measure(b)
			fyne.Do(func() {
				b.shell.Close()
				a.Quit()
			})
		}()
	})
	w.ShowAndRun()
	return <-result
}
