package cli

import (
	"context"
	"io"
	"time"

	"github.com/backstay/backstay/shared/secret"
)

// Env is the world around a command: main gives the real one, tests their own.
type Env struct {
	In       io.Reader
	Out      io.Writer
	Err      io.Writer
	Getenv   func(string) string
	Config   string // folder of the profile; "": there is none
	Now      func() time.Time
	Zone     *time.Location // of the times that are shown
	Terminal Terminal
	Keyring  Keyring
}

// Terminal is what may stand behind the three streams.
type Terminal interface {
	// Interactive tells whether a person can be asked.
	Interactive() bool
	// Width is the width of the terminal behind Out in columns, 0 when there is none.
	Width() int
	// ReadPassword reads a line without echo.
	ReadPassword(ctx context.Context) (string, error)
	// ReadLine reads a line with echo.
	ReadLine(ctx context.Context) (string, error)
}

// Keyring is what of package keyring is used.
type Keyring interface {
	Set(ctx context.Context, service, user string, value secret.Secret) error
	Get(ctx context.Context, service, user string) (secret.Secret, error)
	Delete(ctx context.Context, service, user string) error
}
