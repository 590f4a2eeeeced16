package shim

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/agent/internal/journal"
)

// passAWS uses a sealed memory file: restic's AWS library reads its file twice, which a pipe does not stand.
func (h *handover) passAWS(_ journal.Folder, text string) error {
	fd, err := unix.MemfdCreate("aws", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "aws")
	_, err = f.WriteString(text)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	h.pass(f, &h.env.AWSCredentialsFile)
	return nil
}
