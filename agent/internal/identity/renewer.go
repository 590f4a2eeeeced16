package identity

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/backstay/backstay/shared/backoff"
)

// RenewerConfig is what a Renewer needs.
type RenewerConfig struct {
	Dir     string // folder of the identity
	Address string // the daemon's
	Pin     string // of the daemon's CA
	Clock   func() time.Time
	Log     *slog.Logger // none when nil
}

// Renewer replaces the certificate after two thirds of its life.
type Renewer struct {
	cfg   RenewerConfig
	pause backoff.Backoff
	renew func(context.Context) error
}

// NewRenewer makes a Renewer.
func NewRenewer(cfg RenewerConfig) *Renewer {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Renewer{cfg: cfg, pause: backoff.Backoff{Min: 10 * time.Second, Max: time.Hour},
		renew: func(ctx context.Context) error { return Renew(ctx, cfg.Dir, cfg.Address, cfg.Pin) }}
}

// lookEvery bounds one sleep, so that a host that slept or whose clock was set looks again soon, and is the least time between two
// renewals, however far apart the clocks of host and daemon are.
const lookEvery = time.Hour

// Run renews whenever it is time, until ctx ends.
func (r *Renewer) Run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		wait, err := r.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = r.pause.Next(failures, rand.Float64)
			failures++
			r.cfg.Log.WarnContext(ctx, "the certificate was not renewed", "err", err, "retry_in", wait)
		default:
			failures = 0
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// look renews the certificate if it is time and tells when to look again.
func (r *Renewer) look(ctx context.Context) (wait time.Duration, err error) {
	id, err := Load(r.cfg.Dir)
	if err != nil {
		return 0, err
	}
	if left := id.RenewAt().Sub(r.cfg.Clock()); left > 0 {
		return min(left, lookEvery), nil
	}
	if err := r.renew(ctx); err != nil {
		return 0, err
	}
	r.cfg.Log.InfoContext(ctx, "certificate renewed")
	return lookEvery, nil
}
