package vm_test

import (
	"slices"
	"testing"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

func TestHostPage(t *testing.T) {
	w := newWorld(t)
	v := vm.NewHost(w.m, w.d.Scene().Host)
	if v.Face() != vm.Full || v.Row().Name != "db-04.prod-eu" {
		t.Fatalf("%q %+v", v.Face(), v.Row())
	}
	if n := len(v.Runs()); n != 14 {
		t.Errorf("%d runs before the daemon was asked", n)
	}
	q, ok := v.RunsQuery()
	if _, twice := v.RunsQuery(); !ok || twice || q.Kind != fleet.KindBackup || q.Limit != vm.HostRuns {
		t.Fatal(q)
	}
	v.TookRuns(w.d.Jobs(t.Context(), q))
	runs := v.Runs()
	if len(runs) < 59 || !slices.IsSortedFunc(runs, func(a, b model.Mark) int { return a.At.Compare(b.At) }) || v.RunsRate().Share < 0.8 || !v.RunsRate().Known {
		t.Errorf("%d runs, %+v", len(runs), v.RunsRate())
	}
	if a := v.Actions(); a != (vm.HostActions{BackUp: true, EnrolAnew: true}) {
		t.Errorf("%+v", a)
	}
	c := v.Update(model.Change{Progress: []fleet.JobID{w.d.Scene().Running}})
	if !c.Live || c.Page {
		t.Errorf("%+v", c)
	}
}

func TestHostPageOfATroubledHost(t *testing.T) {
	w := newWorld(t)
	s := w.d.Scene()
	if a := vm.NewHost(w.m, s.Revoked).Actions(); a != (vm.HostActions{EnrolAnew: true}) {
		t.Errorf("%+v", a)
	}
	if a := vm.NewHost(w.m, s.Offline).Actions(); !a.BackUp {
		t.Errorf("%+v", a)
	}
	gone := vm.NewHost(w.m, "nobody")
	if _, ok := gone.RunsQuery(); ok || gone.Face() != vm.Failed || !gone.Gone() || gone.Actions() != (vm.HostActions{}) {
		t.Error(gone.Face())
	}
	w.m.Apply(model.Batch{Identity: &api.Identity{Role: fleet.RoleViewer}})
	if a := vm.NewHost(w.m, s.Host).Actions(); a != (vm.HostActions{}) {
		t.Errorf("%+v", a)
	}
}

func (w *world) askSnapshots(v *vm.Snapshots) bool {
	q, ok := v.More()
	if ok {
		page, err := w.d.Snapshots(w.t.Context(), q.Filter)
		v.Took(q, page, err)
	}
	return ok
}

func TestSnapshots(t *testing.T) {
	w := newWorld(t)
	v := vm.NewSnapshots(w.m, vm.SnapshotsFilter{Host: w.d.Scene().Host})
	if v.Face() != vm.Loading || !v.Short() {
		t.Fatal(v.Face())
	}
	for w.askSnapshots(v) {
	}
	n := len(v.IDs())
	first, ok := v.Row(v.IDs()[0])
	if v.Face() != vm.Full || !v.Complete() || n < 200 || !ok || first.HostID != w.d.Scene().Host || first.Plan != "databases" || len(first.Short) != 8 || first.Repository != "eu-central" || len(first.Tags) != 0 {
		t.Fatalf("%d, %+v", n, first)
	}
	if r := v.SetFilter(vm.SnapshotsFilter{Host: w.d.Scene().Host, Text: first.Short}); r != vm.Rows || !slices.Equal(v.IDs(), []string{first.Key}) || !v.Complete() {
		t.Error(r, v.IDs())
	}
	v.SetFilter(vm.SnapshotsFilter{Host: w.d.Scene().Host, Text: "nothing like it"})
	if v.Face() != vm.NoMatch {
		t.Error(v.Face())
	}
	v.SetFilter(vm.SnapshotsFilter{Plan: w.d.Scene().Plan})
	if q, ok := v.More(); !ok || q.Filter.Tag != "plan:"+string(w.d.Scene().Plan) || q.Filter.Hostname != "" {
		t.Error(q)
	}
}

// A snapshot that a backup saves while the list is open comes on top, without asking.
func TestSnapshotsGrow(t *testing.T) {
	m := signedIn(hostRow("h1", "web"), planRow("p1", "h1"), repoRow("r1", "main"), jobRow(aJob("j", fleet.StateRunning)))
	v := vm.NewSnapshots(m, vm.SnapshotsFilter{Host: "h1"})
	q, _ := v.More()
	v.Took(q, api.Page[fleet.Snapshot]{Items: []fleet.Snapshot{{ID: "0123456789", RepositoryID: "r1", Hostname: "web", Time: t0.AddDate(0, 0, -1)}}}, nil)
	done := aJob("j", fleet.StateSucceeded, func(j *fleet.Job) {
		j.Spec.Backup = &fleet.BackupSpec{Paths: []string{"/etc"}, Tags: []string{"weekly"}}
		j.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: "abcdef0123", TotalBytesProcessed: 5}}
	})
	if r := v.Update(m.Apply(model.Batch{Rows: []api.Row{jobRow(done)}})); r != vm.Rows || len(v.IDs()) != 2 {
		t.Fatal(r, v.IDs())
	}
	r, _ := v.Row(v.IDs()[0])
	if r.Short != "abcdef01" || r.Plan != "plan p1" || r.JobID != "j" || !slices.Equal(r.Tags, []string{"weekly"}) || r.HostID != "h1" || r.Bytes != 5 {
		t.Errorf("%+v", r)
	}
	v.Took(q, api.Page[fleet.Snapshot]{}, nil) // twice the same answer
	if len(v.IDs()) != 2 {
		t.Error("an answer that nobody waits for counts")
	}
}
