//go:build !windows

package runner_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/journal"
	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/shared/fleet"
)

// TestCancelWhileALostLaunchIsWithdrawn: the agent finds launches of which no shim came and takes them back; the cancels come in
// the middle of that, from other goroutines. Each is heard, whichever side of the withdrawal it fell on.
func TestCancelWhileALostLaunchIsWithdrawn(t *testing.T) {
	h := fakeHost(t, endless)
	var ids []fleet.JobID
	for i := range 24 {
		id := fleet.JobID(fmt.Sprintf("job%d", i))
		h.launchIn(h.acceptedOf(h.inRepository(id, fmt.Sprintf("repo%d", i%12))), "lost")
		ids = append(ids, id)
	}
	r, err := runner.New(h.config())
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{host: h, Runner: r}
	t.Cleanup(a.stop)
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for _, id := range ids {
		wg.Go(func() {
			<-begin
			if err := r.Cancel(context.Background(), id, "anna"); err != nil {
				t.Errorf("cancel %s: %v", id, err)
			}
			r.Held() // as the session asks at any time
		})
	}
	close(begin)
	r.Start(context.Background())
	wg.Wait()
	for _, id := range ids {
		wantCancelled(t, a.ended(id).Outcome)
	}
	if n := r.Busy(); n != 0 {
		t.Fatalf("%d jobs are still there", n)
	}
}

// TestCloseWhileJobsComeIn: the end of the agent meets commands that the session still carries out.
func TestCloseWhileJobsComeIn(t *testing.T) {
	h := fakeHost(t, endless)
	a := h.agent()
	var wg sync.WaitGroup
	first := make(chan struct{}, 4)
	for g := range 4 {
		wg.Go(func() {
			for i := range 8 {
				id := fleet.JobID(fmt.Sprintf("job%d-%d", g, i))
				if _, err := a.Run(context.Background(), h.inRepository(id, "repo"), time.Hour); err != nil {
					t.Errorf("run %s: %v", id, err)
				}
				if i == 0 {
					first <- struct{}{}
				}
			}
		})
	}
	<-first
	a.stop()
	wg.Wait()
	if n := len(a.Held()); n != 32 {
		t.Fatalf("%d jobs are held", n)
	}
	a.stop() // again: what Held opened is closed
	next := h.agent()
	for _, j := range next.Held() {
		next.cancel(j.JobID)
	}
	for _, j := range next.Held() {
		wantCancelled(t, next.ended(j.JobID).Outcome)
	}
}

func (h *host) inRepository(id fleet.JobID, repository string) fleet.JobSpec {
	s := h.spec(id, fleet.KindBackup)
	s.Repository = h.repository(fleet.RepositoryID(repository))
	return s
}

func (h *host) acceptedOf(spec fleet.JobSpec) journal.Folder {
	h.t.Helper()
	boot, err := proc.BootID()
	if err != nil {
		h.t.Fatal(err)
	}
	j, err := journal.Open(h.jobsDir())
	if err != nil {
		h.t.Fatal(err)
	}
	f, err := j.Create(journal.Accepted{Spec: spec, At: time.Now().UTC(), Boot: boot})
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}
