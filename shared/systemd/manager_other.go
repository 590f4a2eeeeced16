//go:build !linux

package systemd

import "context"

// Manager is systemd; there is none on this system.
type Manager struct{}

// Open gives ErrNone.
func Open(context.Context, bool) (*Manager, error) { return nil, ErrNone }

// Close does nothing.
func (*Manager) Close() error { return nil }

// Scope gives ErrNone.
func (*Manager) Scope(context.Context, Scope) error { return ErrNone }
