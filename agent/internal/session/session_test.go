package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func at(id fleet.JobID, durable int64, desired agentwire.Desire) func(*agentwire.Welcome) {
	return func(w *agentwire.Welcome) {
		for i := range w.Jobs {
			if w.Jobs[i].JobID == id {
				w.Jobs[i].DurableSeq, w.Jobs[i].Desired = durable, desired
			}
		}
	}
}

func TestHelloSaysWhatTheHostHolds(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.jobs.add("j1", 5)
	a.jobs.addEnded("j2", 3)
	a.start(t)
	p := d.next(t)
	h := p.hello
	if h.AgentID != agentID || h.Incarnation != "incarnation-1" || h.Facts.Hostname != "h" || h.Clock.IsZero() || len(h.Jobs) != 2 {
		t.Fatalf("hello %+v", h)
	}
	if j := h.Jobs[0]; j.JobID != "j1" || j.State != fleet.StateRunning || j.LastSeq != 5 || j.Acked || j.Spec == nil || j.Spec.Repository.ID != "repo" {
		t.Fatalf("first job %+v", j)
	}
	select {
	case err := <-a.states:
		t.Fatalf("connected before the welcome: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	p.send(t, agentwire.TypeWelcome, "", "", agentwire.Welcome{Session: "1"})
	if err := a.state(t); err != nil {
		t.Fatalf("after the welcome: %v", err)
	}
}

func TestAJobGoesWholeAndInOrder(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 2000)
	a.start(t)
	p := d.welcomed(t)
	e, started := expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
	if e.JobID != "j1" || started.ResticVersion != "0.19.1" {
		t.Fatalf("started %+v of %s", started, e.JobID)
	}
	p.lines(t, "j1", 0, 2000)
	j.print(1)
	p.lines(t, "j1", 2000, 2001)
	j.print(3000)
	j.end(fleet.StateWarning)
	p.lines(t, "j1", 2001, 5001)
	e, finished := expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	if e.JobID != "j1" || finished.Outcome.State != fleet.StateWarning || finished.Log != j.finished.Log || finished.Log.LastSeq != 5001 {
		t.Fatalf("finished %+v", finished)
	}
	p.silent(t)
	p.send(t, agentwire.TypeAck, "", "j1", agentwire.Ack{Seq: 5001, Finished: true})
	await(t, "acknowledged", j.isAcked)
	if now, _ := a.jobs.opened(); now != 0 {
		t.Fatalf("%d logs are open", now)
	}
}

func TestResumeFromTheDurableLine(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.jobs.add("j1", 5000)
	a.start(t)
	p := d.welcomed(t, at("j1", 4321, agentwire.DesireRun))
	p.read(t) // job.started
	p.lines(t, "j1", 4321, 5000)
	p.conn.CloseNow()
	p = d.welcomed(t, at("j1", 10, agentwire.DesireRun))
	p.read(t)
	p.lines(t, "j1", 10, 5000)
}

func TestTheEndIsSentInEachSessionUntilAcknowledged(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 10)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	p.lines(t, "j1", 0, 10)
	p.conn.CloseNow()
	p = d.next(t)
	p.conn.CloseNow()           // before the welcome
	j.end(fleet.StateSucceeded) // while the connection is down
	for range 3 {
		p = d.next(t)
		if len(p.hello.Jobs) == 1 && !p.hello.Jobs[0].State.Ended() {
			p.conn.CloseNow() // hello was on its way already
			p = d.next(t)
		}
		p.send(t, agentwire.TypeWelcome, "", "", agentwire.Welcome{CreditBytes: 1000, Jobs: []agentwire.WelcomeJob{{JobID: "j1", DurableSeq: 10, Desired: agentwire.DesireRun}}})
		p.read(t) // job.started
		expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
		p.conn.CloseNow()
	}
	if j.isAcked() {
		t.Fatal("acknowledged by nobody")
	}
	p = d.welcomed(t, at("j1", 10, agentwire.DesireRun))
	p.read(t)
	p.read(t)
	p.send(t, agentwire.TypeAck, "", "j1", agentwire.Ack{Seq: 10, Finished: true})
	await(t, "acknowledged", j.isAcked)
	p.conn.CloseNow()
	d.welcomed(t, at("j1", 10, agentwire.DesireForget)).silent(t)
}

