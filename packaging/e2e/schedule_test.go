//go:build !windows

package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

const slotLines = 200

// runs gives the jobs of a plan that its schedule began, oldest first, once they are over, and checks that each is whole and that no
// slot has two.
func (f *fleetOf) runs(plan fleet.PlanID, atLeast int) []time.Time {
	f.t.Helper()
	var jobs []fleet.Job
	sharedtest.Eventually(f.t, 90*time.Second, "the scheduled jobs are over and known", func() bool {
		page, err := f.client.Jobs(f.t.Context(), apiclient.JobFilter{Plan: string(plan), Limit: 100})
		jobs = page.Items
		return err == nil && len(jobs) >= atLeast && !slices.ContainsFunc(jobs, func(j fleet.Job) bool { return !j.State.Final() || !j.LogSealed })
	})
	var slots []time.Time
	for _, j := range jobs {
		f.wantState(j, fleet.StateSucceeded)
		p, host, slot, ok := j.ID.Slot()
		if !ok || p != plan || host != f.host.ID || j.CreatedBy != "schedule" {
			f.t.Fatalf("%+v", j)
		}
		f.wantNumbered(j.ID, slotLines)
		slots = append(slots, slot)
	}
	slices.SortFunc(slots, time.Time.Compare)
	if unique := slices.Compact(slices.Clone(slots)); len(unique) != len(slots) {
		f.t.Fatalf("a slot has two jobs: %v", slots)
	}
	if begun := len(backupStarts(f.t, f.opts.restic)); begun != len(slots) {
		f.t.Fatalf("restic was started %d times for %d jobs", begun, len(slots))
	}
	return slots
}

// awaitStarts waits until restic was started for n backups in all.
func (f *fleetOf) awaitStarts(n int) {
	f.t.Helper()
	sharedtest.Eventually(f.t, 5*time.Minute, "the slots pass", func() bool { return len(backupStarts(f.t, f.opts.restic)) >= n })
}

// A schedule of one minute: with the daemon there, over three slots without it, and over two with the agent suspended. It takes six
// minutes, most of them waiting.
func TestSchedulesRunWithoutTheDaemonAndCatchUp(t *testing.T) {
	t.Parallel()
	f, src := fakeFleet(t, options{}, `{"lines":200}`)
	none := int64(0)
	plan, err := f.client.AddPlan(t.Context(), api.PlanRequest{Name: "minutely", RepositoryID: f.mustRepository("fake").ID, Hosts: []fleet.HostID{f.host.ID},
		Backup: fleet.BackupSpec{Paths: []string{src}}, Schedule: &api.ScheduleRequest{Cron: "* * * * *", SplayMS: &none}})
	if err != nil {
		t.Fatal(err)
	}
	f.awaitStarts(1)
	before := f.runs(plan.ID, 1)

	f.daemon.stop()
	f.awaitStarts(len(before) + 3)
	f.startDaemon()
	f.waitOnline(true)
	slots := f.runs(plan.ID, len(before)+3)
	for i := 1; i < len(slots); i++ {
		if slots[i].Sub(slots[i-1]) != time.Minute {
			t.Fatalf("slots are missing: %v", slots)
		}
	}

	last := slots[len(slots)-1]
	f.agent.suspend()
	sharedtest.Eventually(t, 4*time.Minute, "two slots pass", func() bool { return time.Now().After(last.Add(2*time.Minute + time.Second)) })
	f.agent.resume()
	f.awaitStarts(len(slots) + 1)
	if _, err := f.client.PausePlan(t.Context(), string(plan.ID)); err != nil {
		t.Fatal(err)
	}
	var caught []time.Time
	for _, slot := range f.runs(plan.ID, len(slots)+1) {
		if slot.After(last) && !slot.After(last.Add(2*time.Minute)) {
			caught = append(caught, slot)
		}
	}
	if len(caught) != 1 || caught[0].Sub(last) != 2*time.Minute {
		t.Fatalf("of two slots in suspense, the first after %v, these were caught up: %v", last, caught)
	}
}
