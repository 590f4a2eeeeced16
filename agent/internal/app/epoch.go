package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/atomicfile"
)

// epochFile remembers the epoch of the daemon's store.
type epochFile struct {
	path string

	mu    sync.Mutex
	epoch string
}

var _ session.Epochs = (*epochFile)(nil)

func openEpoch(path string) (*epochFile, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the epoch of the daemon's store: %w", err)
	}
	return &epochFile{path: path, epoch: strings.TrimSpace(string(text))}, nil
}

// Epoch gives what Keep kept last.
func (f *epochFile) Epoch() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch
}

// Keep replaces the epoch, on disk before it returns.
func (f *epochFile) Keep(epoch string) error {
	if err := atomicfile.Write(f.path, []byte(epoch+"\n"), 0o600); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch = epoch
	return nil
}
