package sample_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// list gives the whole state as the watch does.
func list(t testing.TB, d *sample.Daemon) []api.Row {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all []api.Row
	err := d.Watch(ctx, apiclient.WatchOptions{}, apiclient.WatchHandler{
		List: func(rows []api.Row, _ int64) { all = rows },
		Tick: func(api.WatchTick) { cancel() },
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return all
}

// The same time gives the same fleet, to the last byte, and logs too.
func TestDeterministic(t *testing.T) {
	text := func() string {
		d := sample.New(sample.Noon())
		d.Advance(30 * time.Second)
		b, err := json.Marshal(list(t, d))
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		for _, id := range []fleet.JobID{d.Scene().Failed, d.Scene().Warned, d.Scene().Running} {
			if err := d.LogText(t.Context(), id, 0, &log); err != nil {
				t.Fatal(err)
			}
		}
		return string(b) + log.String()
	}
	first := text()
	if again := text(); again != first {
		t.Fatal("two fleets of the same time differ")
	}
}

func TestTheFleetHasWhatPagesShow(t *testing.T) {
	d, m := sample.New(sample.Noon()), model.New()
	m.Apply(model.Batch{Reset: true, Rows: list(t, d)})
	s := d.Scene()
	for id, want := range map[fleet.JobID]fleet.JobState{s.Running: fleet.StateRunning, s.Scanning: fleet.StateRunning, s.Retrying: fleet.StateRunning, s.Check: fleet.StateRunning,
		s.Waiting: fleet.StateAccepted, s.Queued: fleet.StateQueued, s.Unknown: fleet.StateUnknown, s.Succeeded: fleet.StateSucceeded, s.Warned: fleet.StateWarning,
		s.Failed: fleet.StateFailed, s.Cancelled: fleet.StateCancelled, s.Interrupted: fleet.StateInterrupt, s.Lost: fleet.StateLost} {
		j := m.Job(id)
		if j == nil || j.State != want || j.State.Ended() != (j.Outcome != nil) {
			t.Errorf("job %s: %+v, want %s", id, j, want)
		}
		if j != nil && j.State.Ended() && j.FinishedAt.After(d.Now()) {
			t.Errorf("job %s (%s) ends in the future: %v", id, want, j.FinishedAt)
		}
	}
	if got := m.Totals(); got.Hosts < 30 || got.Protected < 20 || got.Attention < 8 || got.Attention > 14 || got.Revoked != 1 || got.Running < 5 {
		t.Errorf("%+v", got)
	}
	seen := map[model.Status]bool{}
	for _, h := range m.Hosts() {
		seen[m.Status(h.ID)] = true
	}
	if len(seen) < 8 {
		t.Errorf("statuses: %v", seen)
	}
	n, err := d.Jobs(t.Context(), apiclient.JobFilter{Limit: 10_000})
	if err != nil || len(n.Items) < 1500 {
		t.Errorf("%d jobs, %v", len(n.Items), err)
	}
	snapshots, err := d.Snapshots(t.Context(), apiclient.SnapshotFilter{Limit: 10_000})
	if err != nil || len(snapshots.Items) < 1500 {
		t.Errorf("%d snapshots, %v", len(snapshots.Items), err)
	}
}

// What the daemon would refuse is not in the fleet.
func TestTheFleetIsValid(t *testing.T) {
	d, m := sample.New(sample.Noon()), model.New()
	m.Apply(model.Batch{Reset: true, Rows: list(t, d)})
	for _, r := range m.Repositories() {
		if err := r.Spec().Validate(); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
	for _, p := range m.Plans() {
		for _, id := range p.Hosts {
			if err := p.Backup.Validate(m.Host(id).OS); err != nil {
				t.Errorf("%s on %s: %v", p.Name, m.Host(id).Name, err)
			}
		}
	}
	for j := range m.Jobs() {
		if err := j.Spec.ValidateOn(m.Host(j.HostID).OS); err != nil {
			t.Errorf("%s %s: %v", j.Kind, j.ID, err)
		}
	}
}

// The log that is told of in a job's row is the log that comes.
func TestLogs(t *testing.T) {
	d := sample.New(sample.Noon())
	page, err := d.Jobs(t.Context(), apiclient.JobFilter{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range page.Items {
		var n int64
		if err := d.LogLines(t.Context(), j.ID, 0, func(seq int64, l fleet.LogLine) error {
			if n++; seq != n || l.Text == "" || l.Time.IsZero() {
				return errors.New("a wrong line")
			}
			return nil
		}); err != nil || n != j.Log.LastSeq {
			t.Fatalf("job %s (%s): %d lines, the row says %d: %v", j.ID, j.State, n, j.Log.LastSeq, err)
		}
	}
	for _, id := range []fleet.JobID{d.Scene().Failed, d.Scene().Warned, d.Scene().Succeeded} {
		j, err := d.Job(t.Context(), id)
		if err != nil || j.Log.LastSeq < 4000 {
			t.Errorf("%s has %d lines", j.State, j.Log.LastSeq)
		}
	}
}

// A job that is started runs to its end while time passes; a follower sees all of it, across a cut.
func TestAJobsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := sample.New(sample.Noon())
		host, err := d.StartJob(t.Context(), "web-1.prod-eu", api.JobRequest{Kind: fleet.KindBackup, Plan: "servers"}, "")
		if err != nil {
			t.Fatal(err)
		}
		var states []fleet.JobState
		var lines, lost, regained int
		phases := map[fleet.Phase]bool{}
		done := make(chan error, 1)
		go func() {
			done <- d.Follow(t.Context(), host.ID, apiclient.FollowOptions{}, apiclient.FollowHandler{
				Snapshot: func(s api.StreamSnapshot) { states = append(states, s.Job.State) },
				Lines:    func(_ int64, l []fleet.LogLine) { lines += len(l) },
				Progress: func(p fleet.Progress) { phases[p.Phase] = true },
				Live:     func() {},
				Finished: func(j fleet.Job) { states = append(states, j.State) },
				EOF:      func(api.EOF) {},
				Lost:     func(error, time.Duration) { lost++ },
				Regained: func() { regained++ },
			})
		}()
		for i := range 200 {
			if i == 8 {
				d.Cut()
			}
			if i == 16 {
				d.Heal()
			}
			d.Advance(250 * time.Millisecond)
			synctest.Wait()
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if last := states[len(states)-1]; last != fleet.StateSucceeded || lines == 0 || lost != 1 || regained != 1 || !phases[fleet.PhaseScanning] || !phases[fleet.PhaseReading] {
			t.Fatalf("states %v, %d lines, lost %d, regained %d, phases %v", states, lines, lost, regained, phases)
		}
		if _, err := d.CancelJob(t.Context(), host.ID); fault.CodeOf(err) != fault.JobEnded {
			t.Fatal(err)
		}
	})
}

func TestTrouble(t *testing.T) {
	d := sample.New(sample.Noon())
	d.Fail(fault.New(fault.StorageFull, "The disk is full."))
	if _, err := d.Users(t.Context()); fault.CodeOf(err) != fault.StorageFull {
		t.Error(err)
	}
	d.Fail(nil)
	d.Cut()
	if _, err := d.Users(t.Context()); fault.CodeOf(err) != fault.Unavailable {
		t.Error(err)
	}
	d.Heal()
	d.SetRole(fleet.RoleViewer)
	if _, err := d.Users(t.Context()); fault.CodeOf(err) != fault.Forbidden {
		t.Error(err)
	}
	d.SignOutAll()
	if err := d.Watch(t.Context(), apiclient.WatchOptions{}, apiclient.WatchHandler{}); fault.CodeOf(err) != fault.Unauthenticated {
		t.Error(err)
	}
}

func TestRepositoriesHaveAddressesThatTheDaemonTakes(t *testing.T) {
	for _, r := range list(t, sample.New(sample.Noon())) {
		if r.Repository == nil {
			continue
		}
		if _, err := fleet.ParseRepositoryURL(r.Repository.URL); err != nil {
			t.Errorf("%s: %v", r.Repository.URL, err)
		}
	}
}
