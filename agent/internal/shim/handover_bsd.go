//go:build !linux && !windows

package shim

import "github.com/backstay/backstay/agent/internal/journal"

// passAWS uses a file of mode 0600 in the job's folder, which the shim removes once restic ended, and the agent if the shim could
// not: macOS has no memory files, and restic's AWS library reads its file twice, which a pipe does not stand.
func (h *handover) passAWS(f journal.Folder, text string) (err error) {
	h.env.AWSCredentialsFile, err = h.secretFile(f, "aws", text)
	return err
}
