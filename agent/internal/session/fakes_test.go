package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

type fakePlans struct {
	mu    sync.Mutex
	last  agentwire.ConfigUpdate
	calls int
	err   error
}

func (f *fakePlans) Version() int64 { return 0 }

func (f *fakePlans) Store(u agentwire.ConfigUpdate) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.err == nil {
		f.last = u
	}
	return f.err
}

// fakeEpochs remembers an epoch, in memory.
type fakeEpochs struct {
	mu    sync.Mutex
	epoch string
	err   error
}

func (f *fakeEpochs) Epoch() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch
}

func (f *fakeEpochs) Keep(epoch string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.epoch = epoch
	}
	return f.err
}

// fakeRequests answers with the request's kind, or as handle says.
type fakeRequests struct {
	handle func(ctx context.Context, r agentwire.Request) agentwire.Reply
}

func (f *fakeRequests) Handle(ctx context.Context, r agentwire.Request) agentwire.Reply {
	if f.handle != nil {
		return f.handle(ctx, r)
	}
	data, _ := json.Marshal(r.Kind)
	return agentwire.Reply{Data: data}
}

// logs takes the pauses between connections out of the log.
type logs struct{ pauses chan time.Duration }

func (l *logs) logger() *slog.Logger {
	l.pauses = make(chan time.Duration, 1000)
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "retry_in" {
			l.pauses <- a.Value.Duration()
		}
		return a
	}}))
}

func (l *logs) next(t testing.TB) time.Duration {
	t.Helper()
	select {
	case d := <-l.pauses:
		return d
	case <-time.After(soon):
		t.Fatal("no pause")
		return 0
	}
}

func factsAfter(facts func(context.Context) agentwire.Facts, asked chan<- struct{}, gate <-chan struct{}) func(context.Context) agentwire.Facts {
	return func(ctx context.Context) agentwire.Facts {
		asked <- struct{}{}
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return facts(ctx)
	}
}

func manySecrets(n int) []fleet.RepositoryID {
	ids := make([]fleet.RepositoryID, n)
	for i := range ids {
		ids[i] = fleet.RepositoryID(fmt.Sprintf("repository-%010d", i))
	}
	return ids
}

func factsWith(secrets []fleet.RepositoryID) func(context.Context) agentwire.Facts {
	return func(context.Context) agentwire.Facts { return agentwire.Facts{Hostname: "h", Secrets: secrets} }
}
