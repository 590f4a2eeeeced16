package vm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a model that follows the sample fleet, without a feed: step takes what changed.
type world struct {
	t testing.TB
	d *sample.Daemon
	m *model.Fleet
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, d: sample.New(sample.Noon()), m: model.New()}
	id, err := w.d.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.m.Apply(model.Batch{Identity: &id, Connection: &model.Connection{Link: model.Live}})
	w.step()
	return w
}

// step lists anew.
func (w *world) step() model.Change {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var b model.Batch
	err := w.d.Watch(ctx, apiclient.WatchOptions{}, apiclient.WatchHandler{
		List: func(rows []api.Row, _ int64) { b = model.Batch{Reset: true, Rows: rows} },
		Tick: func(t api.WatchTick) { b.Progress = t.Progress; cancel() },
	})
	if !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
	return w.m.Apply(b)
}

// follow gives a batch for each thing that the stream of a job has said by now.
func (w *world) follow(id fleet.JobID, take func(model.JobBatch)) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := w.d.Follow(ctx, id, apiclient.FollowOptions{}, apiclient.FollowHandler{
		Snapshot: func(s api.StreamSnapshot) { take(model.JobBatch{Job: &s.Job, Past: s.Past, AsOfSeq: s.AsOfSeq}) },
		Lines:    func(first int64, l []fleet.LogLine) { take(model.JobBatch{First: first, Lines: l}) },
		Progress: func(p fleet.Progress) { take(model.JobBatch{Progress: []fleet.Progress{p}}) },
		Live:     func() { take(model.JobBatch{Live: true}); cancel() },
		Finished: func(j fleet.Job) { take(model.JobBatch{Job: &j}) },
		EOF:      func(api.EOF) { take(model.JobBatch{EOF: true}) },
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
}

func (w *world) job(id fleet.JobID) *vm.Job {
	w.t.Helper()
	v := vm.NewJob(w.m, id)
	w.follow(id, func(b model.JobBatch) { v.Take(b, w.d.Now()) })
	return v
}

// signedIn is a model of rows for an operator.
func signedIn(rows ...api.Row) *model.Fleet {
	m := model.New()
	m.Apply(model.Batch{Reset: true, Rows: rows, Identity: &api.Identity{User: "op", Role: fleet.RoleOperator}, Connection: &model.Connection{Link: model.Live}})
	return m
}

func hostRow(id, name string, change ...func(*fleet.Host)) api.Row {
	h := &fleet.Host{ID: fleet.HostID(id), Name: name, Hostname: name, Online: true, ResticVersion: "0.19.1", Secrets: []fleet.RepositoryID{"r1"}, EnrolledAt: t0}
	for _, f := range change {
		f(h)
	}
	return api.Row{Kind: "host", ID: id, Host: h}
}

func planRow(id string, hosts ...fleet.HostID) api.Row {
	return api.Row{Kind: "plan", ID: id, Plan: &fleet.Plan{ID: fleet.PlanID(id), Name: "plan " + id, RepositoryID: "r1", Hosts: hosts, Backup: fleet.BackupSpec{Paths: []string{"/etc"}}}}
}

func repoRow(id, name string) api.Row {
	return api.Row{Kind: "repository", ID: id, Repository: &fleet.Repository{ID: fleet.RepositoryID(id), Name: name, URL: "/srv/" + id}}
}

// aJob is a backup in a state, created at t0.
func aJob(id string, state fleet.JobState, change ...func(*fleet.Job)) *fleet.Job {
	j := &fleet.Job{ID: fleet.JobID(id), HostID: "h1", Kind: fleet.KindBackup, PlanID: "p1", RepositoryID: "r1", State: state, CreatedAt: t0, UpdatedAt: t0, CreatedBy: "mira", Rev: 1}
	if state == fleet.StateRunning || state.Ended() {
		at := t0.Add(2 * time.Second)
		j.StartedAt = &at
	}
	if state.Ended() {
		end := t0.Add(time.Minute)
		j.FinishedAt, j.UpdatedAt = &end, end
		j.Outcome = &fleet.Outcome{State: state, StartedAt: *j.StartedAt, FinishedAt: end}
	}
	for _, f := range change {
		f(j)
	}
	return j
}

func jobRow(j *fleet.Job) api.Row { return api.Row{Kind: "job", ID: string(j.ID), Rev: j.Rev, Job: j} }
