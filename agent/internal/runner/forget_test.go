package runner_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

func TestForgetsOnlyWhatTheDaemonHasAndLongEnough(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	h := fakeHost(t, behaviour.Behaviour{Lines: 1})
	h.change = func(c *runner.Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	}
	a := h.agent()
	for _, id := range []fleet.JobID{"kept", "acked"} {
		a.run(h.spec(id, fleet.KindBackup))
		a.ended(id)
	}
	if err := a.Acked(t.Context(), "acked", 2, true); err != nil {
		t.Fatal(err)
	}
	if err := a.Acked(t.Context(), "kept", 2, false); err != nil {
		t.Fatal(err)
	}
	a.stop()
	for _, c := range []struct {
		after time.Duration
		held  string
	}{{71 * time.Hour, "acked kept"}, {2 * time.Hour, "kept"}} {
		mu.Lock()
		now = now.Add(c.after)
		mu.Unlock()
		a = h.agent()
		sharedtest.Eventually(t, patience, "held: "+c.held, func() bool {
			var ids []string
			for _, j := range a.Held() {
				ids = append(ids, string(j.JobID))
			}
			slices.Sort(ids)
			return strings.Join(ids, " ") == c.held
		})
		a.stop()
	}
	if _, err := os.Stat(string(h.folder("acked"))); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the folder is still there: %v", err)
	}
}

func TestForgetsTheOldestWhenRoomIsShort(t *testing.T) {
	h := fakeHost(t, behaviour.Behaviour{Lines: 100, LineBytes: 1000})
	a := h.agent()
	for i := range 4 {
		id := fleet.JobID(fmt.Sprint("job", i))
		a.run(h.spec(id, fleet.KindBackup))
		a.ended(id)
		if i != 1 { // one that the daemon does not have
			if err := a.Acked(t.Context(), id, 101, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.stop()
	h.change = func(c *runner.Config) { c.KeepBytes = 150_000 } // room for one
	a = h.agent()
	sharedtest.Eventually(t, patience, "the newest and the unacknowledged are left", func() bool {
		held := a.Held()
		return len(held) == 2 && held[0].JobID == "job1" && held[1].JobID == "job3"
	})
}

// TestVoidAcknowledgements: the store that gave them was put back from a copy. Whatever their age, the jobs stay until they are
// acknowledged anew, also for the next agent.
func TestVoidAcknowledgements(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	h := fakeHost(t, behaviour.Behaviour{Lines: 1})
	h.change = func(c *runner.Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	}
	a := h.agent()
	for _, id := range []fleet.JobID{"ended", "half"} {
		a.run(h.spec(id, fleet.KindBackup))
		a.ended(id)
		if err := a.Acked(t.Context(), id, 1, id == "ended"); err != nil {
			t.Fatal(err)
		}
	}
	said := func() string {
		var all []string
		for _, j := range a.Held() {
			all = append(all, fmt.Sprint(j.JobID, " ", j.Acked, " ", j.AckedSeq))
		}
		return strings.Join(all, ", ")
	}
	if got := said(); got != "ended true 0, half false 1" {
		t.Fatal(got)
	}
	changed := a.Changed()
	if err := a.Void(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-changed
	if got := said(); got != "ended false 0, half false 0" {
		t.Fatal(got)
	}
	a.stop()
	mu.Lock()
	now = now.Add(100 * time.Hour)
	mu.Unlock()
	a = h.agent()
	if got := said(); got != "ended false 0, half false 0" {
		t.Fatal(got)
	}
	if err := a.Acked(t.Context(), "ended", 1, true); err != nil {
		t.Fatal(err)
	}
	a.stop()
	a = h.agent()
	if got := said(); got != "ended true 0, half false 0" {
		t.Fatalf("after another acknowledgement: %s", got)
	}
}
