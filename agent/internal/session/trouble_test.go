package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

// TestABrokenJobLeavesTheOthersAlone: files that cannot be read are the job's matter, not the connection's.
func TestABrokenJobLeavesTheOthersAlone(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)

	closed := a.jobs.addEnded("closed", 3)
	closed.openErr = errDisk
	torn := a.jobs.addEnded("torn", 3)
	torn.readErr = errDisk
	garbled := a.jobs.addEnded("garbled", 0)
	garbled.listErr = errDisk
	whole := a.jobs.addEnded("whole", 3)
	a.start(t)
	p := d.welcomed(t)
	var got []string
	for len(got) < 6 {
		e := p.read(t)
		if e.JobID == "closed" || e.JobID == "torn" && e.Type != agentwire.TypeJobStarted {
			t.Fatalf("%s of %s", e.Type, e.JobID)
		}
		got = append(got, string(e.JobID))
		if e.Type == agentwire.TypeJobFinished {
			p.send(t, agentwire.TypeAck, "", e.JobID, agentwire.Ack{Finished: true})
		}
	}
	await(t, "the others are through", func() bool { return whole.isAcked() && garbled.isAcked() })
	closed.change(func(j *fakeJob) { j.openErr = nil })
	torn.change(func(j *fakeJob) { j.readErr = nil })
	for !closed.isAcked() || !torn.isAcked() {
		if e := p.read(t); e.Type == agentwire.TypeJobFinished {
			p.send(t, agentwire.TypeAck, "", e.JobID, agentwire.Ack{Finished: true})
			await(t, "acknowledged", a.jobs.find(e.JobID).isAcked)
		}
	}
}

// TestALogThatIsCutShortEndsTheJob: what is gone with a disk does not come by waiting.
func TestALogThatIsCutShortEndsTheJob(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.addEnded("j1", 10)
	j.lines = j.lines[:6]
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	p.lines(t, "j1", 0, 6)
	_, f := expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	if want := j.finished.Log; f.Log.LastSeq != 6 || f.Log.CRC32C != want.CRC32C || f.Log.Bytes != want.Bytes {
		t.Fatalf("%+v", f.Log)
	}
}

func TestTheDaemonHasMoreThanTheHost(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.jobs.addEnded("j1", 10).end(fleet.StateInterrupt) // a host that lost power, and with it lines that the daemon has
	a.start(t)
	p := d.welcomed(t, at("j1", 25, agentwire.DesireRun))
	p.read(t)
	_, f := expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	if f.Log.LastSeq != 10 {
		t.Fatalf("%+v", f.Log)
	}
}

// TestGoodbye: in the middle of sending, too.
func TestGoodbye(t *testing.T) {
	d := newDaemon(t)
	for range 5 {
		a := newAgent(t, d, func(c *session.Config) { c.MinSpacing = time.Nanosecond })
		a.jobs.add("j1", 100_000)
		a.start(t)
		p := d.welcomed(t)
		p.read(t)
		p.read(t)
		began := time.Now()
		a.stop()
		if code := p.ended(t); code != wsconn.CloseGoingAway {
			t.Fatalf("close code %d: %v", code, p.err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Fatalf("it took %v", took)
		}
	}
}

// TestNobodyHasAnEndThatWasNotSent: such an acknowledgement neither gives the job up nor stops its log.
func TestNobodyHasAnEndThatWasNotSent(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 10)
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	p.lines(t, "j1", 0, 10)
	p.send(t, agentwire.TypeAck, "", "j1", agentwire.Ack{Seq: 99, Finished: true})
	p.silent(t)
	j.print(10)
	p.lines(t, "j1", 10, 20)
	j.end(fleet.StateSucceeded)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	if j.isAcked() {
		t.Fatal("acknowledged by nobody")
	}
}

// TestRunReturnsAtOnceWherever it is.
func TestRunReturnsAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   func(t *testing.T, d *daemon, a *agent)
	}{
		{"before hello is answered", func(t *testing.T, d *daemon, _ *agent) { d.next(t) }},
		{"without credit", func(t *testing.T, d *daemon, _ *agent) {
			d.welcomed(t, func(w *agentwire.Welcome) { w.CreditBytes = 0 }).read(t)
		}},
		{"between connections", func(t *testing.T, d *daemon, a *agent) { d.Close(); a.fails(t, fault.Unavailable) }},
		{"in the middle of a job's start", func(t *testing.T, d *daemon, a *agent) {
			a.jobs.runGate = make(chan struct{})
			p := d.welcomed(t)
			p.send(t, agentwire.TypeCommandRun, "", "n", agentwire.CommandRun{Spec: *spec("n")})
			await(t, "the job is taken", func() bool { a.jobs.mu.Lock(); defer a.jobs.mu.Unlock(); return len(a.jobs.runs) == 1 })
		}},
		{"in the middle of a request", func(t *testing.T, d *daemon, a *agent) {
			in := make(chan struct{})
			a.requests.handle = func(ctx context.Context, _ agentwire.Request) agentwire.Reply {
				close(in)
				<-ctx.Done()
				return agentwire.Reply{}
			}
			d.welcomed(t).send(t, agentwire.TypeRequest, "r", "", agentwire.Request{Kind: agentwire.RequestTestRepository})
			<-in
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDaemon(t)
			a := newAgent(t, d)
			a.jobs.add("j1", 1000)
			a.start(t)
			tt.at(t, d, a)
			began := time.Now()
			a.stop()
			if took := time.Since(began); took > 3*time.Second {
				t.Fatalf("it took %v", took)
			}
		})
	}
}
