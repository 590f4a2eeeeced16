package session

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
)

// FactsChanged has the facts sent anew.
func (s *Session) FactsChanged() {
	select {
	case s.changed <- struct{}{}:
	default: // told already
	}
}

// lookAtFacts has the facts sent if they changed, soon; nobody waits for it.
func (s *Session) lookAtFacts() {
	select {
	case s.look <- struct{}{}:
	default:
	}
}

// factsTimeout bounds the gathering of facts: a keyring or a restic that hangs must not keep the host away.
const factsTimeout = 30 * time.Second

func (s *Session) facts(ctx context.Context) agentwire.Facts {
	ctx, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	return s.cfg.Facts(ctx)
}

// inventory sends the host's facts whenever it is told that they changed, and when it finds that they are not those that the daemon
// was told: a restic that was installed or updated is known soon.
func (c *connection) inventory(ctx context.Context, told agentwire.Facts) {
	t := time.NewTicker(c.s.cfg.FactsEvery)
	defer t.Stop()
	for {
		must := false
		select {
		case <-ctx.Done():
			return
		case <-c.s.changed:
			must = true
		case <-c.s.look:
		case <-t.C:
		}
		now := c.s.facts(ctx)
		if !must && sameFacts(now, told) {
			continue
		}
		if err := c.send(ctx, agentwire.TypeInventory, "", "", agentwire.Inventory{Facts: now}); err != nil {
			c.fail(err)
			return
		}
		told = now
	}
}

// sameFacts compares the secrets as a set.
func sameFacts(a, b agentwire.Facts) bool {
	x, y := slices.Sorted(slices.Values(a.Secrets)), slices.Sorted(slices.Values(b.Secrets))
	a.Secrets, b.Secrets = nil, nil
	return slices.Equal(x, y) && reflect.DeepEqual(a, b)
}
