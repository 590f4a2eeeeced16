// Command fakerestic acts as restic where a test must know every line that will come: `backup` prints numbered lines 1..N and a
// summary; version, init, unlock, list locks, snapshots, check and cat config answer as restic does. What it does is set by a file
// beside the binary, see package behaviour; each start is appended to <binary>.starts. A lock of its "repository" is the file
// <binary>.lock, holding a process number: backup makes it, unlock removes it when that process is gone.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "helper" {
		if limit, err := time.ParseDuration(os.Args[2]); err == nil {
			time.Sleep(limit)
		}
		return
	}
	binary, err := os.Executable()
	if err == nil {
		err = run(binary, os.Args[1:])
	}
	if err == nil {
		return
	}
	var code exit
	if errors.As(err, &code) {
		os.Exit(int(code))
	}
	fmt.Fprintln(os.Stderr, "fakerestic:", err)
	os.Exit(1)
}

// exit is the code to end with.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

const (
	exitLocked    = 11
	exitCancelled = 130
)

type fake struct {
	behaviour.Behaviour
	binary string
	term   chan os.Signal
}

func run(binary string, args []string) error {
	b, err := behaviour.Read(binary)
	if err != nil {
		return err
	}
	f := &fake{Behaviour: b, binary: binary, term: make(chan os.Signal, 1)}
	if b.IgnoreSIGTERM && command(args) == "backup" {
		signal.Ignore(syscall.SIGTERM, os.Interrupt)
	} else {
		signal.Notify(f.term, syscall.SIGTERM, os.Interrupt)
	}
	if err := f.record(args); err != nil {
		return err
	}
	switch command(args) {
	case "backup":
		return f.backup()
	case "version":
		fmt.Printf("restic %s compiled with go1.26 on linux/amd64\n", f.version())
	case "unlock":
		return f.unlock()
	case "list":
		return f.listLocks()
	case "init":
		return print(`{"message_type":"initialized","id":"c0ffee","repository":"fake"}`)
	case "cat":
		return print(`{"version":2,"id":"c0ffee","chunker_polynomial":"3"}`)
	case "snapshots":
		return f.snapshots()
	case "check":
		return print(`{"message_type":"summary","num_errors":0,"broken_packs":null,"suggest_repair_index":false,"suggest_prune":false}`)
	default:
		return fmt.Errorf("unknown command in %q", args)
	}
	return nil
}

func (f *fake) snapshots() error {
	if err := f.await(f.SnapshotsGate); err != nil {
		return err
	}
	switch {
	case f.SnapshotsCode != 0:
		return exit(f.SnapshotsCode)
	case f.Snapshots != "":
		return print(f.Snapshots)
	}
	return print(`[]`)
}

func print(line string) error {
	_, err := os.Stdout.WriteString(line + "\n")
	return err
}

var commands = map[string]bool{"backup": true, "version": true, "unlock": true, "list": true, "init": true, "cat": true, "snapshots": true, "check": true, "restore": true}

// command is the first argument that names one; options stand before and behind it.
func command(args []string) string {
	for _, a := range args {
		if commands[a] {
			return a
		}
	}
	return ""
}

func (f *fake) version() string {
	if f.Version != "" {
		return f.Version
	}
	return "0.19.1"
}

func (f *fake) record(args []string) error {
	s := behaviour.Seen{Start: behaviour.Start{PID: os.Getpid(), Command: command(args)}, Args: args, Env: os.Environ()}
	if err := appendJSON(f.binary+".starts", s.Start); err != nil || !f.RecordSecrets || s.Command == "version" {
		return err
	}
	s.Password = f.secret("RESTIC_PASSWORD_FILE")
	s.Repository = f.secret("RESTIC_REPOSITORY_FILE")
	s.AWS = f.secret("AWS_SHARED_CREDENTIALS_FILE")
	if s.AWS != "" && s.AWS != f.secret("AWS_SHARED_CREDENTIALS_FILE") {
		s.AWS = "cannot be read twice"
	}
	return appendJSON(f.binary+".seen", s)
}

func (f *fake) secret(env string) string {
	path := os.Getenv(env)
	if path == "" {
		return ""
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "error: " + err.Error()
	}
	return strings.TrimSuffix(string(b), "\n")
}

func appendJSON(path string, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.Write(append(line, '\n')) // one write: starts at the same time do not mix
	return err
}

// pause waits d, or ends as restic does when it is asked to.
func (f *fake) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-f.term:
		return f.cancelled()
	case <-t.C:
		return nil
	}
}

func (f *fake) cancelled() error {
	if f.Stamp {
		fmt.Fprintln(os.Stderr, behaviour.StampedEnd(time.Now()))
	}
	fmt.Fprintln(os.Stderr, "signal terminated received, cleaning up ")
	if err := f.release(); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, `{"message_type":"exit_error","code":130,"message":"Fatal: unable to save snapshot: context canceled"}`)
	return exit(exitCancelled)
}
