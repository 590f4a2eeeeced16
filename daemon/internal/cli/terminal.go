package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// OSTerminal is the terminal behind the process's own streams.
type OSTerminal struct {
	in  *os.File
	out *os.File
	err *os.File
}

var _ Terminal = (*OSTerminal)(nil)

// NewTerminal takes the three streams. Where the system needs it, the terminal is told to understand the two control sequences
// that the status line uses.
func NewTerminal(in, out, err *os.File) *OSTerminal {
	enableControl(out)
	return &OSTerminal{in: in, out: out, err: err}
}

// Interactive tells whether a person can read a question and type an answer.
func (t *OSTerminal) Interactive() bool { return isTerminal(t.in) && isTerminal(t.err) }

// Width is the width of the output in columns, 0 when it is no terminal.
func (t *OSTerminal) Width() int {
	if !isTerminal(t.out) || os.Getenv("TERM") == "dumb" {
		return 0
	}
	width, _, err := term.GetSize(int(t.out.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// ReadPassword reads a line without echo. When ctx ends first, the echo comes back and the read stays behind: nothing can
// interrupt it, and the process is about to end.
func (t *OSTerminal) ReadPassword(ctx context.Context) (string, error) {
	fd := int(t.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask for a password: %w", err)
	}
	text, err := t.read(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if ctx.Err() != nil {
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
	return text, err
}

// ReadLine reads a line with echo. It takes no byte beyond the line.
func (t *OSTerminal) ReadLine(ctx context.Context) (string, error) {
	return t.read(ctx, func() (string, error) {
		line, err := bufio.NewReaderSize(oneByte{t.in}, 1).ReadString('\n')
		return strings.TrimRight(line, "\r\n"), err
	})
}

// oneByte keeps a buffered reader from reading ahead of the line.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func (t *OSTerminal) read(ctx context.Context, f func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1) // room for the answer that nobody waits for any more
	go func() {
		text, err := f()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil && !errors.Is(a.err, io.EOF) {
			return "", fmt.Errorf("read from the terminal: %w", a.err)
		}
		return a.text, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
