package control_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestAJobsLife(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.ok(h.JobDispatched(h.ctx, job.ID))
	h.is(job.ID, fleet.StateDispatched)
	h.ok(h.JobDispatched(h.ctx, job.ID)) // sent again
	h.is(job.ID, fleet.StateDispatched)
	h.ok(h.JobAccepted(h.ctx, host.ID, job.ID, fleet.StateAccepted))
	h.is(job.ID, fleet.StateAccepted)
	started := h.clock.Now().Add(3 * time.Hour) // the host's clock is off: it is the host's word
	h.ok(h.JobStarted(h.ctx, host.ID, job.ID, agentwire.JobStarted{At: started}))
	if got := h.job(job.ID); got.State != fleet.StateRunning || !got.StartedAt.Equal(started) {
		t.Fatalf("started: %+v", got)
	}
	h.feed.take()
	m := h.finished(fleet.StateSucceeded)
	m.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: fullID, TotalFilesProcessed: 12, TotalBytesProcessed: 3456, DataAddedPacked: 78}}
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	got := h.job(job.ID)
	if got.State != fleet.StateSucceeded || !got.LogSealed || *got.Outcome.ExitCode != 0 || !got.FinishedAt.Equal(m.Outcome.FinishedAt) {
		t.Fatalf("finished: %+v", got)
	}
	if last := must(h.Host(h.ctx, "web1"))(t).LastJobID; last != job.ID {
		t.Fatalf("the host's last job is %q", last)
	}
	rows := h.feed.take()
	if len(rows) != 3 || rows[0].Job == nil || rows[1].Host == nil || rows[1].Host.LastJobID != job.ID || rows[2].Repository.SnapshotCount != 1 {
		t.Fatalf("published %+v", rows)
	}
	if !h.logs.wasRung(job.ID) {
		t.Fatal("the readers of the job were not rung")
	}
	page := must(h.Snapshots(h.ctx, control.SnapshotFilter{}))(t)
	if len(page.Items) != 1 {
		t.Fatalf("snapshots %+v", page.Items)
	}
	s := page.Items[0]
	if s.ID != fullID || s.JobID != job.ID || s.Hostname != "web1" || s.FilesProcessed != 12 || s.BytesAdded != 78 ||
		!slices.Equal(s.Tags, []string{"job:" + string(job.ID)}) || !slices.Equal(s.Paths, []string{"/home"}) {
		t.Fatalf("snapshot %+v", s)
	}
}

func TestLateAndDoubledMessagesChangeNothing(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	rev := h.job(job.ID).Rev
	h.ok(h.JobAccepted(h.ctx, host.ID, job.ID, fleet.StateAccepted))
	h.ok(h.JobDispatched(h.ctx, job.ID))
	h.ok(h.JobStarted(h.ctx, host.ID, job.ID, agentwire.JobStarted{At: h.clock.Now().Add(time.Hour)}))
	if got := h.job(job.ID); got.Rev != rev || got.State != fleet.StateRunning {
		t.Fatalf("went on from rev %d to %d, %s", rev, got.Rev, got.State)
	}
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, h.finished(fleet.StateWarning)))
	rev = h.job(job.ID).Rev
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, h.finished(fleet.StateFailed)))
	h.ok(h.JobStarted(h.ctx, host.ID, job.ID, agentwire.JobStarted{}))
	h.ok(h.JobAccepted(h.ctx, host.ID, job.ID, fleet.StateRunning))
	h.ok(h.JobRejected(h.ctx, host.ID, job.ID, agentwire.CommandReject{Reason: fleet.ReasonExpired}))
	if got := h.job(job.ID); got.Rev != rev || got.State != fleet.StateWarning || got.Outcome.State != fleet.StateWarning {
		t.Fatalf("a job that is over changed: %+v", got)
	}
}

func TestMessagesThatOvertakeEachOther(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	// job.finished before the acknowledgement was handled.
	job := h.backup(host, repository)
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, h.finished(fleet.StateSucceeded)))
	h.is(job.ID, fleet.StateSucceeded)
	// A job that the agent knew already, and that is over there, is accepted until its end is told.
	job = h.backup(host, repository)
	h.takeTo(job, fleet.StateDispatched)
	h.ok(h.JobAccepted(h.ctx, host.ID, job.ID, fleet.StateFailed))
	h.is(job.ID, fleet.StateAccepted)
	// One that runs there runs here.
	job = h.backup(host, repository)
	h.takeTo(job, fleet.StateDispatched)
	h.ok(h.JobAccepted(h.ctx, host.ID, job.ID, fleet.StateRunning))
	h.is(job.ID, fleet.StateRunning)
}

