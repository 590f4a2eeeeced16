//go:build !windows

package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// TestDaemonStopsAtOnce: an agent that runs a job, three who follow it and a script with an open connection are there, and none of
// them holds the end of the daemon up. The best of three stops counts: a busy machine is not what is looked at.
func TestDaemonStopsAtOnce(t *testing.T) {
	f, src := fakeFleet(t, options{}, `{"lines":10000000,"lines_per_sec":1000}`)
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
	f.awaitLines(job.ID, 50)
	ctx, cancel := context.WithCancel(t.Context())
	live, ended := make(chan struct{}, 100), make(chan error, 3)
	for range 3 {
		go func() {
			ended <- f.client.Follow(ctx, job.ID, apiclient.FollowOptions{}, apiclient.FollowHandler{Live: func() { live <- struct{}{} }})
		}()
	}
	best := time.Hour
	for range 3 {
		for range 3 {
			<-live
		}
		f.waitOnline(true)
		began := time.Now()
		f.daemon.stop()
		best = min(best, time.Since(began))
		f.startDaemon()
	}
	cancel()
	for range 3 {
		<-ended
	}
	limit := time.Second
	if os.Getenv("BACKSTAY_TEST_RACE") == "1" {
		limit += time.Second // a program with the race detector waits a second at its end
	}
	if best > limit {
		t.Fatalf("the quickest of three stops took %v", best)
	}
	t.Logf("the quickest of three stops took %v", best)
	if _, err := f.client.CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	f.wantState(f.await(job.ID), fleet.StateCancelled)
}
