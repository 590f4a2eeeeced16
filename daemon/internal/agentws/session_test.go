package agentws_test

import (
	"context"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// TestAJobFromTheQueueToItsEnd is the main road: queued, sent, acknowledged, started, its log, its end.
func TestAJobFromTheQueueToItsEnd(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	l := w.connect(m, "one")
	if l.welcome.HeartbeatMS != 15000 || l.welcome.CreditBytes != 1<<20 || l.welcome.Epoch != w.Epoch() || len(l.welcome.Jobs) != 0 {
		t.Fatalf("%+v", l.welcome)
	}
	l.send(agentwire.TypePlanAck, "", "", agentwire.PlanAck{Version: payload[agentwire.ConfigUpdate](t, l.await(agentwire.TypeConfigUpdate)).Version})

	j := w.backup(m.host)
	e := l.await(agentwire.TypeCommandRun)
	run, err := agentwire.StrictPayload[agentwire.CommandRun](e)
	if err != nil || e.JobID != j.ID || run.Spec.JobID != j.ID || run.StartWithinMS <= 0 {
		t.Fatalf("%+v %v", run, err)
	}
	if s := w.job(j.ID).State; s != fleet.StateDispatched {
		t.Fatalf("state %s", s)
	}
	l.send(agentwire.TypeCommandAck, "", j.ID, agentwire.CommandAck{State: fleet.StateAccepted})
	l.send(agentwire.TypeJobStarted, "", j.ID, agentwire.JobStarted{At: time.Now()})
	lines, at := texts(1, 100)
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 1, Lines: lines})
	l.send(agentwire.TypeJobProgress, "", j.ID, fleet.Progress{Phase: fleet.PhaseReading, Percent: 0.5})
	l.send(agentwire.TypeJobFinished, "", j.ID, succeeded(at))
	for {
		if a := payload[agentwire.Ack](t, l.await(agentwire.TypeAck)); a.Finished {
			if a.Seq != 100 {
				t.Fatalf("%+v", a)
			}
			break
		}
	}
	got := w.job(j.ID)
	if got.State != fleet.StateSucceeded || !got.LogSealed || got.Log != at || got.StartedAt == nil {
		t.Fatalf("%+v", got)
	}
	w.wantLog(j.ID, 100)
	tail := w.logs.Tail(j.ID)
	defer tail.Close()
	if p, ok := tail.Progress(); !ok || p.Percent != 0.5 {
		t.Fatalf("progress %+v %v", p, ok)
	}
}

// TestAnAckMeansOnDisk: what is acknowledged is what Durable says, and credit comes back with it.
func TestAnAckMeansOnDisk(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	j := w.backup(m.host)
	l := w.connect(m, "one")
	l.await(agentwire.TypeCommandRun)
	lines, _ := texts(1, 10)
	var bytes int64
	for _, v := range lines {
		bytes += int64(len(v.Text))
	}
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 1, Lines: lines})
	if a := payload[agentwire.Ack](t, l.await(agentwire.TypeAck)); a.Seq != 10 || a.Finished {
		t.Fatalf("%+v", a)
	}
	if c := payload[agentwire.Credit](t, l.await(agentwire.TypeCredit)); c.Bytes != bytes {
		t.Fatalf("credit %d, want %d", c.Bytes, bytes)
	}
	if pos, err := w.logs.Durable(t.Context(), j.ID); err != nil || pos.LastSeq != 10 {
		t.Fatalf("%+v %v", pos, err)
	}
	// The same again, and an overlap: trimmed, acknowledged, paid back.
	more, _ := texts(5, 12)
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 1, Lines: lines})
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 5, Lines: more})
	for _, v := range more {
		bytes += int64(len(v.Text))
	}
	back := int64(0)
	for back < bytes {
		back += payload[agentwire.Credit](t, l.await(agentwire.TypeCredit)).Bytes
	}
	if back != bytes {
		t.Fatalf("credit %d, want %d", back, bytes)
	}
	w.wantLog(j.ID, 12)
}