func TestAnAgentSpeaksOfItsOwnJobsOnly(t *testing.T) {
	h := newHouse(t)
	host, other, repository := h.enrol("web1"), h.enrol("web2"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	list := h.list(host, repository)
	for name, err := range map[string]error{
		"job":       errOf(h.AgentJob(h.ctx, other.ID, job.ID)),
		"accepted":  h.JobAccepted(h.ctx, other.ID, job.ID, fleet.StateAccepted),
		"rejected":  h.JobRejected(h.ctx, other.ID, job.ID, agentwire.CommandReject{}),
		"started":   h.JobStarted(h.ctx, other.ID, job.ID, agentwire.JobStarted{}),
		"finished":  h.JobFinished(h.ctx, other.ID, job.ID, h.finished(fleet.StateFailed)),
		"snapshots": h.SnapshotsReported(h.ctx, other.ID, list.ID, agentwire.SnapshotsReport{RepositoryID: repository.ID, Part: 1, Parts: 1}),
		"unknown":   h.JobStarted(h.ctx, host.ID, "nothing", agentwire.JobStarted{}),
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.refused(err, fault.UnknownJob)
		})
	}
	h.t = t
	h.is(job.ID, fleet.StateRunning)
	if got := must(h.AgentJob(h.ctx, host.ID, job.ID))(t); got.ID != job.ID {
		t.Fatalf("got %+v", got)
	}
	// Its hello does not get at another host's job either.
	welcome, _ := h.connect(other, agentwire.HeldJob{JobID: job.ID, State: fleet.StateFailed})
	if welcome[0].Desired != agentwire.DesireForget {
		t.Fatalf("welcome %+v", welcome)
	}
	h.is(job.ID, fleet.StateRunning)
}

func errOf[T any](_ T, err error) error { return err }

func TestRejectedJob(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateDispatched)
	h.ok(h.JobRejected(h.ctx, host.ID, job.ID, agentwire.CommandReject{Reason: fleet.ReasonPolicyDenied, Message: "Not here.\x00" + strings.Repeat("é", 5000)}))
	got := h.job(job.ID)
	if got.State != fleet.StateFailed || got.Outcome.Reason != fleet.ReasonPolicyDenied || !got.LogSealed || len(got.Outcome.Message) > 4096 {
		t.Fatalf("%+v", got)
	}
	// Without a reason, and when its end was wanted anyway.
	job = h.backup(host, repository)
	h.takeTo(job, fleet.StateDispatched)
	h.ok(h.JobRejected(h.ctx, host.ID, job.ID, agentwire.CommandReject{}))
	if got := h.job(job.ID); got.Outcome.Reason != fleet.ReasonRejected {
		t.Fatalf("%+v", got.Outcome)
	}
	job = h.backup(host, repository)
	h.takeTo(job, fleet.StateDispatched)
	must(h.CancelJob(h.ctx, h.admin, job.ID))(t)
	h.ok(h.JobRejected(h.ctx, host.ID, job.ID, agentwire.CommandReject{Reason: fleet.ReasonExpired}))
	h.is(job.ID, fleet.StateCancelled)
}

func TestTheLogIsSealedBeforeTheEndIsCommitted(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	m := h.finished(fleet.StateSucceeded)
	m.Log = fleet.LogPosition{LastSeq: 10, Bytes: 200, CRC32C: 1}

	// Lines are missing: no end, so that the agent sends them.
	h.logs.set(job.ID, fleet.LogPosition{LastSeq: 8, Bytes: 160, CRC32C: 2})
	h.refused(h.JobFinished(h.ctx, host.ID, job.ID, m), fault.Conflict)
	h.is(job.ID, fleet.StateRunning)

	// The store of the log fails: no end either.
	h.logs.broken = errors.New("disk on fire")
	if err := h.JobFinished(h.ctx, host.ID, job.ID, m); !errors.Is(err, h.logs.broken) {
		t.Fatalf("got %v", err)
	}
	h.logs.broken = nil
	h.is(job.ID, fleet.StateRunning)

	// While the log is being sealed the end is not visible yet.
	h.logs.set(job.ID, m.Log)
	sealed := false
	h.logs.onSeal = func() { sealed = true; h.is(job.ID, fleet.StateRunning) }
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	if got := h.job(job.ID); !sealed || got.State != fleet.StateSucceeded || !got.LogSealed || got.Log != m.Log {
		t.Fatalf("%+v", got)
	}
}

