package vm_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// minuteJob is a backup that succeeded and was created at minute n.
func minuteJob(n int) *fleet.Job {
	return aJob(fmt.Sprintf("j%04d", n), fleet.StateSucceeded, func(j *fleet.Job) { j.CreatedAt = t0.Add(time.Duration(n) * time.Minute) })
}

func minuteRows(from, to int) []api.Row {
	rows := []api.Row{hostRow("h1", "web")}
	for n := from; n < to; n++ {
		rows = append(rows, jobRow(minuteJob(n)))
	}
	return rows
}

// After an absence so long that the daemon's list does not reach back to the pages that were read, they are read anew: the list of
// jobs never has a hole that nobody sees.
func TestJobsAreReadAnewWhereAHoleMayBe(t *testing.T) {
	m := signedIn(minuteRows(5, 10)...)
	v := vm.NewJobs(m, vm.JobsFilter{})
	serve := func(all int) { // one page of everything there is
		q, ok := v.More()
		if !ok {
			t.Fatal("nothing is asked for")
		}
		var page api.Page[fleet.Job]
		for n := range all {
			page.Items = append(page.Items, *minuteJob(n))
		}
		slices.Reverse(page.Items)
		v.Took(q, page, nil)
	}
	serve(10)
	if len(v.Past()) != 10 || !v.Complete() {
		t.Fatal(v.Past())
	}
	if v.Update(m.Apply(model.Batch{Reset: true, Rows: minuteRows(6, 12)})); v.Short() || len(v.Past()) != 12 {
		t.Error("read anew without need", v.Past())
	}
	if r := v.Update(m.Apply(model.Batch{Reset: true, Rows: minuteRows(20, 30)})); r != vm.Rows || !v.Short() || v.Complete() {
		t.Fatal("a hole is not seen", r)
	}
	if len(v.Past()) != 20 { // what was there stays until the answer comes
		t.Error(v.Past())
	}
	serve(30)
	if len(v.Past()) != 30 || !v.Complete() || v.Short() {
		t.Errorf("%d rows", len(v.Past()))
	}
}

// A list that comes anew may follow on backups that nobody saw running: snapshots and the strip of a host are asked for again, and
// what was there stays meanwhile.
func TestAListAnewRenewsWhatWasRead(t *testing.T) {
	m := signedIn(hostRow("h1", "web"), repoRow("r1", "main"))
	v := vm.NewHost(m, "h1")
	q, _ := v.Snapshots.More()
	v.Snapshots.Took(q, api.Page[fleet.Snapshot]{Items: []fleet.Snapshot{{ID: "aaaa", RepositoryID: "r1", Hostname: "web", Time: t0}}}, nil)
	if _, ok := v.RunsQuery(); !ok {
		t.Fatal("runs are not asked for")
	}
	v.TookRuns(api.Page[fleet.Job]{}, nil)
	if _, ok := v.RunsQuery(); ok || v.Snapshots.Short() {
		t.Fatal("asked twice")
	}
	c := v.Update(m.Apply(model.Batch{Reset: true, Rows: []api.Row{hostRow("h1", "web"), repoRow("r1", "main")}}))
	if c.Snapshots != vm.Rows || len(v.Snapshots.IDs()) != 1 || v.Snapshots.Face() != vm.Full || !v.Snapshots.Short() {
		t.Errorf("%+v, %v", c, v.Snapshots.IDs())
	}
	if _, ok := v.RunsQuery(); !ok {
		t.Error("runs are not asked for again")
	}
	late := q
	q, _ = v.Snapshots.More()
	if r := v.Snapshots.Took(late, api.Page[fleet.Snapshot]{}, nil); r != vm.Nothing {
		t.Error("an answer of before counts")
	}
	v.Snapshots.Took(q, api.Page[fleet.Snapshot]{}, nil)
	if len(v.Snapshots.IDs()) != 0 || v.Snapshots.Face() != vm.NoMatch { // other hosts may have some
		t.Error("a snapshot that is gone stays")
	}
}

// A daemon whose store was put back from a copy has lower revs, and is right all the same.
func TestARestoredDaemonIsRight(t *testing.T) {
	m := signedIn()
	row := func(state fleet.JobState, rev int64) api.Row {
		return jobRow(aJob("j", state, func(j *fleet.Job) { j.Rev = rev }))
	}
	m.Apply(model.Batch{Reset: true, AsOf: 90, Rows: []api.Row{row(fleet.StateRunning, 90)}})
	v := vm.NewJob(m, "j")
	c := m.Apply(model.Batch{Reset: true, AsOf: 95, Rows: []api.Row{row(fleet.StateRunning, 90)}})
	if v.Update(c); c.Restored {
		t.Error("a list anew is no restored store")
	}
	c = m.Apply(model.Batch{Reset: true, AsOf: 50, Rows: []api.Row{row(fleet.StateSucceeded, 50)}})
	if out := v.Update(c); !c.Restored || !out.Row || v.Row().State != fleet.StateSucceeded {
		t.Errorf("%+v, %s", c, v.Row().State)
	}
}
