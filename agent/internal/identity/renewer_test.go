package identity

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstay/backstay/agent/internal/identity/identitytest"
)

// renewals runs a Renewer in fake time and notes when it renews, in hours since its start.
type renewals struct {
	ca   *identitytest.CA
	dir  string
	at   []time.Duration
	fail func(n int) error // n counts from 1
	life time.Duration     // of a renewed certificate
}

func (r *renewals) run(t *testing.T, skew, total time.Duration) {
	t.Helper()
	start := time.Now()
	x := NewRenewer(RenewerConfig{Dir: r.dir, Clock: func() time.Time { return time.Now().Add(skew) }})
	x.renew = func(context.Context) error {
		r.at = append(r.at, time.Since(start))
		if err := r.fail(len(r.at)); err != nil {
			return err
		}
		return r.ca.Write(r.dir, identitytest.Current, "a", time.Now(), time.Now().Add(r.life))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); x.Run(ctx) }()
	time.Sleep(total)
	cancel()
	<-done
}

func newRenewals(t *testing.T, life time.Duration) *renewals {
	t.Helper()
	ca, err := identitytest.New()
	if err != nil {
		t.Fatal(err)
	}
	r := &renewals{ca: ca, dir: t.TempDir(), life: life, fail: func(int) error { return nil }}
	if err := ca.Write(r.dir, identitytest.Current, "a", time.Now(), time.Now().Add(life)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRenewerRenewsAtTwoThirds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewals(t, 30*24*time.Hour)
		r.run(t, 0, 45*24*time.Hour)
		if len(r.at) != 2 {
			t.Fatalf("renewed at %v", r.at)
		}
		for i, at := range r.at {
			if due := time.Duration(i+1) * 20 * 24 * time.Hour; at < due || at > due+2*time.Hour {
				t.Errorf("renewal %d at %v, due at %v", i, at, due)
			}
		}
	})
}

var errAway = errors.New("away")

func TestRenewerTriesAgainEverMoreSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewals(t, 3*time.Hour)
		r.fail = func(n int) error {
			if n < 40 {
				return errAway
			}
			return nil
		}
		r.life = 3000 * time.Hour
		r.run(t, 0, 100*time.Hour)
		if len(r.at) != 40 {
			t.Fatalf("%d tries: %v", len(r.at), r.at)
		}
		for i := 1; i < len(r.at); i++ {
			if gap := r.at[i] - r.at[i-1]; gap < 10*time.Second || gap > time.Hour {
				t.Errorf("pause %d is %v", i, gap)
			}
		}
		if r.at[1]-r.at[0] > 20*time.Second {
			t.Errorf("the first pause is %v", r.at[1]-r.at[0])
		}
	})
}

// TestRenewerDoesNotHammer: with clocks far apart every certificate looks old at once.
func TestRenewerDoesNotHammer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewals(t, 30*24*time.Hour)
		r.run(t, 25*24*time.Hour, 24*time.Hour)
		if len(r.at) < 20 || len(r.at) > 25 {
			t.Fatalf("%d renewals in a day", len(r.at))
		}
	})
}

func TestRenewerOutlivesAMissingIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewals(t, 3*time.Hour)
		path := filepath.Join(r.dir, identitytest.Current)
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		back := time.AfterFunc(10*time.Hour, func() {
			if err := os.WriteFile(path, kept, 0o600); err != nil {
				t.Error(err)
			}
		})
		defer back.Stop()
		r.life = 3000 * time.Hour
		r.run(t, 0, 24*time.Hour)
		if len(r.at) != 1 || r.at[0] < 10*time.Hour {
			t.Fatalf("renewed at %v", r.at)
		}
	})
}

func TestRenewerEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewals(t, 30*24*time.Hour)
		x := NewRenewer(RenewerConfig{Dir: r.dir})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		began := time.Now()
		x.Run(ctx)
		if time.Since(began) != 0 {
			t.Fatalf("it took %v", time.Since(began))
		}
	})
}
