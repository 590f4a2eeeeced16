package svc

import (
	"context"
	"io"
	"log/slog"
)

// levels writes each record to the outlet of its level: service managers want to know how bad it is.
type levels struct{ failed, warned, told, debugged slog.Handler }

var _ slog.Handler = levels{}

// newLevels makes the handler; outlet gives the writer of a level, which gets one whole record a Write. Times are the outlet's own.
func newLevels(least slog.Leveler, outlet func(slog.Level) io.Writer) levels {
	handler := func(l slog.Level) slog.Handler {
		return slog.NewTextHandler(outlet(l), &slog.HandlerOptions{Level: least, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		}})
	}
	return levels{failed: handler(slog.LevelError), warned: handler(slog.LevelWarn), told: handler(slog.LevelInfo), debugged: handler(slog.LevelDebug)}
}

func (h levels) of(l slog.Level) slog.Handler {
	switch {
	case l >= slog.LevelError:
		return h.failed
	case l >= slog.LevelWarn:
		return h.warned
	case l >= slog.LevelInfo:
		return h.told
	}
	return h.debugged
}

// Enabled tells whether records of level l are written.
func (h levels) Enabled(ctx context.Context, l slog.Level) bool { return h.of(l).Enabled(ctx, l) }

// Handle writes one record.
func (h levels) Handle(ctx context.Context, r slog.Record) error { return h.of(r.Level).Handle(ctx, r) }

// WithAttrs adds attrs to every record.
func (h levels) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levels{h.failed.WithAttrs(attrs), h.warned.WithAttrs(attrs), h.told.WithAttrs(attrs), h.debugged.WithAttrs(attrs)}
}

// WithGroup puts what follows into a group.
func (h levels) WithGroup(name string) slog.Handler {
	return levels{h.failed.WithGroup(name), h.warned.WithGroup(name), h.told.WithGroup(name), h.debugged.WithGroup(name)}
}
