//go:build !windows

package shim

import (
	"errors"
	"fmt"
	"os"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/shared/secret"
)

const firstExtra = 3 // the child's descriptor of the first extra file

func devFD(i int) string { return fmt.Sprintf("/dev/fd/%d", firstExtra+i) }

// handOver puts password and repository into pipes, which restic empties before it starts helpers of its own, and AWS keys where
// restic can read them twice.
func handOver(f journal.Folder, repository string, c secret.Credentials) (*handover, error) {
	h := &handover{}
	for _, s := range []struct {
		text string
		env  *string
	}{{c.Password.Reveal() + "\n", &h.env.PasswordFile}, {repository + "\n", &h.env.RepositoryFile}} {
		pipe, err := filledPipe(s.text)
		if err != nil {
			return nil, errors.Join(err, h.close())
		}
		h.pass(pipe, s.env)
	}
	if c.S3 == nil {
		return h, nil
	}
	if err := h.passAWS(f, awsFile(*c.S3)); err != nil {
		return nil, errors.Join(fmt.Errorf("hand over AWS keys: %w", err), h.close())
	}
	return h, nil
}

func (h *handover) pass(f *os.File, env *string) {
	*env = devFD(len(h.extra))
	h.extra = append(h.extra, f)
}
