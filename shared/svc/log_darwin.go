package svc

import (
	"context"
	"io"
	"log/slog"
	"os"
)

func (o Order) logPlace() string { return logFile(o.Definition) }

// Logger writes to the service's log file.
func Logger(d Definition, least slog.Leveler, _ *os.File) (*slog.Logger, io.Closer, error) {
	f := openLogFile(d)
	return slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: least})), f, nil
}

// ShowLog shows the last lines of the service's log, and with Follow those that come, until ctx ends.
func ShowLog(ctx context.Context, d Definition, v View, w io.Writer) error {
	return showFile(ctx, d, v, w)
}
