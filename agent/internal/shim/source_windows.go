package shim

import (
	"fmt"
	"os"
)

// source is our end of one of restic's pipes.
type source struct {
	capacity int
	f        *os.File
}

const usualPipe = 4 << 10

func newSource() (s *source, child *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("open pipe: %w", err)
	}
	return &source{capacity: usualPipe, f: r}, w, nil
}

func (s *source) Read(b []byte) (int, error) { return s.f.Read(b) }

// abort does nothing: a read ends when the last holder of the other end is gone, and restic leaves no helpers behind on Windows.
func (s *source) abort() error { return nil }

func (s *source) close() error { return s.f.Close() }