// TestALostLastAcknowledgementIsMadeUpFor: the daemon says forget, and only then may the host give the job's files up.
func TestALostLastAcknowledgementIsMadeUpFor(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	whole, running, foreign := a.jobs.addEnded("whole", 10), a.jobs.add("running", 10), a.jobs.addEnded("foreign", 10)
	huge := a.jobs.addEnded("huge", 10) // its specification does not fit: this daemon never saw the job
	huge.change(func(j *fakeJob) { j.held.Spec.Backup.Excludes = []string{strings.Repeat("x", 100<<10)} })
	a.start(t)
	p := d.welcomed(t, at("whole", 10, agentwire.DesireForget), at("running", 0, agentwire.DesireForget),
		at("foreign", 0, agentwire.DesireForget), at("huge", 0, agentwire.DesireForget))
	await(t, "acknowledged", func() bool { return whole.isAcked() && foreign.isAcked() })
	p.silent(t)
	if running.isAcked() || huge.isAcked() {
		t.Fatal("a job was given up that runs, or that the daemon could not know")
	}
	running.end(fleet.StateFailed)
	await(t, "acknowledged once ended", running.isAcked)
	p.silent(t)
}

func TestNackSendsAgain(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 3000)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	p.lines(t, "j1", 0, 3000)
	p.send(t, agentwire.TypeNack, "", "j1", agentwire.Nack{Expect: 1234})
	p.lines(t, "j1", 1233, 3000)
	p.send(t, agentwire.TypeNack, "", "j1", agentwire.Nack{Expect: 9999}) // of lines that there are not
	p.silent(t)
	p.send(t, agentwire.TypeNack, "", "other", agentwire.Nack{Expect: 1})
	p.send(t, agentwire.TypeNack, "", "j1", agentwire.Nack{Expect: -5})
	p.lines(t, "j1", 0, 3000)
	j.end(fleet.StateSucceeded)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	p.send(t, agentwire.TypeNack, "", "j1", agentwire.Nack{Expect: 3000})
	p.lines(t, "j1", 2999, 3000)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	// The daemon has all lines by now and asks for the end alone.
	p.send(t, agentwire.TypeNack, "", "j1", agentwire.Nack{Expect: 3001})
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
}

// TestNackThatOvertakesTheSender: the nack of a frame may be handled before the agent's own Write of it returns; again and again
// that must leave no hole.
func TestNackThatOvertakesTheSender(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d, func(c *session.Config) { c.MinSpacing = time.Nanosecond })
	j := a.jobs.add("j1", 0)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	for n := int64(1); n <= 300; n++ {
		j.print(1)
		p.lines(t, "j1", n-1, n)
		p.send(t, agentwire.TypeNack, "", "j1", agentwire.Nack{Expect: n}) // dropped: send it again
		p.lines(t, "j1", n-1, n)
	}
}

func TestProgressIsTheLatestAndOnceASecond(t *testing.T) {
	t.Parallel()
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 0)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	began := time.Now()
	j.setProgress(1)
	_, first := expect[fleet.Progress](t, p, agentwire.TypeJobProgress)
	if first.FilesDone != 1 || time.Since(began) > 500*time.Millisecond {
		t.Fatalf("first progress %+v after %v", first, time.Since(began))
	}
	for n := int64(2); n <= 500; n++ {
		j.setProgress(n)
	}
	_, second := expect[fleet.Progress](t, p, agentwire.TypeJobProgress)
	if since := time.Since(began); second.FilesDone != 500 || since < 900*time.Millisecond {
		t.Fatalf("second progress %+v after %v", second, since)
	}
	j.setProgress(501)
	j.end(fleet.StateSucceeded)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished) // what counts is there
	p.silent(t)
}

func TestSnapshotsAreReportedInPartsBeforeTheEnd(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 3)
	for i := range 450 {
		j.snapshots = append(j.snapshots, fleet.Snapshot{ID: fleet.SnapshotID(fmt.Sprintf("%064d", i)), Paths: []string{"/home"}})
	}
	j.listed = true
	j.end(fleet.StateSucceeded)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	p.lines(t, "j1", 0, 3)
	n := 0
	for part := 1; part <= 3; part++ {
		e, r := expect[agentwire.SnapshotsReport](t, p, agentwire.TypeSnapshotsReport)
		if e.JobID != "j1" || r.RepositoryID != "repo" || r.Part != part || r.Parts != 3 {
			t.Fatalf("part %d of %d of %s", r.Part, r.Parts, r.RepositoryID)
		}
		for _, s := range r.Snapshots {
			if s.ID != j.snapshots[n].ID {
				t.Fatalf("snapshot %d is %s", n, s.ID)
			}
			n++
		}
	}
	if n != 450 {
		t.Fatalf("%d snapshots", n)
	}
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
}

func TestAnEmptyListingIsReported(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.jobs.add("j1", 0).listed = true
	a.jobs.find("j1").end(fleet.StateSucceeded)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	_, r := expect[agentwire.SnapshotsReport](t, p, agentwire.TypeSnapshotsReport)
	if r.Part != 1 || r.Parts != 1 || len(r.Snapshots) != 0 {
		t.Fatalf("%+v", r)
	}
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
}