func TestAGapIsAskedForOnce(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	j := w.backup(m.host)
	l := w.connect(m, "one")
	l.await(agentwire.TypeCommandRun)
	first, _ := texts(1, 5)
	late, _ := texts(8, 9)
	later, _ := texts(10, 12)
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 1, Lines: first})
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 8, Lines: late})
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 10, Lines: later})
	if n := payload[agentwire.Nack](t, l.await(agentwire.TypeNack)); n.Expect != 6 {
		t.Fatalf("%+v", n)
	}
	all, at := texts(6, 12)
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 6, Lines: all})
	l.send(agentwire.TypeJobFinished, "", j.ID, succeeded(at))
	for done := false; !done; {
		e, ok := <-l.in
		if !ok || e.Type == agentwire.TypeNack {
			t.Fatalf("%v %+v", l.err, e)
		}
		done = e.Type == agentwire.TypeAck && payload[agentwire.Ack](t, e).Finished
	}
	w.wantLog(j.ID, 12)
}

// TestAnEndBeforeItsLinesIsNotTaken: the daemon asks for the lines, and takes the end after them.
func TestAnEndBeforeItsLinesIsNotTaken(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	j := w.backup(m.host)
	l := w.connect(m, "one")
	l.await(agentwire.TypeCommandRun)
	lines, at := texts(1, 7)
	l.send(agentwire.TypeJobFinished, "", j.ID, succeeded(at))
	if n := payload[agentwire.Nack](t, l.await(agentwire.TypeNack)); n.Expect != 1 {
		t.Fatalf("%+v", n)
	}
	if s := w.job(j.ID).State; s.Ended() {
		t.Fatalf("state %s", s)
	}
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 1, Lines: lines})
	l.send(agentwire.TypeJobFinished, "", j.ID, succeeded(at))
	for !payload[agentwire.Ack](t, l.await(agentwire.TypeAck)).Finished {
	}
	if s := w.job(j.ID).State; s != fleet.StateSucceeded {
		t.Fatalf("state %s", s)
	}
}

func TestJobsOfAnotherHostAreOutOfReach(t *testing.T) {
	w := newWorld(t, settings{})
	mine, other := w.enrol("alpha"), w.enrol("beta")
	j := w.backup(other.host)
	l := w.connect(mine, "one")
	lines, at := texts(1, 3)
	l.send(agentwire.TypeLogStream, "", j.ID, agentwire.LogStream{FirstSeq: 1, Lines: lines})
	l.send(agentwire.TypeJobProgress, "", j.ID, fleet.Progress{Percent: 0.9})
	l.send(agentwire.TypeCommandAck, "", j.ID, agentwire.CommandAck{State: fleet.StateRunning})
	l.send(agentwire.TypeCommandReject, "", j.ID, agentwire.CommandReject{Reason: fleet.ReasonRejected})
	l.send(agentwire.TypeJobStarted, "", j.ID, agentwire.JobStarted{At: time.Now()})
	l.send(agentwire.TypeJobFinished, "", j.ID, succeeded(at))
	l.send(agentwire.TypeSnapshotsReport, "", j.ID, agentwire.SnapshotsReport{Part: 1, Parts: 1})
	if c := payload[agentwire.Credit](t, l.await(agentwire.TypeCredit)); c.Bytes == 0 {
		t.Fatal("no credit for what was dropped")
	}
	own := w.backup(mine.host) // the lane keeps its order: when this is done, all of the above is
	l.await(agentwire.TypeCommandRun)
	l.send(agentwire.TypeCommandAck, "", own.ID, agentwire.CommandAck{State: fleet.StateAccepted})
	sharedtest.Eventually(t, 10*time.Second, "own job accepted", func() bool { return w.job(own.ID).State == fleet.StateAccepted })
	if got := w.job(j.ID); got.State != fleet.StateQueued || got.StartedAt != nil {
		t.Fatalf("%+v", got)
	}
	if pos, err := w.logs.Durable(t.Context(), j.ID); err != nil || pos.LastSeq != 0 {
		t.Fatalf("%+v %v", pos, err)
	}
	tail := w.logs.Tail(j.ID)
	defer tail.Close()
	if _, ok := tail.Progress(); ok {
		t.Fatal("progress was taken")
	}
}

