package svc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/backstay/backstay/shared/fault"
)

// account makes the account that the service runs as, and gives it the data folder.
func (m *systemdManager) account(ctx context.Context, w *writer, text string) error {
	name := m.d.Systemd.Account
	if _, err := user.Lookup(name); err != nil {
		if err := w.write(m.accountFile(), text); err != nil {
			return err
		}
		if err := m.bus.Run(ctx, m.d.Name+"-account.service", "systemd-sysusers", m.accountFile()); err != nil {
			return fault.Wrap(fault.Unavailable, err, "systemd could not make the account %s. Make it by hand (`useradd --system %s`) and run the command again.", name, name)
		}
		w.say("made the account %s", name)
	}
	uid, gid, err := ids(name)
	if err != nil {
		return err
	}
	return give(w, m.d.DataDir, name, uid, gid)
}

func ids(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, fmt.Errorf("find the account %s: %w", name, err)
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, fmt.Errorf("account %s: %w", name, err)
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

// give makes folder, if it is missing, and everything in it the account's.
func give(w *writer, folder, name string, uid, gid int) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", folder, err)
	}
	changed := false
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a running service's temporary file
		}
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) == uid && int(st.Gid) == gid {
			return nil
		}
		changed = true
		return os.Lchown(path, uid, gid)
	})
	if err != nil {
		return fmt.Errorf("give %s to %s: %w", folder, name, err)
	}
	if changed {
		w.say("%s belongs to the account %s", folder, name)
	}
	return nil
}
