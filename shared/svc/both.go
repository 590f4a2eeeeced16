package svc

import (
	"context"
	"errors"
	"log/slog"
)

// both writes every record twice.
type both struct{ a, b slog.Handler }

var _ slog.Handler = both{}

// Enabled tells whether records of level l are written to either.
func (h both) Enabled(ctx context.Context, l slog.Level) bool {
	return h.a.Enabled(ctx, l) || h.b.Enabled(ctx, l)
}

// Handle writes one record to both.
func (h both) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(h.a.Handle(ctx, r.Clone()), h.b.Handle(ctx, r))
}

// WithAttrs adds attrs to every record.
func (h both) WithAttrs(attrs []slog.Attr) slog.Handler {
	return both{h.a.WithAttrs(attrs), h.b.WithAttrs(attrs)}
}

// WithGroup puts what follows into a group.
func (h both) WithGroup(name string) slog.Handler {
	return both{h.a.WithGroup(name), h.b.WithGroup(name)}
}
