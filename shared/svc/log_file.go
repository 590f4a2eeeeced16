package svc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/DeRuina/timberjack"

	"github.com/backstay/backstay/shared/fault"
)

// Bounds of the log file and its predecessors.
const (
	logMegabytes = 10
	logKept      = 5
)

// logFile is the service's log where the system keeps none that can be read back.
func logFile(d Definition) string { return filepath.Join(d.LogDir, d.Name+".log") }

// openLogFile opens the log file; it is begun anew at logMegabytes, and logKept former ones stay.
func openLogFile(d Definition) io.WriteCloser {
	return &timberjack.Logger{Filename: logFile(d), MaxSize: logMegabytes, MaxBackups: logKept, FileMode: 0o600}
}

// followEvery is how often a followed log file is looked at.
const followEvery = 250 * time.Millisecond

// showFile shows the last lines of the service's log, and with Follow those that come, until ctx ends.
func showFile(ctx context.Context, d Definition, v View, w io.Writer) (err error) {
	f, err := openLog(logFile(d))
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.NotFound, err, "There is no log %s yet. It is written by the service; start it with `%s start%s`.", logFile(d), d.program(), d.userFlag())
	}
	if err != nil {
		return fault.Wrap(fault.Forbidden, err, "The log %s cannot be read. Run the command as an administrator.", logFile(d))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := tail(f, v.Lines, w); err != nil {
		return err
	}
	for v.Follow {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
		if _, err := io.Copy(w, f); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		if f, err = reopened(f, logFile(d)); err != nil {
			return err
		}
	}
	return nil
}

// reopened gives the file that has the name now; it is another one once the log was begun anew.
func reopened(f *os.File, path string) (*os.File, error) {
	next, err := openLog(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil // being begun anew
	}
	if err != nil {
		return f, fmt.Errorf("open the log: %w", err)
	}
	now, err := next.Stat()
	if err != nil {
		return f, errors.Join(err, next.Close())
	}
	old, err := f.Stat()
	if err != nil || os.SameFile(now, old) {
		return f, errors.Join(err, next.Close())
	}
	return next, f.Close()
}

// tail writes the last n lines of f, which is a log of bounded size.
func tail(f io.Reader, n int, w io.Writer) error {
	var last []string
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			if last = append(last, line); len(last) > n {
				last = last[1:]
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
	for _, line := range last {
		if _, err := io.WriteString(w, line); err != nil {
			return err
		}
	}
	return nil
}
