// Package manual writes what a package of a program carries beside it: the man pages and the shells' completions, made from its
// commands. Programs import it under the build tag "describe" only, in which their main writes the manual and does nothing else.
//
// It has no state and starts no goroutine.
//
// # Decisions
//
// The pages are made when a package is built and lie in no repository, so that they cannot differ from the commands. A hidden command of
// the programs would do the same, and every installed program would carry a Markdown renderer for it.
package manual

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// Book is one program's manual.
type Book struct {
	Command *cobra.Command
	Section string            // of the man pages: 1 for people's programs, 8 for the system's
	Files   map[string]string // further files by their path below the folder: units and the like
}

// Main writes b into the folder that args name alone, and gives the exit code.
func Main(b Book, args []string) int {
	if len(args) != 1 {
		fmt.Fprintf(os.Stderr, "Name the folder that takes the manual of %s.\n", b.Command.Name())
		return 2
	}
	date, err := dateOf(os.Getenv("SOURCE_DATE_EPOCH"))
	if err == nil {
		err = Write(b, args[0], date)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	return 0
}

// dateOf reads the seconds that reproducible builds set.
func dateOf(epoch string) (time.Time, error) {
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read SOURCE_DATE_EPOCH, which dates the man pages: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// Write writes b below dir, into man/, bash/, zsh/, fish/ and wherever Files say.
func Write(b Book, dir string, date time.Time) error {
	name := b.Command.Name()
	man := filepath.Join(dir, "man")
	for _, folder := range []string{man, filepath.Join(dir, "bash"), filepath.Join(dir, "zsh"), filepath.Join(dir, "fish")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	b.Command.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: b.Section, Date: &date, Source: name + " " + b.Command.Version, Manual: "Backstay"}
	if err := doc.GenManTree(b.Command, header, man); err != nil {
		return fmt.Errorf("write man pages: %w", err)
	}
	for path, write := range map[string]func(string) error{
		filepath.Join("bash", name):         func(f string) error { return b.Command.GenBashCompletionFileV2(f, true) },
		filepath.Join("zsh", "_"+name):      b.Command.GenZshCompletionFile,
		filepath.Join("fish", name+".fish"): func(f string) error { return b.Command.GenFishCompletionFile(f, true) },
	} {
		if err := write(filepath.Join(dir, path)); err != nil {
			return fmt.Errorf("write completion %s: %w", path, err)
		}
	}
	for path, text := range b.Files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write file: %w", err)
		}
	}
	return nil
}
