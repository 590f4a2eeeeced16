package httpapi_test

import (
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/wsconn"
)

// TestAnotherEpochReachesConsoles: the store turns out to be a copy while consoles look at it. They are sent away, and told to begin
// anew when they come back.
func TestAnotherEpochReachesConsoles(t *testing.T) {
	h := newHouse(t)
	job := h.start()
	stream := h.subscribe(job.ID, api.Subscribe{})
	snap := payload[api.StreamSnapshot](t, stream.until(api.TypeLive)[0])
	view := h.watching(api.WatchRequest{})
	_, _, list := view.listed()
	h.must(h.store.Renew(h.ctx, time.Now()))
	if code := stream.closeCode(); code != wsconn.CloseGoingAway {
		t.Errorf("the stream was closed with %d", code)
	}
	if code := view.closeCode(); code != wsconn.CloseGoingAway {
		t.Errorf("the watch was closed with %d", code)
	}
	if e := h.subscribe(job.ID, api.Subscribe{AfterSeq: 3, Epoch: snap.Epoch}).next(); e.Type != agentwire.TypeReset {
		t.Errorf("the stream resumes with %s", e.Type)
	}
	again := h.watching(api.WatchRequest{AfterRev: list.AsOfRev, Epoch: list.Epoch})
	before, _, now := again.listed()
	if before[0] != agentwire.TypeReset || now.Epoch == list.Epoch {
		t.Errorf("the watch resumes with %v, epoch %q after %q", before, now.Epoch, list.Epoch)
	}
	again.until(api.TypeTick) // and stays
}
