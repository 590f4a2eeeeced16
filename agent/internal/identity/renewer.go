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
	Log     *slog.Logger
}

// Renewer replaces the certificate after two thirds of its life.
type Renewer struct {
	cfg   RenewerConfig
	pause backoff.Backoff
}

// NewRenewer makes a Renewer.
func NewRenewer(cfg RenewerConfig) *Renewer {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Renewer{cfg: cfg, pause: backoff.Backoff{Min: 10 * time.Second, Max: time.Hour}}
}

// longest bounds one sleep, so that a host that slept or whose clock was set looks again soon.
const longest = time.Hour

// Run renews whenever it is time, until ctx ends.
func (r *Renewer) Run(ctx context.Context) {
	failures := 0
	for {
		wait := longest
		id, err := Load(r.cfg.Dir)
		if err == nil {
			if wait = id.RenewAt().Sub(r.cfg.Clock()); wait <= 0 {
				err = Renew(ctx, r.cfg.Dir, r.cfg.Address, r.cfg.Pin)
			}
		}
		switch {
		case err != nil && ctx.Err() == nil:
			wait = r.pause.Next(failures, rand.Float64)
			failures++
			r.cfg.Log.WarnContext(ctx, "renewing the certificate", "err", err, "retry_in", wait)
		case err == nil:
			failures = 0
		}
		select {
		case <-time.After(min(max(wait, 0), longest)):
		case <-ctx.Done():
			return
		}
	}
}