func TestALogThatDiffersIsKeptUnsealedAndMayBecomeWhole(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	m := h.finished(fleet.StateSucceeded)
	m.Log = fleet.LogPosition{LastSeq: 10, Bytes: 200, CRC32C: 1}
	other := fleet.LogPosition{LastSeq: 10, Bytes: 200, CRC32C: 2}
	h.logs.set(job.ID, other)
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	if got := h.job(job.ID); got.State != fleet.StateSucceeded || got.LogSealed || got.Log != other {
		t.Fatalf("%+v", got)
	}
	h.logs.set(job.ID, m.Log)
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	if got := h.job(job.ID); !got.LogSealed || got.Log != m.Log {
		t.Fatalf("%+v", got)
	}
}

func TestAnEndThatIsNone(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	for _, state := range []fleet.JobState{"", "done", fleet.StateRunning, fleet.StateQueued, fleet.StateLost, fleet.StateUnknown} {
		h.refused(h.JobFinished(h.ctx, host.ID, job.ID, h.finished(state)), fault.Protocol)
	}
	h.refused(h.JobAccepted(h.ctx, host.ID, job.ID, "done"), fault.Protocol)
	h.is(job.ID, fleet.StateRunning)
	// What an agent puts into the store is bounded.
	m := h.finished(fleet.StateFailed)
	m.Outcome.Message = strings.Repeat("x", 1<<20)
	for range 1000 {
		m.Outcome.Unreadable = append(m.Outcome.Unreadable, strings.Repeat("y\xff", 5000))
	}
	m.Outcome.Summary = &fleet.Summary{Check: &fleet.CheckSummary{BrokenPacks: make([]string, 5000)}}
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	o := h.job(job.ID).Outcome
	if len(o.Message) != 4096 || len(o.Unreadable) != fleet.MaxUnreadable || len(o.Unreadable[0]) > 4096 || len(o.Summary.Check.BrokenPacks) != 1000 {
		t.Fatalf("kept %d, %d, %d", len(o.Message), len(o.Unreadable), len(o.Summary.Check.BrokenPacks))
	}
	if len(m.Outcome.Unreadable) != 1000 || len(m.Outcome.Summary.Check.BrokenPacks) != 5000 {
		t.Fatal("the message itself was changed")
	}
}

func TestAnEndedContextCommitsNothing(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	h.feed.take()
	ctx, cancel := context.WithCancel(h.ctx)
	h.logs.onSeal = cancel
	if err := h.JobFinished(ctx, host.ID, job.ID, h.finished(fleet.StateFailed)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	h.is(job.ID, fleet.StateRunning)
	if rows := h.feed.take(); len(rows) != 0 {
		t.Fatalf("published %v", rows)
	}
}

func TestSnapshotReports(t *testing.T) {
	h := newHouse(t)
	host, main, second := h.enrol("web1"), h.repository("main"), h.repository("second")
	id := func(c string) string { return c + fullID[1:] }
	report := func(job fleet.Job, part, parts int, ids ...string) error {
		r := agentwire.SnapshotsReport{RepositoryID: job.RepositoryID, Part: part, Parts: parts}
		for _, v := range ids {
			r.Snapshots = append(r.Snapshots, fleet.Snapshot{ID: fleet.SnapshotID(v), Time: h.clock.Now(), Hostname: "web1", Paths: []string{"/a"},
				Tags: []string{"job:J1", "x,y", ""}, Parent: "nonsense"})
		}
		return h.SnapshotsReported(h.ctx, host.ID, job.ID, r)
	}
	has := func(want ...string) {
		t.Helper()
		var got []string
		for _, s := range must(h.Snapshots(h.ctx, control.SnapshotFilter{RepositoryID: main.ID}))(t).Items {
			got = append(got, string(s.ID[:1]))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("snapshots %v, want %v", got, want)
		}
	}
	h.list(host, second, id("9"))
	h.list(host, main, id("a"), id("b"))
	has("a", "b")

	// In parts: what is gone goes only with the last part, in whichever order they come, and doubled ones do no harm.
	job := h.list(host, main, id("a"), id("b"))
	old := job
	job = must(h.StartJob(h.ctx, h.admin, "web1", listRequest(), ""))(t)
	h.ok(report(job, 3, 3, id("c")))
	h.ok(report(job, 3, 3, id("c")))
	h.ok(report(job, 1, 3, id("d")))
	has("a", "b", "c", "d")
	// A backup that ends meanwhile makes a snapshot which the listing cannot know.
	backup := h.backup(host, main)
	m := h.finished(fleet.StateSucceeded)
	m.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: fleet.SnapshotID(id("e"))}}
	h.ok(h.JobFinished(h.ctx, host.ID, backup.ID, m))
	h.ok(report(job, 2, 3))
	has("c", "d", "e")
	// A listing from before, sent late, brings nothing back.
	h.ok(report(old, 1, 1, id("a")))
	has("c", "d", "e")
	h.ok(report(job, 1, 1, id("a"))) // nor does this one again
	has("c", "d", "e")
	if n := len(must(h.Snapshots(h.ctx, control.SnapshotFilter{RepositoryID: "second"}))(t).Items); n != 1 {
		t.Fatalf("%d snapshots of the other repository", n)
	}
	s := must(h.Snapshots(h.ctx, control.SnapshotFilter{RepositoryID: main.ID, Tag: "job:J1"}))(t).Items
	if len(s) != 2 || s[0].JobID != "J1" || s[0].Parent != "" || !slices.Equal(s[0].Tags, []string{"job:J1"}) {
		t.Fatalf("by tag: %+v", s)
	}
	// A later listing completes what the backup's summary said, and keeps its figures.
	h.list(host, main, id("c"), id("d"), id("e"))
	has("c", "d", "e")
	h.list(host, main)
	has()
}

