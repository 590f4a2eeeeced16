package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/shared/fault"
)

func TestPasswordRoundTrip(t *testing.T) {
	ctx := t.Context()
	enc, err := auth.HashPassword(ctx, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(enc, "$argon2id$v=19$m=7168,t=5,p=1$") {
		t.Fatalf("encoded %q", enc)
	}
	again, err := auth.HashPassword(ctx, "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if enc == again {
		t.Fatal("two hashes of one password are equal: no salt")
	}
	for pw, want := range map[string]bool{"correct horse battery": true, "correct horse batterz": false, "": false} {
		got, err := auth.VerifyPassword(ctx, enc, pw)
		if err != nil || got != want {
			t.Errorf("VerifyPassword(%q) = %v, %v, want %v", pw, got, err, want)
		}
	}
}

func TestUnknownUserIsNeverRight(t *testing.T) {
	for _, pw := range []string{"", "x", strings.Repeat("y", 5000)} {
		if ok, err := auth.VerifyPassword(t.Context(), "", pw); ok || err != nil {
			t.Errorf("VerifyPassword of no user = %v, %v", ok, err)
		}
	}
}

func TestBadPasswordsAndHashes(t *testing.T) {
	for _, pw := range []string{"", strings.Repeat("x", auth.MaxPassword+1)} {
		if _, err := auth.HashPassword(t.Context(), pw); fault.CodeOf(err) != fault.InvalidInput {
			t.Errorf("HashPassword of %d bytes: %v", len(pw), err)
		}
	}
	for _, enc := range []string{
		"plain", "$argon2i$v=19$m=12288,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=16$m=12288,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=99999999,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=12288,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=12288,t=3,p=0$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=12288,t=3,p=1$$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=12288,t=3,p=1$c2FsdHNhbHQ$",
	} {
		ok, err := auth.VerifyPassword(t.Context(), enc, "pw")
		if ok || err == nil {
			t.Errorf("VerifyPassword(%q) = %v, %v, want an error", enc, ok, err)
		}
	}
}

func TestHashingIsBounded(t *testing.T) {
	const flood = 400
	var mu sync.Mutex
	codes := map[fault.Code]int{}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range flood {
		wg.Go(func() {
			_, err := auth.VerifyPassword(ctx, "", "pw")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, context.Canceled):
				codes["canceled"]++
			default:
				codes[fault.CodeOf(err)]++
			}
			if codes[fault.RateLimited] > 0 {
				cancel() // the rest need not be computed
			}
		})
	}
	wg.Wait()
	if codes[fault.RateLimited] == 0 || codes[fault.Internal] != 0 {
		t.Fatalf("answers to %d sign-ins at once: %v", flood, codes)
	}
	if ok, err := auth.VerifyPassword(t.Context(), "", "pw"); ok || err != nil {
		t.Fatalf("after the flood: %v, %v", ok, err)
	}
}

func TestTokens(t *testing.T) {
	a, ha := auth.NewToken(auth.PrefixAPI)
	b, hb := auth.NewToken(auth.PrefixAPI)
	if a == b || ha == hb {
		t.Fatal("two tokens are equal")
	}
	if !strings.HasPrefix(a, "bst_") || len(a) != len("bst_")+43 || len(ha) != 64 || ha != auth.HashToken(a) {
		t.Fatalf("token %q hash %q", a, ha)
	}
	if strings.Contains(ha, a) {
		t.Fatal("the hash shows the token")
	}
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func TestLimiter(t *testing.T) {
	c := &clock{now: time.Unix(1_000_000, 0)}
	l := auth.NewLimiter(auth.LimiterConfig{Every: 6 * time.Second, Burst: 3, MaxKeys: 4, Now: c.Now})
	for i := range 3 {
		if !l.Allow("a") {
			t.Fatalf("attempt %d refused", i+1)
		}
	}
	wait, ok := l.Take("a")
	if ok || wait <= 0 || wait > 6*time.Second {
		t.Fatalf("fourth attempt: %v, %v", wait, ok)
	}
	if !l.Allow("b") {
		t.Fatal("another key is limited by the first")
	}
	c.now = c.now.Add(wait + time.Millisecond)
	if !l.Allow("a") || l.Allow("a") {
		t.Fatal("after the wait exactly one attempt is allowed")
	}
}

func TestLimiterIsBoundedAndForgetsNobodyEarly(t *testing.T) {
	c := &clock{now: time.Unix(1_000_000, 0)}
	l := auth.NewLimiter(auth.LimiterConfig{Every: time.Minute, Burst: 2, MaxKeys: 8, Now: c.Now})
	for l.Allow("guesser") {
	}
	allowed := 0
	for i := range 1000 {
		if l.Allow(fmt.Sprintf("flood%d", i)) {
			allowed++
		}
		if l.Len() > 8 {
			t.Fatalf("%d keys remembered", l.Len())
		}
	}
	if want := 7 + 2; allowed != want { // the keys that had room, and the shared allowance
		t.Fatalf("%d of the flood allowed, want %d", allowed, want)
	}
	if l.Allow("guesser") {
		t.Fatal("a flood of keys gave the guesser a fresh allowance")
	}
	c.now = c.now.Add(time.Hour)
	for i := range 100 {
		l.Allow(fmt.Sprintf("later%d", i))
	}
	if l.Len() != 8 || !l.Allow("guesser2") && l.Len() > 8 {
		t.Fatalf("after an hour: %d keys", l.Len())
	}
}

func TestAddressKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:99":                  "192.0.2.1",
		"192.0.2.1":                     "192.0.2.1",
		"[::ffff:192.0.2.1]:99":         "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:443":    "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff:4:5:6]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:443":            "fe80::/64",
		"pipe":                          "unknown",
	} {
		if got := auth.AddressKey(in); got != want {
			t.Errorf("AddressKey(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkVerifyPassword(b *testing.B) {
	for b.Loop() {
		if _, err := auth.VerifyPassword(b.Context(), "", "pw"); err != nil {
			b.Fatal(err)
		}
	}
}
