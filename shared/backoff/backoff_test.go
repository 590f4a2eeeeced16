package backoff_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/backstay/backstay/shared/backoff"
)

func TestNextStaysInBoundsAndGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := backoff.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second}
		n := rapid.IntRange(0, 5000).Draw(t, "attempt")
		r := rapid.Float64Range(0, 0.999999).Draw(t, "random")
		d := b.Next(n, func() float64 { return r })
		if d < b.Min || d > b.Max {
			t.Fatalf("pause %v", d)
		}
		if later := b.Next(n+1, func() float64 { return r }); later < d {
			t.Fatalf("pause shrinks from %v to %v", d, later)
		}
	})
}
