package control_test

import (
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

func TestAClonedHostSaysSoUntilItsCloneIsGone(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	h.connect(host)
	get := func() fleet.Host { return must(h.Host(h.ctx, "web1"))(t) }
	h.ok(h.AgentCloned(h.ctx, host.ID))
	first := get()
	if first.ClonedAt == nil || !first.ClonedAt.Equal(h.clock.Now()) {
		t.Fatalf("%+v", first.ClonedAt)
	}
	h.clock.add(20 * time.Second)
	h.ok(h.AgentCloned(h.ctx, host.ID)) // they meet every second or so: not each time is written
	if got := get(); got.Rev != first.Rev {
		t.Fatal("written again at once")
	}
	h.clock.add(time.Minute)
	h.ok(h.AgentCloned(h.ctx, host.ID))
	h.clock.add(9 * time.Minute)
	h.ok(h.Sweep(h.ctx))
	h.connect(host) // coming back alone is no proof
	if got := get(); got.ClonedAt == nil || !got.ClonedAt.After(*first.ClonedAt) {
		t.Fatalf("%+v", got.ClonedAt)
	}
	h.clock.add(2 * time.Minute)
	h.ok(h.Sweep(h.ctx))
	if got := get(); got.ClonedAt != nil {
		t.Fatalf("%+v", got.ClonedAt)
	}
}
