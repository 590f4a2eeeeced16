package feed_test

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/backoff"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ui is a UI goroutine: it runs what is posted, in order.
type ui struct {
	mu    sync.Mutex
	queue []func()
	bell  chan struct{}
	posts int
	most  int // functions that waited at once
}

func newUI() *ui { return &ui{bell: make(chan struct{}, 1)} }

func (u *ui) post(fn func()) {
	u.mu.Lock()
	u.queue = append(u.queue, fn)
	u.posts++
	u.most = max(u.most, len(u.queue))
	u.mu.Unlock()
	select {
	case u.bell <- struct{}{}:
	default:
	}
}

// step runs what waits and tells how much that was.
func (u *ui) step() int {
	u.mu.Lock()
	queue := u.queue
	u.queue = nil
	u.mu.Unlock()
	for _, fn := range queue {
		fn()
	}
	return len(queue)
}

// waiting tells how many functions wait.
func (u *ui) waiting() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.queue)
}

// until runs what is posted until ok, which is asked on this goroutine, which is the UI's.
func (u *ui) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	for !ok() {
		select {
		case <-u.bell:
			u.step()
		case <-deadline:
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func newServer(t testing.TB) *apitest.Server {
	t.Helper()
	s, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newClient(t testing.TB, s *apitest.Server) *apiclient.Client {
	t.Helper()
	fast := backoff.Backoff{Min: time.Millisecond, Max: 10 * time.Millisecond}
	c, err := apiclient.New(apiclient.Config{Address: s.Address(), TLS: s.ClientTLS(), Token: apitest.Token, Retry: fast, Reconnect: fast})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func start(t testing.TB, d feed.Daemon, u *ui, cfg feed.Config) *feed.Session {
	t.Helper()
	cfg.Daemon, cfg.Post = d, u.post
	s := feed.Start(cfg)
	t.Cleanup(s.Close)
	return s
}
