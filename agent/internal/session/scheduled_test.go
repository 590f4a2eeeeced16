package session_test

import (
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

var slotID = fleet.SlotID("P1", "H1", time.Date(2026, 11, 24, 2, 30, 0, 0, time.UTC))

func adopting(w *agentwire.Welcome) { w.Capabilities = []string{agentwire.CapabilitySchedules} }

func TestAJobThatTheHostBeganIsNamedBeforeAnythingOfItIsSent(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d).start(t)
	p := d.welcomed(t, adopting)
	await(t, "connected", func() bool { return a.state(t) == nil })
	a.jobs.add(slotID, 5)
	e, m := expect[agentwire.JobScheduled](t, p, agentwire.TypeJobScheduled)
	if e.JobID != slotID || m.Job.JobID != slotID || m.Job.State != fleet.StateRunning || m.Job.Spec == nil || m.Job.Spec.JobID != slotID {
		t.Fatalf("%s %+v", e.JobID, m)
	}
	p.silent(t)
	a.jobs.add("another", 0) // whatever else happens, it is named once
	expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
	p.silent(t)
	p.send(t, agentwire.TypeJobAdopted, "", slotID, agentwire.JobAdopted{WelcomeJob: agentwire.WelcomeJob{JobID: slotID, DurableSeq: 2, Desired: agentwire.DesireRun}})
	if e, _ := expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted); e.JobID != slotID {
		t.Fatalf("%s was started", e.JobID)
	}
	p.lines(t, slotID, 2, 5)
}

func TestAScheduledJobThatIsNotWantedIsCancelledOrForgotten(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d).start(t)
	p := d.welcomed(t, adopting)
	a.jobs.add(slotID, 1)
	expect[agentwire.JobScheduled](t, p, agentwire.TypeJobScheduled)
	p.send(t, agentwire.TypeJobAdopted, "", slotID, agentwire.JobAdopted{WelcomeJob: agentwire.WelcomeJob{JobID: slotID, Desired: agentwire.DesireCancel}})
	await(t, "the job is cancelled", func() bool {
		a.jobs.mu.Lock()
		defer a.jobs.mu.Unlock()
		return len(a.jobs.cancels) == 1
	})
	expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
	p.lines(t, slotID, 0, 1)

	other := fleet.SlotID("P2", "H1", time.Unix(1_800_000_000, 0))
	j := a.jobs.addEnded(other, 3)
	expect[agentwire.JobScheduled](t, p, agentwire.TypeJobScheduled)
	p.send(t, agentwire.TypeJobAdopted, "", other, agentwire.JobAdopted{WelcomeJob: agentwire.WelcomeJob{JobID: other, Desired: agentwire.DesireForget}})
	await(t, "the job is forgotten", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.held.Acked
	})
	p.silent(t)
}

func TestADaemonThatDoesNotAdoptLearnsOfScheduledJobsInHello(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d).start(t)
	p := d.welcomed(t)
	await(t, "connected", func() bool { return a.state(t) == nil })
	a.jobs.add(slotID, 3)
	if e, _ := expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted); e.JobID != slotID { // which means nothing to it
		t.Fatalf("%s was started", e.JobID)
	}
	p.conn.CloseNow()
	p = d.welcomed(t)
	if len(p.hello.Jobs) != 1 || p.hello.Jobs[0].JobID != slotID || p.hello.Jobs[0].Spec == nil {
		t.Fatalf("hello names %+v", p.hello.Jobs)
	}
	expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
	p.lines(t, slotID, 0, 3)
}

func TestAnAnswerAboutAnotherJobEndsTheSession(t *testing.T) {
	d := newDaemon(t)
	newAgent(t, d).start(t)
	p := d.welcomed(t, adopting)
	p.send(t, agentwire.TypeJobAdopted, "", slotID, agentwire.JobAdopted{WelcomeJob: agentwire.WelcomeJob{JobID: "other", Desired: agentwire.DesireRun}})
	if code := p.ended(t); code != wsconn.CloseProtocol {
		t.Errorf("closed with %d", code)
	}
	d.next(t) // and comes back
}
