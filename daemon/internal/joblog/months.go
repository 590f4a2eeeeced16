package joblog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
)

// monthForm is the layout of a month's name, as in logs-202601.db.
const monthForm = "200601"

// maxIdleMonths bounds the files that stay open while nobody uses them.
const maxIdleMonths = 3

// hintedMonth tells the month that a job's id stands for: the time in a ULID, the instant at the end of a slot's id. "" for any
// other id, and for years in which no Backstay ran: such a job lives in the month of its first line.
func hintedMonth(job fleet.JobID) string {
	var at time.Time
	if id, err := ulid.ParseStrict(string(job)); err == nil {
		at = ulid.Time(id.Time())
	} else if parts := strings.SplitN(string(job), ":", 4); len(parts) == 4 && parts[0] == "slot" {
		at = instant(parts[3])
	}
	if at = at.UTC(); at.Year() < 2020 || at.Year() > 2099 {
		return ""
	}
	return at.Format(monthForm)
}

func instant(s string) time.Time {
	for _, form := range [...]string{time.RFC3339Nano, "2006-01-02T15:04Z", "20060102T150405Z", "20060102T1504Z"} {
		if t, err := time.Parse(form, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// months keeps the month files that are in use open, and a few idle ones.
type months struct {
	dir string

	mu     sync.Mutex
	closed bool
	files  map[string]*monthFile
	clock  int64 // counts uses, to find the file that was idle longest
}

// monthFile is an open file, or one that is just being opened or dropped. refs and used belong to months.mu; the rest is set
// before ready is closed.
type monthFile struct {
	*month
	name  string
	ready chan struct{}
	err   error
	refs  int
	used  int64
}

var errClosed = errors.New("job log is closed")

// acquire gives the file of a month, which the caller releases. A missing one is made when create is set, and is
// fs.ErrNotExist otherwise. made tells that this call opened it.
func (ms *months) acquire(ctx context.Context, name string, create bool) (f *monthFile, made bool, err error) {
	for {
		ms.mu.Lock()
		if ms.closed {
			ms.mu.Unlock()
			return nil, false, errClosed
		}
		f, open := ms.files[name]
		if !open {
			f = &monthFile{name: name, ready: make(chan struct{})}
			ms.files[name] = f
		}
		f.refs++
		ms.clock++
		f.used = ms.clock
		ms.mu.Unlock()
		if !open {
			ms.open(ctx, f, create)
			return ms.opened(f, true)
		}
		select {
		case <-f.ready:
		case <-ctx.Done():
			return nil, false, errors.Join(ctx.Err(), ms.release(f))
		}
		if f.err == nil || !errors.Is(f.err, errRetry) && !(create && errors.Is(f.err, fs.ErrNotExist)) {
			return ms.opened(f, false)
		}
		if err := ms.release(f); err != nil {
			return nil, false, err
		}
	}
}

// errRetry is the state of a file that was dropped while others waited for it.
var errRetry = errors.New("open the log file again")

// open opens f and wakes those who wait for it. A file that does not open is forgotten, so that the next one tries anew.
func (ms *months) open(ctx context.Context, f *monthFile, create bool) {
	mode := sqlite.Existing
	if create {
		mode = sqlite.Create
	}
	// Others wait for the same file: it is opened whole even when this caller goes away.
	f.month, f.err = openMonth(context.WithoutCancel(ctx), ms.path(f.name), mode)
	if f.err != nil {
		ms.mu.Lock()
		delete(ms.files, f.name)
		ms.mu.Unlock()
	}
	close(f.ready)
}

func (ms *months) opened(f *monthFile, made bool) (*monthFile, bool, error) {
	if f.err != nil {
		return nil, false, errors.Join(f.err, ms.release(f))
	}
	return f, made, nil
}

func (ms *months) path(name string) string { return filepath.Join(ms.dir, "logs-"+name+".db") }

// release gives f back and closes the file that was idle longest when there are too many.
func (ms *months) release(f *monthFile) error {
	ms.mu.Lock()
	f.refs--
	var old *monthFile
	idle := 0
	for _, g := range ms.files {
		if g.refs == 0 {
			idle++
			if old == nil || g.used < old.used {
				old = g
			}
		}
	}
	if idle <= maxIdleMonths && !ms.closed {
		old = nil
	}
	if old != nil {
		delete(ms.files, old.name)
	}
	ms.mu.Unlock()
	if old == nil || old.month == nil {
		return nil
	}
	if err := old.close(); err != nil {
		return fmt.Errorf("close log file %s: %w", old.name, err)
	}
	return nil
}

// names lists the months that have a file, oldest first.
func (ms *months) names() ([]string, error) {
	found, err := os.ReadDir(ms.dir)
	if err != nil {
		return nil, fmt.Errorf("list log files: %w", err)
	}
	var names []string
	for _, entry := range found {
		name, ours := strings.CutPrefix(entry.Name(), "logs-")
		name, db := strings.CutSuffix(name, ".db")
		if _, err := time.Parse(monthForm, name); ours && db && err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// drop closes and removes a month's file unless it is in use.
func (ms *months) drop(name string) (bool, error) {
	ms.mu.Lock()
	f := ms.files[name]
	if ms.closed || f != nil && f.refs > 0 {
		ms.mu.Unlock()
		return false, nil
	}
	gone := &monthFile{name: name, ready: make(chan struct{}), err: errRetry, refs: 1}
	ms.files[name] = gone // those who come now wait until the file is gone
	ms.mu.Unlock()
	var err error
	if f != nil {
		err = f.close()
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if e := os.Remove(ms.path(name) + suffix); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	ms.mu.Lock()
	delete(ms.files, name)
	ms.mu.Unlock()
	close(gone.ready)
	if err != nil {
		return false, fmt.Errorf("drop log file %s: %w", name, err)
	}
	return true, nil
}

// close closes every file; one that is still in use is closed when it is released.
func (ms *months) close() error {
	ms.mu.Lock()
	ms.closed = true
	var idle []*monthFile
	for name, f := range ms.files {
		if f.refs == 0 {
			idle = append(idle, f)
			delete(ms.files, name)
		}
	}
	ms.mu.Unlock()
	var errs []error
	for _, f := range idle {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}
