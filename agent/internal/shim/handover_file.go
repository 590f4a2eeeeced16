//go:build !linux

package shim

import (
	"errors"
	"os"

	"github.com/backstay/backstay/agent/internal/journal"
)

// secretFile writes text into a new file of mode 0600 in the job's folder.
func (h *handover) secretFile(f journal.Folder, name, text string) (string, error) {
	path := f.Secret(name)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	h.files = append(h.files, path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(text)
	return path, errors.Join(err, file.Close())
}
