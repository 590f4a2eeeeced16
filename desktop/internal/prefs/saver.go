package prefs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fault"
)

const fileName = "console.json"

// DefaultFolder is the account's own folder for the console's file.
func DefaultFolder() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fault.Wrap(fault.InvalidInput, err, "This account has no folder for preferences. Choose one with --config.")
	}
	return filepath.Join(dir, "backstay"), nil
}

// Load reads the file in folder; none is no error. A file that cannot be read or understood is an error, and stays as it is.
func Load(folder string) (Data, error) {
	path := filepath.Join(folder, fileName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Data{RememberLogin: true}, nil
	}
	var d Data
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		return Data{}, fault.Wrap(fault.InvalidInput, err, "The console's preferences in %s cannot be read. Correct or remove the file.", path)
	}
	return d, nil
}

// settle is how long changes gather before they are written: a window that is being resized is one change.
const settle = 300 * time.Millisecond

// Saver writes preferences into their file, in a goroutine of its own.
type Saver struct {
	path   string
	report func(error)
	// next holds the newest state; full means that an older one, which nobody needs any more, is taken out first.
	next chan Data
	quit chan struct{}
	wait sync.WaitGroup
	once sync.Once
}

// NewSaver begins to save in folder. report is told of what could not be written, off the UI goroutine.
func NewSaver(folder string, report func(error)) *Saver {
	s := &Saver{path: filepath.Join(folder, fileName), report: report, next: make(chan Data, 1), quit: make(chan struct{})}
	s.wait.Go(s.run)
	return s
}

// Save takes the newest state. It never blocks. One goroutine calls it.
func (s *Saver) Save(d Data) {
	select {
	case <-s.next:
	default:
	}
	s.next <- d
}

// Close writes what is not written yet, and ends.
func (s *Saver) Close() {
	s.once.Do(func() { close(s.quit) })
	s.wait.Wait()
}

func (s *Saver) run() {
	for {
		select {
		case d := <-s.next:
			s.settled(d)
		case <-s.quit:
			select {
			case d := <-s.next:
				s.write(d)
			default:
			}
			return
		}
	}
}

// settled writes the newest state after a while, or at once when the end comes.
func (s *Saver) settled(d Data) {
	t := time.NewTimer(settle)
	defer t.Stop()
	for {
		select {
		case d = <-s.next:
		case <-t.C:
			s.write(d)
			return
		case <-s.quit:
			select {
			case d = <-s.next:
			default:
			}
			s.write(d)
			return
		}
	}
}

func (s *Saver) write(d Data) {
	b, err := json.MarshalIndent(d, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(s.path), 0o700)
	}
	if err == nil {
		err = atomicfile.Write(s.path, append(b, '\n'), 0o600)
	}
	if err != nil {
		s.report(fault.Wrap(fault.InvalidInput, fmt.Errorf("save preferences: %w", err), "What you chose cannot be kept: %s cannot be written. Check the folder and free space.", s.path))
	}
}
