package shim

import (
	"errors"
	"fmt"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/shared/secret"
)

// handOver gives restic the password as one line on standard input. Windows passes no further descriptors, so the repository (its
// URL may hold a REST server's password) and AWS keys go through files of mode 0600 in the job's folder, whose access list is the
// agent's; the shim removes them once restic ended, and the agent if the shim could not.
func handOver(f journal.Folder, repository string, c secret.Credentials) (h *handover, err error) {
	h = &handover{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("hand over secrets: %w", err), h.close())
		}
	}()
	if h.stdin, err = filledPipe(c.Password.Reveal() + "\n"); err != nil {
		return h, err
	}
	if h.env.RepositoryFile, err = h.secretFile(f, "repository", repository); err != nil {
		return h, err
	}
	if c.S3 != nil {
		h.env.AWSCredentialsFile, err = h.secretFile(f, "aws", awsFile(*c.S3))
	}
	return h, err
}