func TestWhatIsNotConfirmedIsSentAgain(t *testing.T) {
	w := newWorld(t, settings{dispatch: dispatch.Config{Resend: 50 * time.Millisecond}})
	m := w.enrol("alpha")
	j := w.backup(m.host) // before the host was ever there
	l := w.connect(m, "one")
	for range 3 {
		if e := l.await(agentwire.TypeCommandRun); e.JobID != j.ID {
			t.Fatalf("%+v", e)
		}
	}
	l.close()
	sharedtest.Eventually(t, 10*time.Second, "offline", func() bool { return !w.dispatch.Online(m.host) })
	l = w.connect(m, "one")
	l.await(agentwire.TypeCommandRun)
	l.send(agentwire.TypeCommandAck, "", j.ID, agentwire.CommandAck{State: fleet.StateRunning})
	sharedtest.Eventually(t, 10*time.Second, "running", func() bool { return w.job(j.ID).State == fleet.StateRunning })

	if _, err := w.CancelJob(t.Context(), w.admin, j.ID); err != nil {
		t.Fatal(err)
	}
	for again := 0; again < 3; { // the first may come from a look between commit and doorbell, and not know who asked
		switch by := payload[agentwire.CommandCancel](t, l.await(agentwire.TypeCommandCancel)).By; by {
		case "ada":
			again++
		case "":
		default:
			t.Fatalf("cancelled by %q", by)
		}
	}
	o := succeeded(fleet.LogPosition{})
	o.Outcome.State, o.Outcome.Reason = fleet.StateCancelled, fleet.ReasonCancelled
	l.send(agentwire.TypeJobFinished, "", j.ID, o)
	for !payload[agentwire.Ack](t, l.await(agentwire.TypeAck)).Finished {
	}
	if got := w.job(j.ID); got.State != fleet.StateCancelled {
		t.Fatalf("%+v", got)
	}
}

func TestConfigurationIsSentUntilConfirmed(t *testing.T) {
	w := newWorld(t, settings{dispatch: dispatch.Config{Resend: 50 * time.Millisecond}})
	m := w.enrol("alpha")
	l := w.connect(m, "one")
	first := payload[agentwire.ConfigUpdate](t, l.await(agentwire.TypeConfigUpdate))
	if first.Version != l.welcome.ConfigVersion {
		t.Fatalf("%d %d", first.Version, l.welcome.ConfigVersion)
	}
	l.await(agentwire.TypeConfigUpdate) // again: not confirmed
	l.send(agentwire.TypePlanAck, "", "", agentwire.PlanAck{Version: first.Version})
	if _, err := w.AddRepository(t.Context(), w.admin, api.RepositoryRequest{Name: "main", URL: "rest:https://backup.example:8000/main/"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddPlan(t.Context(), w.admin, api.PlanRequest{Name: "daily", RepositoryID: "main", Hosts: []fleet.HostID{m.host},
		Backup: fleet.BackupSpec{Paths: []string{"/home"}}}); err != nil {
		t.Fatal(err)
	}
	for {
		u := payload[agentwire.ConfigUpdate](t, l.await(agentwire.TypeConfigUpdate))
		if u.Version != first.Version {
			if len(u.Plans) != 1 || len(u.Repositories) != 1 {
				t.Fatalf("%+v", u)
			}
			return
		}
	}
}

func TestRequestsAndTheirAnswers(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	ask := func(ctx context.Context, ms int64) (agentwire.Reply, error) {
		return w.dispatch.Request(ctx, m.host, agentwire.Request{Kind: agentwire.RequestTestRepository, TimeoutMS: ms})
	}
	if _, err := ask(t.Context(), 0); fault.CodeOf(err) != fault.HostOffline {
		t.Fatalf("%v", err)
	}
	l := w.connect(m, "one")
	type result struct {
		reply agentwire.Reply
		err   error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			r, err := ask(context.Background(), 10_000)
			results <- result{r, err}
		}()
	}
	one, two := l.await(agentwire.TypeRequest), l.await(agentwire.TypeRequest)
	l.send(agentwire.TypeReply, "nobody", "", agentwire.Reply{Message: "stray"})
	l.send(agentwire.TypeReply, two.ID, "", agentwire.Reply{Message: two.ID})
	l.send(agentwire.TypeReply, two.ID, "", agentwire.Reply{Message: "twice"})
	l.send(agentwire.TypeReply, one.ID, "", agentwire.Reply{Message: one.ID})
	got := map[string]bool{}
	for range 2 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		got[r.reply.Message] = true
	}
	if !got[one.ID] || !got[two.ID] || one.ID == two.ID {
		t.Fatalf("%v", got)
	}
	if _, err := ask(t.Context(), 20); fault.CodeOf(err) != fault.Timeout {
		t.Fatalf("%v", err)
	}
	go func() {
		r, err := ask(context.Background(), 10_000)
		results <- result{r, err}
	}()
	l.await(agentwire.TypeRequest)
	l.await(agentwire.TypeRequest)
	l.close()
	if r := <-results; fault.CodeOf(r.err) != fault.HostOffline {
		t.Fatalf("%v", r.err)
	}
}
