package shim

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/backstay/backstay/agent/internal/restic"
	"github.com/backstay/backstay/shared/secret"
)

// handover is how one restic process gets its secrets. It serves one start.
type handover struct {
	stdin *os.File   // nil: the null device
	extra []*os.File // descriptors 3, 4, … of the child
	env   restic.EnvInput
	files []string // to remove once the process ended
}

// close ends the handover; the process has ended, or never began.
func (h *handover) close() error {
	errs := []error{h.closeOurs()}
	for _, path := range h.files {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// closeOurs closes our copies of what the child got. It may be called again.
func (h *handover) closeOurs() error {
	var errs []error
	for _, f := range append(h.extra, h.stdin) {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	h.extra, h.stdin = nil, nil
	return errors.Join(errs...)
}

// filledPipe gives the reading end of a pipe that holds text and ends. Credentials are bounded far below what a pipe takes without
// a reader.
func filledPipe(text string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	_, err = w.WriteString(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("fill pipe: %w", err), r.Close())
	}
	return r, nil
}

// awsFile is the form of an AWS shared credentials file.
func awsFile(c secret.S3Credentials) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", c.AccessKeyID, c.SecretAccessKey.Reveal())
	if !c.SessionToken.IsZero() {
		fmt.Fprintf(&b, "aws_session_token = %s\n", c.SessionToken.Reveal())
	}
	return b.String()
}
