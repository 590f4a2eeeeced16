package svc

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"syscall"

	"github.com/backstay/backstay/shared/fault"
)

func (o Order) logPlace() string {
	return "the system's journal; `" + o.program() + " logs" + o.userFlag() + "` shows it"
}

// Logger writes to stderr: with the journal's priorities when that is the journal, as lines with times otherwise.
func Logger(_ Definition, least slog.Leveler, stderr *os.File) (*slog.Logger, io.Closer, error) {
	if !isJournal(stderr, os.Getenv("JOURNAL_STREAM")) {
		return slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: least})), io.NopCloser(nil), nil
	}
	return slog.New(journal(stderr, least)), io.NopCloser(nil), nil
}

// journal puts syslog's number of the level before each record, as the journal understands it.
func journal(w io.Writer, least slog.Leveler) slog.Handler {
	return newLevels(least, func(l slog.Level) io.Writer {
		number := map[slog.Level]int{slog.LevelError: 3, slog.LevelWarn: 4, slog.LevelInfo: 6, slog.LevelDebug: 7}[l]
		return prefixed{w, fmt.Sprintf("<%d>", number)}
	})
}

type prefixed struct {
	w      io.Writer
	prefix string
}

// Write writes one record in one piece, so that those of two levels do not mix.
func (p prefixed) Write(b []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.prefix), b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// isJournal tells whether f is the stream that systemd connected to the journal: named "device:inode" in the environment.
func isJournal(f *os.File, stream string) bool {
	var st syscall.Stat_t
	if stream == "" || syscall.Fstat(int(f.Fd()), &st) != nil {
		return false
	}
	return stream == strconv.FormatUint(st.Dev, 10)+":"+strconv.FormatUint(st.Ino, 10)
}

// ShowLog shows the last lines of the service's log, and with Follow those that come. This process becomes journalctl.
func ShowLog(_ context.Context, d Definition, v View, _ io.Writer) error {
	args := []string{"journalctl", "--no-pager", "--lines", strconv.Itoa(v.Lines)}
	if v.Follow {
		args = append(args, "--follow")
	}
	if d.User {
		args = append(args, "--user-unit="+UnitName(d))
	} else {
		args = append(args, "--unit="+UnitName(d))
	}
	for _, path := range []string{"/usr/bin/journalctl", "/bin/journalctl"} {
		if _, err := os.Stat(path); err == nil {
			return fmt.Errorf("run journalctl: %w", syscall.Exec(path, args, os.Environ()))
		}
	}
	return fault.New(fault.NotFound, "There is no journalctl here, so there is no journal to show. The log goes wherever %s's standard error goes.", d.Name)
}
