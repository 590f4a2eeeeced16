package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Result is what a short command printed and how it ended. Stdout and Stderr hold at most RunOptions.MaxOutput bytes each.
type Result struct {
	Exit   Exit
	Stdout []byte
	Stderr []byte
	Cut    bool // more was printed and thrown away
}

// RunOptions bound Run.
type RunOptions struct {
	Input     []byte        // on standard input; Command.Stdin must be nil then
	MaxOutput int           // 1 MiB when 0
	Grace     time.Duration // between asking and killing once ctx is done; 10 s when 0
}

const (
	defaultMaxOutput = 1 << 20
	defaultRunGrace  = 10 * time.Second
	// straggler bounds the wait for a helper of the command that keeps its pipes open after the command's end.
	straggler = 2 * time.Second
)

// Run runs c to its end and gives what it printed. Once ctx is done the command's group is asked to end, and killed after the
// grace; the error is then ctx's. A command that ended by itself gives no error, whatever its code.
func Run(ctx context.Context, c Command, o RunOptions) (Result, error) {
	if o.MaxOutput == 0 {
		o.MaxOutput = defaultMaxOutput
	}
	if o.Grace == 0 {
		o.Grace = defaultRunGrace
	}
	pipes, err := openPipes(&c, o)
	if err != nil {
		return Result{}, err
	}
	p, err := Start(c)
	pipes.closeChild()
	if err != nil {
		pipes.closeOurs()
		return Result{}, err
	}
	pipes.begin(o.Input)
	exit, waitErr := waitLadder(ctx, p, o.Grace)
	pipes.finish()
	out, errText := &pipes.out.text, &pipes.err.text
	r := Result{Exit: exit, Stdout: out.buf.Bytes(), Stderr: errText.buf.Bytes(), Cut: out.cut || errText.cut}
	return r, waitErr
}

func waitLadder(ctx context.Context, p *Process, grace time.Duration) (Exit, error) {
	select {
	case <-p.Done():
		return p.exit, p.err
	case <-ctx.Done():
	}
	err := p.Interrupt()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.Done():
	case <-timer.C:
		err = errors.Join(err, p.Kill())
		<-p.Done()
	}
	return p.exit, errors.Join(context.Cause(ctx), err, p.err)
}

// limited keeps the first max bytes and takes the rest, so that the command never blocks.
type limited struct {
	buf bytes.Buffer
	max int
	cut bool
}

func (l *limited) Write(b []byte) (int, error) {
	if room := l.max - l.buf.Len(); room < len(b) {
		l.cut = true
		l.buf.Write(b[:max(room, 0)])
	} else {
		l.buf.Write(b)
	}
	return len(b), nil
}

type outlet struct {
	read, write *os.File
	text        limited
}

// runPipes are the three pipes of a short command.
type runPipes struct {
	out, err outlet
	in       *os.File
	childIn  *os.File
	wait     sync.WaitGroup
}

func openPipes(c *Command, o RunOptions) (*runPipes, error) {
	p := &runPipes{}
	p.out.text.max, p.err.text.max = o.MaxOutput, o.MaxOutput
	var errs [3]error
	p.out.read, p.out.write, errs[0] = os.Pipe()
	p.err.read, p.err.write, errs[1] = os.Pipe()
	if o.Input != nil {
		p.childIn, p.in, errs[2] = os.Pipe()
		c.Stdin = p.childIn
	}
	if err := errors.Join(errs[:]...); err != nil {
		p.closeChild()
		p.closeOurs()
		return nil, fmt.Errorf("open pipes: %w", err)
	}
	c.Stdout, c.Stderr = p.out.write, p.err.write
	return p, nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // a pipe: nothing to lose
		}
	}
}

func (p *runPipes) closeChild() { closeAll(p.out.write, p.err.write, p.childIn) }
func (p *runPipes) closeOurs()  { closeAll(p.out.read, p.err.read, p.in) }

func (p *runPipes) begin(input []byte) {
	for _, o := range []*outlet{&p.out, &p.err} {
		p.wait.Go(func() {
			_, _ = io.Copy(&o.text, o.read) // ends with the pipe; its error says only that it was closed
		})
	}
	if p.in != nil {
		p.wait.Go(func() {
			_, _ = p.in.Write(input) // a command that does not read its input is not an error
			closeAll(p.in)
		})
	}
}

// finish waits for the pipes' ends, and closes them when a helper of the command keeps them open.
func (p *runPipes) finish() {
	done := make(chan struct{})
	go func() { p.wait.Wait(); close(done) }()
	timer := time.NewTimer(straggler)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	p.closeOurs() // ends the reads and the write that are still under way
	<-done
}
