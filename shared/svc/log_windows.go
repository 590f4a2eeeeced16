package svc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/sys/windows/svc/eventlog"
)

func (o Order) logPlace() string {
	return logFile(o.Definition) + ", and the event log (Application, source " + o.Name + ")"
}

// Logger writes to the event log, where administrators look, and to the service's log file, which `logs` shows.
func Logger(d Definition, least slog.Leveler, _ *os.File) (*slog.Logger, io.Closer, error) {
	events, err := eventlog.Open(d.Name)
	if err != nil {
		return nil, nil, fmt.Errorf("open the event log: %w", err)
	}
	f := openLogFile(d)
	file := slog.NewTextHandler(f, &slog.HandlerOptions{Level: least})
	return slog.New(both{newLevels(least, func(l slog.Level) io.Writer { return eventWriter{events, l} }), file}), closers{events, f}, nil
}

type closers []io.Closer

// Close closes all.
func (c closers) Close() error {
	var errs []error
	for _, one := range c {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// eventID is one of the ids that EventCreate.exe has a message for.
const eventID = 1

type eventWriter struct {
	log   *eventlog.Log
	level slog.Level
}

// Write makes one event of one record.
func (e eventWriter) Write(b []byte) (int, error) {
	report := e.log.Info
	switch e.level {
	case slog.LevelError:
		report = e.log.Error
	case slog.LevelWarn:
		report = e.log.Warning
	}
	if err := report(eventID, string(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// ShowLog shows the last lines of the service's log, and with Follow those that come, until ctx ends.
func ShowLog(ctx context.Context, d Definition, v View, w io.Writer) error {
	return showFile(ctx, d, v, w)
}
