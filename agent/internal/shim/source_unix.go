//go:build !windows

package shim

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// source is our end of one of restic's pipes. It stays out of the runtime's poller, which would wake for every single line that
// restic writes, also while a pump lets lines gather: only poll(2) itself, while it waits, makes the kernel wake anybody.
type source struct {
	capacity   int // how much restic can write before it waits
	fd         int
	quit, stop int // ends of a pipe whose close ends a wait
}

// newSource opens a pipe; child is restic's end.
func newSource() (s *source, child *os.File, err error) {
	data, err := pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("open pipe: %w", err)
	}
	quit, err := pipe()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open pipe: %w", err), unix.Close(data[0]), unix.Close(data[1]))
	}
	return &source{capacity: widen(data[0]), fd: data[0], quit: quit[0], stop: quit[1]}, os.NewFile(uintptr(data[1]), "restic"), nil
}

// Read waits for something to read. It ends with io.EOF when restic's end is closed everywhere, and after abort.
func (s *source) Read(b []byte) (int, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(s.quit), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return 0, fmt.Errorf("wait for restic's output: %w", err)
		}
		if fds[0].Revents == 0 {
			return 0, io.EOF // aborted, and all that was there is read
		}
		n, err := unix.Read(s.fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("read restic's output: %w", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// abort ends reading once what is in the pipe is read, though somebody holds the other end open. Call it once.
func (s *source) abort() error {
	fd := s.stop
	s.stop = -1
	return unix.Close(fd)
}

// close frees the pipe; nobody reads any more.
func (s *source) close() error {
	errs := []error{unix.Close(s.fd), unix.Close(s.quit)}
	if s.stop >= 0 {
		errs = append(errs, s.abort())
	}
	return errors.Join(errs...)
}
