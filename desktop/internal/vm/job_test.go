package vm_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// words puts steps into one line: name, state, and the seconds they took where that is known.
func words(steps []vm.Step) string {
	var all []string
	for _, s := range steps {
		text := string(s.Name) + " " + string(s.State)
		if s.Known {
			text += fmt.Sprintf(" %.1f", s.Duration.Seconds())
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// A job that is watched from the beginning shows each step with its time.
func TestStepsOfAWatchedBackup(t *testing.T) {
	m := signedIn(hostRow("h1", "web"), planRow("p1", "h1"), repoRow("r1", "main"))
	v := vm.NewJob(m, "j")
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	want := func(now int, text string) {
		t.Helper()
		if got := words(v.Steps(at(now))); got != text {
			t.Errorf("at %d:\n got %s\nwant %s", now, got, text)
		}
	}
	row := func(state fleet.JobState, rev int64, started, ended int) {
		j := aJob("j", state)
		j.Rev, j.StartedAt, j.FinishedAt = rev, nil, nil
		if started > 0 {
			s := at(started)
			j.StartedAt = &s
		}
		if ended > 0 {
			e := at(ended)
			j.FinishedAt = &e
			j.Outcome = &fleet.Outcome{State: state}
		}
		v.Take(model.JobBatch{Job: j}, at(max(started, ended)))
	}
	figures := func(ms int, phase fleet.Phase, percent float64, remaining int64) {
		v.Take(model.JobBatch{Progress: []fleet.Progress{{Phase: phase, Percent: percent, RemainingMS: remaining, BytesTotal: 1000, BytesDone: int64(percent * 1000), At: at(ms)}}}, at(ms))
	}
	row(fleet.StateQueued, 1, 0, 0)
	want(700, "queued active 0.7, waiting pending, starting pending, scanning pending, reading pending, finishing pending")
	row(fleet.StateAccepted, 2, 0, 0)
	figures(1000, fleet.PhaseWaiting, 0, 0)
	want(3000, "queued done 1.0, waiting active 2.0, starting pending, scanning pending, reading pending, finishing pending")
	row(fleet.StateRunning, 3, 5000, 0)
	figures(5000, fleet.PhaseStarting, 0, 0)
	want(6000, "queued done 1.0, waiting done 4.0, starting active 1.0, scanning pending, reading pending, finishing pending")
	figures(7000, fleet.PhaseScanning, 0.5, 0)
	figures(8000, fleet.PhaseReading, 0.4, 0) // restic counts on after a pause
	figures(9000, fleet.PhaseScanning, 0.3, 0)
	want(9500, "queued done 1.0, waiting done 4.0, starting done 2.0, scanning active 2.5, reading pending, finishing pending")
	figures(10_000, fleet.PhaseReading, 0.3, 5000)
	figures(11_000, fleet.PhaseRetrying, 0.3, 5000)
	want(11_500, "queued done 1.0, waiting done 4.0, starting done 2.0, scanning done 3.0, reading active 1.5, finishing pending")
	figures(20_000, fleet.PhaseReading, 1, 0)
	figures(21_000, fleet.PhaseReading, 1, 0)
	row(fleet.StateSucceeded, 4, 5000, 22_000)
	want(99_000, "queued done 1.0, waiting done 4.0, starting done 2.0, scanning done 3.0, reading done, finishing done")
}

// Who opens the page later is not told what nobody knows.
func TestStepsOfAnEndedBackup(t *testing.T) {
	m := signedIn(hostRow("h1", "web"))
	for name, c := range map[string]struct {
		job  *fleet.Job
		want string
	}{
		"succeeded": {aJob("j", fleet.StateSucceeded), "queued done 2.0, waiting done, starting done, scanning done, reading done, finishing done"},
		"warning":   {aJob("j", fleet.StateWarning), "queued done 2.0, waiting done, starting done, scanning done, reading warned, finishing done"},
		"wrong password": {aJob("j", fleet.StateFailed, func(j *fleet.Job) { j.Outcome.Reason = fleet.ReasonWrongPassword }),
			"queued done 2.0, waiting done, starting failed 58.0, scanning skipped, reading skipped, finishing skipped"},
		"denied while it read": {aJob("j", fleet.StateFailed, func(j *fleet.Job) { j.Outcome.Reason, j.Outcome.Errors = fleet.ReasonRepositoryDenied, 2 }),
			"queued done 2.0, waiting done, starting done, scanning done, reading failed, finishing skipped"},
		"never ran": {aJob("j", fleet.StateFailed, func(j *fleet.Job) { j.StartedAt, j.Outcome.Reason = nil, fleet.ReasonNoSecret }),
			"queued failed 60.0, waiting skipped, starting skipped, scanning skipped, reading skipped, finishing skipped"},
		"cancelled in the queue": {aJob("j", fleet.StateCancelled, func(j *fleet.Job) { j.StartedAt = nil }),
			"queued cancelled 60.0, waiting skipped, starting skipped, scanning skipped, reading skipped, finishing skipped"},
		"restore": {aJob("j", fleet.StateSucceeded, func(j *fleet.Job) { j.Kind = fleet.KindRestore }), "queued done 2.0, waiting done, starting done, reading done"},
		"unlock":  {aJob("j", fleet.StateSucceeded, func(j *fleet.Job) { j.Kind = fleet.KindUnlock }), "queued done 2.0, waiting done, starting done 58.0"},
		"check": {aJob("j", fleet.StateFailed, func(j *fleet.Job) {
			j.Kind = fleet.KindCheck
			j.Outcome.Summary = &fleet.Summary{Check: &fleet.CheckSummary{Errors: 1}}
		}),
			"queued done 2.0, waiting done, starting done, scanning failed"},
	} {
		v := vm.NewJob(m, "j")
		v.Take(model.JobBatch{Job: c.job}, t0)
		if got := words(v.Steps(t0.Add(time.Hour))); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestCancelledWhileItRan(t *testing.T) {
	v := vm.NewJob(signedIn(), "j")
	for i, p := range []fleet.Phase{fleet.PhaseReading, fleet.PhaseStopping, fleet.PhaseUnlocking} {
		v.Take(model.JobBatch{Job: aJob("j", fleet.StateRunning, func(j *fleet.Job) { j.CancelRequested = true }), Progress: []fleet.Progress{{Phase: p, At: t0.Add(time.Duration(10+i) * time.Second)}}}, t0)
	}
	if h, _ := v.Hold(); h != vm.HoldUnlocking {
		t.Error(h)
	}
	v.Take(model.JobBatch{Job: aJob("j", fleet.StateCancelled, func(j *fleet.Job) { j.Rev = 2; *j.FinishedAt = t0.Add(14 * time.Second) })}, t0)
	if got, want := words(v.Steps(t0)), "queued done 2.0, waiting done, starting done, scanning done, reading cancelled, finishing skipped, stopping done 1.0, unlocking done 2.0"; got != want {
		t.Errorf("got %s", got)
	}
}

// The pages' running job: 63 %, a speed, a time that remains, five minutes of throughput.
func TestFiguresOfTheRunningJob(t *testing.T) {
	w := newWorld(t)
	v := w.job(w.d.Scene().Running)
	f := v.Figures(w.d.Now())
	if v.Face() != vm.Full || v.Life() != vm.LifeRunning || !f.Known || !f.Counted || f.Final || f.Percent < 0.5 || f.Percent > 0.75 || f.Remaining <= 0 || len(f.Current) == 0 {
		t.Fatalf("%+v", f)
	}
	if f.Speed < 1<<30 || f.Peak < f.Speed || f.Elapsed < 310*time.Second || f.Elapsed > 320*time.Second {
		t.Errorf("%+v", f)
	}
	series := v.Throughput()
	if len(series) < 290 || len(series) > 300 || slices.Max(series) > 2.5*(1<<30) {
		t.Errorf("%d seconds, at most %.0f", len(series), slices.Max(series))
	}
	later := v.Figures(w.d.Now().Add(4 * time.Second))
	if later.Remaining != f.Remaining-4*time.Second || later.Elapsed != f.Elapsed+4*time.Second {
		t.Errorf("clocks stand still: %+v", later)
	}
	v.Take(model.JobBatch{Link: &model.Connection{Link: model.Lost, RetryAt: w.d.Now(), AsOf: w.d.Now()}}, w.d.Now())
	if lost := v.Figures(w.d.Now().Add(time.Minute)); !v.Stale() || lost.Remaining != f.Remaining || lost.Elapsed != f.Elapsed {
		t.Errorf("a lost job goes on: %+v", lost)
	}
	if l := v.Log(); l.First != 1 || l.Last < 5000 || !l.Live || l.EOF {
		t.Errorf("%+v", l)
	}
	if h, _ := v.Hold(); h != vm.HoldNone {
		t.Error(h)
	}
	if a := v.Actions(); !a.Cancel || a.RunAgain || !a.SaveLog {
		t.Errorf("%+v", a)
	}
	if got := words(v.Steps(w.d.Now())); !strings.HasPrefix(got, "queued done 0.4, waiting done") || !strings.Contains(got, "reading active 31") {
		t.Error(got)
	}
}

// While restic still counts, the share of what it has counted is not shown as the share of the whole.
func TestScanningIsNotCounted(t *testing.T) {
	w := newWorld(t)
	v := w.job(w.d.Scene().Scanning)
	if f := v.Figures(w.d.Now()); f.Counted || !f.Known || f.BytesDone == 0 {
		t.Errorf("%+v", f)
	}
	for range 40 {
		w.d.Advance(time.Second)
		w.follow(w.d.Scene().Scanning, func(b model.JobBatch) { v.Take(b, w.d.Now()) })
	}
	if f := v.Figures(w.d.Now()); !f.Counted || f.Remaining == 0 {
		t.Errorf("%+v", f)
	}
}

func TestHolds(t *testing.T) {
	w := newWorld(t)
	s := w.d.Scene()
	for id, want := range map[fleet.JobID]vm.Hold{s.Queued: vm.HoldHost, s.Waiting: vm.HoldRepository, s.Retrying: vm.HoldRetrying, s.Unknown: vm.HoldContactLost, s.Failed: vm.HoldNone, s.Running: vm.HoldNone} {
		v := w.job(id)
		h, front := v.Hold()
		if h != want || (front != nil) != (h == vm.HoldRepository) || front != nil && front.ID != s.Check {
			t.Errorf("%s: %q, behind %v", id, h, front)
		}
	}
}

func TestVerdicts(t *testing.T) {
	w := newWorld(t)
	s := w.d.Scene()
	for id, want := range map[fleet.JobID]vm.NextStep{s.Succeeded: vm.NextBrowse, s.Warned: vm.NextShowFiles, s.Failed: vm.NextCheckAccess, s.Cancelled: vm.NextRunAgain,
		s.Interrupted: vm.NextRunAgain, s.Lost: vm.NextRunAgain, s.Restored: vm.NextNone} {
		v := w.job(id)
		got, ended := v.Verdict()
		if !ended || got.Next != want || got.State != v.Row().State || (got.Message == "") != (got.State == fleet.StateSucceeded) {
			t.Errorf("%s: %+v", v.Row().State, got)
		}
		if v.Stale() || !v.Log().EOF || !v.Actions().RunAgain {
			t.Errorf("%s: stale %v, %+v", v.Row().State, v.Stale(), v.Actions())
		}
	}
	warned, _ := w.job(s.Warned).Verdict()
	if len(warned.Unreadable) != 3 || warned.ItemErrors != 3 || warned.SnapshotID == "" || !strings.Contains(warned.Unreadable[1], "李雷") {
		t.Errorf("%+v", warned)
	}
	failed, _ := w.job(s.Failed).Verdict()
	if failed.LastGood == nil || !failed.LastGood.Saved() || failed.LastGood.JobID == s.Failed || !failed.Backup {
		t.Errorf("%+v", failed.LastGood)
	}
	restored, _ := w.job(s.Restored).Verdict()
	if restored.RestoredTo == "" || restored.LastGood != nil {
		t.Errorf("%+v", restored)
	}
	if _, ended := w.job(s.Running).Verdict(); ended {
		t.Error("a running job has a verdict")
	}
}

func TestFinalFigures(t *testing.T) {
	w := newWorld(t)
	f := w.job(w.d.Scene().Succeeded).Figures(w.d.Now())
	b := f.Summary.Backup
	if !f.Final || f.Percent != 1 || f.BytesDone != b.TotalBytesProcessed || f.FilesDone != b.TotalFilesProcessed || f.Elapsed.Milliseconds() != b.DurationMS ||
		math.Abs(f.Speed-float64(b.TotalBytesProcessed)/f.Elapsed.Seconds()) > 1 || f.Remaining != 0 {
		t.Errorf("%+v", f)
	}
}

func TestJobFaces(t *testing.T) {
	m := signedIn()
	v := vm.NewJob(m, "gone")
	if v.Face() != vm.Loading {
		t.Error(v.Face())
	}
	v.Take(model.JobBatch{Link: &model.Connection{Link: model.Lost, RetryAt: t0, Err: fault.New(fault.Unavailable, "away")}}, t0)
	if v.Face() != vm.Loading { // it tries again
		t.Error(v.Face())
	}
	v.Take(model.JobBatch{Link: &model.Connection{Link: model.Lost, Err: fault.New(fault.UnknownJob, "no such job")}}, t0)
	if v.Face() != vm.Failed || !v.Unknown() || v.Row() != nil || v.Steps(t0) != nil || v.Actions() != (vm.JobActions{}) {
		t.Error(v.Face())
	}
	if h, _ := v.Hold(); h != vm.HoldNone {
		t.Error(h)
	}
}

// An older row never takes the place of a newer one, whichever way it came.
func TestTheNewestRowWins(t *testing.T) {
	m := signedIn(jobRow(aJob("j", fleet.StateRunning, func(j *fleet.Job) { j.Rev = 5 })))
	v := vm.NewJob(m, "j")
	if c := v.Take(model.JobBatch{Job: aJob("j", fleet.StateQueued, func(j *fleet.Job) { j.Rev = 4 })}, t0); c.Row || v.Row().State != fleet.StateRunning {
		t.Error(c, v.Row().State)
	}
	c := v.Update(m.Apply(model.Batch{Rows: []api.Row{jobRow(aJob("j", fleet.StateSucceeded, func(j *fleet.Job) { j.Rev = 6 }))}}))
	if !c.Row || v.Life() != vm.LifeDone {
		t.Error(c, v.Life())
	}
	if c := v.Take(model.JobBatch{Progress: []fleet.Progress{{Phase: fleet.PhaseReading, At: t0}}}, t0); c.Steps {
		t.Error("an ended job moves")
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	m := signedIn(hostRow("h1", "we\x1b[31mb\u202e"))
	v := vm.NewJob(m, "j")
	v.Take(model.JobBatch{Job: aJob("j", fleet.StateWarning, func(j *fleet.Job) {
		j.CreatedBy = "a\nb"
		j.Outcome.Message, j.Outcome.Unreadable = "x\x00", []string{"/a\u2028b"}
	})}, t0)
	w, _ := v.Verdict()
	if h := v.Header(); strings.ContainsAny(h.Host+h.CreatedBy+w.Message+w.Unreadable[0], "\x1b\n\x00\u202e\u2028") {
		t.Errorf("%+q %+v", h.Host, w)
	}
}
