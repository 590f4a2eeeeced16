//go:build !windows

package journal

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

func makeBells(f Folder) error { return errors.Join(makeBell(f.BellPath()), makeBell(f.CtlPath())) }

func makeBell(path string) error {
	err := unix.Mkfifo(path, 0o600)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

// Ringer rings a bell. Ring belongs to one goroutine.
type Ringer struct{ fd int }

// OpenRinger opens the bell at path for ringing, whether anybody hears it or not.
func OpenRinger(path string) (*Ringer, error) {
	if err := makeBell(path); err != nil {
		return nil, fmt.Errorf("make doorbell: %w", err)
	}
	// Read and write: with write alone, opening would fail without a listener and ringing would fail after a dead one.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open doorbell: %w", err)
	}
	return &Ringer{fd: fd}, nil
}

// Ring says "look at s". It never blocks; a full pipe means that a listener is behind and will look anyway.
func (r *Ringer) Ring(s Sound) {
	_, _ = unix.Write(r.fd, []byte{byte(s)}) // EAGAIN is as good; nothing else can be helped, and the listener looks by itself in time
}

// Close ends ringing.
func (r *Ringer) Close() error { return unix.Close(r.fd) }

// Bell hears what a Ringer rings.
type Bell struct {
	lines   func()
	state   chan struct{}
	fd      int
	f       *os.File
	closing atomic.Bool
	once    sync.Once
	wait    sync.WaitGroup
	err     error
}

// Listen opens the bell at path for hearing. lines is called, from the bell's own goroutine, when there may be more lines.
func Listen(path string, lines func()) (*Bell, error) {
	if err := makeBell(path); err != nil {
		return nil, fmt.Errorf("make doorbell: %w", err)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|pollMode, 0)
	if err != nil {
		return nil, fmt.Errorf("open doorbell: %w", err)
	}
	b := &Bell{lines: lines, state: make(chan struct{}, 1), fd: fd, f: os.NewFile(uintptr(fd), path)}
	b.wait.Go(b.hear)
	return b, nil
}

func (b *Bell) hear() {
	buf := make([]byte, 512)
	for {
		n, err := b.f.Read(buf)
		if err != nil || b.closing.Load() {
			return
		}
		var heard [2]bool
		for _, c := range buf[:n] {
			heard[0] = heard[0] || Sound(c) == Lines
			heard[1] = heard[1] || Sound(c) == State
		}
		if heard[0] {
			b.lines()
		}
		if heard[1] {
			coalesce(b.state)
		}
	}
}

// Close ends hearing and waits for the goroutine. It may be called again.
func (b *Bell) Close() error {
	b.once.Do(func() {
		b.closing.Store(true)
		// Our own ring wakes the reader, also where a close would not. A full pipe has woken it already.
		_, _ = unix.Write(b.fd, []byte{0})
		b.wait.Wait()
		b.err = b.f.Close()
	})
	return b.err
}
