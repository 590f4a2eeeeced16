package agentws_test

import (
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func TestAJobThatAnAgentBeganIsAdoptedAndItsLogTaken(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("web1")
	pattern := w.backup(m.host) // for its repository
	l := w.connect(m, "i1")
	if got := l.welcome.Capabilities; len(got) != 1 || got[0] != agentwire.CapabilitySchedules {
		t.Fatalf("the daemon can %v", got)
	}
	id := fleet.SlotID("P1", m.host, time.Unix(1_800_000_000, 0))
	spec := pattern.Spec
	spec.JobID, spec.PlanID = id, "P1"
	l.send(agentwire.TypeJobScheduled, "", id, agentwire.JobScheduled{Job: agentwire.HeldJob{JobID: id, State: fleet.StateRunning, Spec: &spec}})
	e := l.await(agentwire.TypeJobAdopted)
	if a := payload[agentwire.JobAdopted](t, e); e.JobID != id || a.JobID != id || a.DurableSeq != 0 || a.Desired != agentwire.DesireRun {
		t.Fatalf("%s %+v", e.JobID, a)
	}
	lines, at := texts(1, 20)
	l.send(agentwire.TypeLogStream, "", id, agentwire.LogStream{FirstSeq: 1, Lines: lines})
	l.send(agentwire.TypeJobFinished, "", id, agentwire.JobFinished{Outcome: fleet.Outcome{State: fleet.StateSucceeded, FinishedAt: time.Now()}, Log: at})
	for {
		if a := payload[agentwire.Ack](t, l.await(agentwire.TypeAck)); a.Finished {
			break
		}
	}
	if j := w.job(id); j.State != fleet.StateSucceeded || !j.LogSealed || j.CreatedBy != "schedule" || j.PlanID != "P1" {
		t.Fatalf("%+v", j)
	}
	w.wantLog(id, 20)

	// A job that the host may not have begun is not taken up, and the session goes on.
	foreign := fleet.SlotID("P1", "H9", time.Unix(1_800_000_000, 0))
	spec.JobID = foreign
	l.send(agentwire.TypeJobScheduled, "", foreign, agentwire.JobScheduled{Job: agentwire.HeldJob{JobID: foreign, State: fleet.StateRunning, Spec: &spec}})
	l.send(agentwire.TypeJobScheduled, "", "other", agentwire.JobScheduled{Job: agentwire.HeldJob{JobID: id, State: fleet.StateRunning, Spec: &spec}})
	spec.JobID = id
	l.send(agentwire.TypeJobScheduled, "", id, agentwire.JobScheduled{Job: agentwire.HeldJob{JobID: id, State: fleet.StateSucceeded, LastSeq: 20, Spec: &spec}})
	if a := payload[agentwire.JobAdopted](t, l.await(agentwire.TypeJobAdopted)); a.JobID != id || a.Desired != agentwire.DesireForget || a.DurableSeq != 20 {
		t.Fatalf("a slot that has run: %+v", a)
	}
	if _, err := w.Job(t.Context(), foreign); err == nil {
		t.Fatal("a job of another host was taken up")
	}
}

func TestAScheduledJobIsCancelledLikeAnyOther(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("web1")
	spec := w.backup(m.host).Spec
	l := w.connect(m, "i1")
	id := fleet.SlotID("P1", m.host, time.Unix(1_800_000_000, 0))
	spec.JobID = id
	l.send(agentwire.TypeJobScheduled, "", id, agentwire.JobScheduled{Job: agentwire.HeldJob{JobID: id, State: fleet.StateRunning, Spec: &spec}})
	l.await(agentwire.TypeJobAdopted)
	if _, err := w.CancelJob(t.Context(), w.admin, id); err != nil {
		t.Fatal(err)
	}
	if e := l.await(agentwire.TypeCommandCancel); e.JobID != id {
		t.Fatalf("%s is cancelled", e.JobID)
	}
}
