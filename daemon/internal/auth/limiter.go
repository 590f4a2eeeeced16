package auth

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// LimiterConfig sets a Limiter: each key may do Burst things at once and one more every Every.
type LimiterConfig struct {
	Every   time.Duration
	Burst   int
	MaxKeys int              // how many keys are remembered
	Now     func() time.Time // time.Now when nil
}

// Limiter limits by key, with a bounded number of keys. When it is full, the key used longest ago makes room, but only once
// its allowance is whole again, so that nobody wins a fresh allowance by flooding the table; until then all new keys share one
// allowance.
type Limiter struct {
	cfg LimiterConfig

	mu       sync.Mutex
	keys     map[string]entry
	recent   *list.List // of keys, most recently used first
	overflow *rate.Limiter
}

type entry struct {
	place  *list.Element
	bucket *rate.Limiter
}

// NewLimiter makes a Limiter. Every, Burst and MaxKeys must be positive.
func NewLimiter(cfg LimiterConfig) *Limiter {
	if cfg.Every <= 0 || cfg.Burst <= 0 || cfg.MaxKeys <= 0 {
		panic("auth: LimiterConfig without limits")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	l := &Limiter{cfg: cfg, keys: map[string]entry{}, recent: list.New()}
	l.overflow = l.newBucket()
	return l
}

func (l *Limiter) newBucket() *rate.Limiter {
	return rate.NewLimiter(rate.Every(l.cfg.Every), l.cfg.Burst)
}

// Allow tells whether key may do one more thing now.
func (l *Limiter) Allow(key string) bool {
	_, ok := l.Take(key)
	return ok
}

// Take is Allow, and for a key that must wait says how long.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.cfg.Now()
	b := l.bucketLocked(key, now)
	if b.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - b.TokensAt(now)
	return max(time.Duration(missing*float64(l.cfg.Every)), time.Millisecond), false
}

func (l *Limiter) bucketLocked(key string, now time.Time) *rate.Limiter {
	if e, ok := l.keys[key]; ok {
		l.recent.MoveToFront(e.place)
		return e.bucket
	}
	if len(l.keys) >= l.cfg.MaxKeys {
		oldest, _ := l.recent.Back().Value.(string)
		if l.keys[oldest].bucket.TokensAt(now) < float64(l.cfg.Burst) {
			return l.overflow
		}
		l.recent.Remove(l.keys[oldest].place)
		delete(l.keys, oldest)
	}
	n := entry{place: l.recent.PushFront(key), bucket: l.newBucket()}
	l.keys[key] = n
	return n.bucket
}

// Len is how many keys are remembered.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys)
}

// AddressKey is the key of a remote address ("host:port" or an address): the IPv4 address, or the /64 of an IPv6 one, because
// one customer has that many of them.
func AddressKey(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	addr := ap.Addr()
	if err != nil {
		if addr, err = netip.ParseAddr(remote); err != nil {
			return "unknown"
		}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return p.String()
}
