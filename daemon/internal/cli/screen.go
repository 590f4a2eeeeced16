package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/backstay/backstay/shared/plaintext"
)

// eraseLine moves to the beginning of the line and clears it: the only control sequence of this program.
const eraseLine = "\r\x1b[2K"

// screen is lines of log with one redrawn line of status below them. Without a terminal (width 0) there is no status line.
// Nothing reaches the output before flush.
type screen struct {
	out    *bufio.Writer
	width  func() int
	status string // escaped already; "" for none
	drawn  bool
	err    error // first error of the output
}

func newScreen(out io.Writer, width func() int) *screen {
	return &screen{out: bufio.NewWriterSize(out, 64<<10), width: width}
}

// line writes one line above the status.
func (s *screen) line(text string) {
	s.erase()
	s.write(text + "\n")
}

func (s *screen) write(text string) {
	if s.err != nil {
		return
	}
	if _, err := s.out.WriteString(text); err != nil {
		s.err = fmt.Errorf("write: %w", err)
	}
}

func (s *screen) erase() {
	if s.drawn {
		s.write(eraseLine)
		s.drawn = false
	}
}

// setStatus replaces the status line.
func (s *screen) setStatus(text string) { s.status = text }

// flush draws the status line and lets everything out.
func (s *screen) flush() {
	if w := s.width(); w > 0 && s.status != "" {
		s.erase()
		s.write(plaintext.Truncate(s.status, w-1)) // the last column would wrap
		s.drawn = true
	} else {
		s.erase()
	}
	if err := s.out.Flush(); err != nil && s.err == nil {
		s.err = fmt.Errorf("write: %w", err)
	}
}

// bar draws how far done (0 to 1) is in width columns, to an eighth of one.
func bar(done float64, width int) string {
	const parts = "▏▎▍▌▋▊▉"
	eighths := int(min(max(done, 0), 1)*float64(width*8) + 0.5)
	var b strings.Builder
	b.WriteString(strings.Repeat("█", eighths/8))
	used := eighths / 8
	if part := eighths % 8; part > 0 {
		b.WriteRune([]rune(parts)[part-1])
		used++
	}
	b.WriteString(strings.Repeat("░", width-used))
	return b.String()
}
