package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Command is a program to start: absolute path, arguments without the program's name, the whole environment (never ours by
// default), and files of its own. Nil files are the null device. ExtraFiles become descriptors 3, 4, … on unix; Windows has none.
type Command struct {
	Path                  string
	Args                  []string
	Env                   []string
	Dir                   string
	Stdin, Stdout, Stderr *os.File
	ExtraFiles            []*os.File
}

// ErrExtraFiles says that ExtraFiles was set where the system has no such thing.
var ErrExtraFiles = errors.New("extra files cannot be passed on this system")

func (c Command) prepare() (*exec.Cmd, error) {
	if len(c.ExtraFiles) > 0 && !canPassFiles {
		return nil, ErrExtraFiles
	}
	cmd := &exec.Cmd{Path: c.Path, Args: append([]string{c.Path}, c.Args...), Env: c.Env, Dir: c.Dir, ExtraFiles: c.ExtraFiles}
	if cmd.Env == nil {
		cmd.Env = []string{} // nil would mean ours
	}
	// An interface holding a nil *os.File is not nil for exec.
	if c.Stdin != nil {
		cmd.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	return cmd, nil
}

// Detach starts a process that outlives this one, in a session (Windows: process group, no console, outside a job object that would
// end it with us) of its own. Nobody waits
// for it: see Identity.Alive and Reap.
func Detach(c Command) (Identity, error) {
	cmd, err := c.prepare()
	if err != nil {
		return Identity{}, err
	}
	if err := startDetached(cmd); err != nil {
		return Identity{}, fmt.Errorf("start %s: %w", c.Path, err)
	}
	// Not waited for yet, so it is at least a zombie and its number is its own.
	id, err := Identify(cmd.Process.Pid)
	if errors.Is(err, ErrGone) {
		id, err = Identity{PID: cmd.Process.Pid}, nil // ended already; start time 0 never matches a living one
	}
	return id, errors.Join(err, cmd.Process.Release())
}

// Exit is how a process ended: Code -1 with a Signal when a signal ended it.
type Exit struct {
	Code   int
	Signal string
}

// Process is a running child in a process group of its own.
type Process struct {
	id   Identity
	done chan struct{}
	exit Exit
	err  error
	cmd  *exec.Cmd
}

// Start starts c as a child in its own process group. The caller closes its own copies of c's files.
func Start(c Command) (*Process, error) {
	cmd, err := c.prepare()
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = grouped()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	id, err := Identify(cmd.Process.Pid)
	if errors.Is(err, ErrGone) {
		id, err = Identity{PID: cmd.Process.Pid}, nil
	}
	p.id = id
	go p.wait()
	if err != nil {
		killErr := p.Kill()
		<-p.done
		return nil, errors.Join(err, killErr)
	}
	return p, nil
}

func (p *Process) wait() {
	err := p.cmd.Wait()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		p.err = fmt.Errorf("wait for process %d: %w", p.id.PID, err)
	}
	p.exit = exitOf(p.cmd.ProcessState)
	close(p.done)
}

// Identity names the process.
func (p *Process) Identity() Identity { return p.id }

// Done is closed once the process ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the process, or of ctx; it never signals.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-p.done:
		return p.exit, p.err
	case <-ctx.Done():
		return Exit{}, context.Cause(ctx)
	}
}

// Interrupt asks the process and all of its group to end (SIGTERM). After the end of the process it does nothing.
func (p *Process) Interrupt() error { return p.send(interruptGroup) }

// Kill ends the process and all of its group (SIGKILL). Members of the group that outlived the process are ended too.
func (p *Process) Kill() error { return p.send(killGroup) }

// A group keeps its number for as long as it has a member, so signalling it after its leader was reaped reaches the leader's
// helpers or nobody.
func (p *Process) send(signal func(pid int) error) error {
	if err := signal(p.id.PID); err != nil && !errors.Is(err, ErrGone) {
		return fmt.Errorf("signal process group %d: %w", p.id.PID, err)
	}
	return nil
}