func TestSnapshotReportsThatAreRefused(t *testing.T) {
	h := newHouse(t)
	host, main, second := h.enrol("web1"), h.repository("main"), h.repository("second")
	job := must(h.StartJob(h.ctx, h.admin, "web1", listRequest(), ""))(t)
	backup := h.backup(host, main)
	for name, v := range map[string]struct {
		job    fleet.JobID
		report agentwire.SnapshotsReport
	}{
		"part 0":           {job.ID, agentwire.SnapshotsReport{RepositoryID: main.ID, Part: 0, Parts: 1}},
		"part 2 of 1":      {job.ID, agentwire.SnapshotsReport{RepositoryID: main.ID, Part: 2, Parts: 1}},
		"other repository": {job.ID, agentwire.SnapshotsReport{RepositoryID: second.ID, Part: 1, Parts: 1}},
		"other kind":       {backup.ID, agentwire.SnapshotsReport{RepositoryID: main.ID, Part: 1, Parts: 1}},
		"bad id": {job.ID, agentwire.SnapshotsReport{RepositoryID: main.ID, Part: 1, Parts: 1,
			Snapshots: []fleet.Snapshot{{ID: "../../etc"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.refused(h.SnapshotsReported(h.ctx, host.ID, v.job, v.report), fault.Protocol)
		})
	}
}

func TestSnapshotPages(t *testing.T) {
	h := newHouse(t)
	host, main, second := h.enrol("web1"), h.repository("main"), h.repository("second")
	var ids []string
	for _, c := range "0123456789abcdef" {
		ids = append(ids, string(c)+fullID[1:])
	}
	h.list(host, main, ids...)
	h.list(host, second, ids[:3]...)
	for name, filter := range map[string]control.SnapshotFilter{
		"all": {}, "repository": {RepositoryID: "main"}, "host": {Hostname: "web1"}, "host and repository": {RepositoryID: "main", Hostname: "web1"},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			filter.Limit = 4
			seen := map[string]bool{}
			var last time.Time
			for {
				page := must(h.Snapshots(h.ctx, filter))(t)
				for _, s := range page.Items {
					key := string(s.RepositoryID) + string(s.ID)
					if seen[key] || !last.IsZero() && s.Time.After(last) {
						t.Fatalf("%s doubled or out of order", key)
					}
					seen[key], last = true, s.Time
				}
				if filter.Cursor = page.Next; filter.Cursor == "" {
					break
				}
			}
			want := 16
			if filter.RepositoryID == "" {
				want = 19
			}
			if len(seen) != want {
				t.Fatalf("%d snapshots, want %d", len(seen), want)
			}
		})
	}
	h.t = t
	for _, f := range []control.SnapshotFilter{{Cursor: "%%"}, {Cursor: "YQ"}, {Limit: -1}, {Tag: strings.Repeat("x", 300)}} {
		_, err := h.Snapshots(h.ctx, f)
		h.refused(err, fault.InvalidInput)
	}
	_, err := h.Snapshots(h.ctx, control.SnapshotFilter{RepositoryID: "x"})
	h.refused(err, fault.UnknownRepository)
}
