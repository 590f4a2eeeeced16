package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// restored is a welcome of a daemon with another store.
func restored(w *agentwire.Welcome) { w.Epoch = "f" }

// heard gives all that a connection names before its welcome.
func (p *peer) heard(t *testing.T) map[fleet.JobID]agentwire.HeldJob {
	t.Helper()
	named := map[fleet.JobID]agentwire.HeldJob{}
	note := func(jobs []agentwire.HeldJob) {
		for _, j := range jobs {
			named[j.JobID] = j
		}
	}
	note(p.hello.Jobs)
	for more := p.hello.More; more; {
		_, m := expect[agentwire.HelloJobs](t, p, agentwire.TypeHelloJobs)
		note(m.Jobs)
		more = m.More
	}
	return named
}

// TestAnotherStoreIsToldEverything: of 700 jobs that a former store acknowledged, the new one wants some. It hears of all, with what it
// needs to take them up, and only then counts as told.
func TestAnotherStoreIsToldEverything(t *testing.T) {
	const n = 700
	d := newDaemon(t)
	a := newAgent(t, d)
	for i := range n {
		a.jobs.addEnded(fleet.JobID(fmt.Sprintf("old-%d", i)), 3).held.Acked = true
	}
	a.jobs.add("running", 5).held.AckedSeq = 2
	a.start(t)
	first := d.welcomed(t, restored)
	if first.hello.Epoch != "e" {
		t.Fatalf("epoch %q", first.hello.Epoch)
	}
	if code := first.ended(t); code != -1 {
		t.Fatalf("the first session ended with %d", code)
	}
	second := d.next(t)
	named := second.heard(t)
	if len(named) != n+1 || second.hello.Epoch != "e" {
		t.Fatalf("%d jobs, epoch %q", len(named), second.hello.Epoch)
	}
	w := agentwire.Welcome{Session: "2", Epoch: "f", HeartbeatMS: 60_000, CreditBytes: 1 << 30}
	for id, j := range named {
		if j.Acked || j.AckedSeq != 0 || j.Spec == nil {
			t.Fatalf("%+v", j)
		}
		desired := agentwire.WelcomeJob{JobID: id, DurableSeq: 3, Desired: agentwire.DesireForget}
		if id == "old-7" || id == "running" {
			desired = agentwire.WelcomeJob{JobID: id, Desired: agentwire.DesireRun}
		}
		w.Jobs = append(w.Jobs, desired)
	}
	second.send(t, agentwire.TypeWelcome, "", "", w)
	await(t, "what the new store has is acknowledged", func() bool {
		acked := 0
		for _, h := range a.jobs.Held() {
			if h.Acked {
				acked++
			}
		}
		return acked == n-1
	})
	ended := false
	for seen := map[fleet.JobID]int64{}; seen["old-7"] < 3 || seen["running"] < 5 || !ended; {
		switch e := second.read(t); e.Type {
		case agentwire.TypeLogStream:
			m, err := agentwire.Payload[agentwire.LogStream](e)
			if err != nil || m.FirstSeq != seen[e.JobID]+1 {
				t.Fatalf("%s: %d after %d, err %v", e.JobID, m.FirstSeq, seen[e.JobID], err)
			}
			seen[e.JobID] += int64(len(m.Lines))
		case agentwire.TypeJobFinished:
			ended = e.JobID == "old-7"
		}
	}
	second.conn.CloseNow()
	third := d.next(t)
	if third.hello.Epoch != "f" || a.jobs.voids != 1 {
		t.Fatalf("epoch %q, voided %d times", third.hello.Epoch, a.jobs.voids)
	}
}

func TestAFreshHostTakesTheEpochAtOnce(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.epochs.epoch = ""
	a.jobs.addEnded("new", 1)
	a.start(t)
	p := d.welcomed(t)
	expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
	if a.epochs.Epoch() != "e" || a.jobs.voids != 0 {
		t.Fatalf("epoch %q, voided %d times", a.epochs.Epoch(), a.jobs.voids)
	}
}

// TestADiskThatDoesNotTakeTheEpoch: the session goes on with what the daemon said, and the next one tries again.
func TestADiskThatDoesNotTakeTheEpoch(t *testing.T) {
	for name, spoil := range map[string]func(a *agent){
		"voiding": func(a *agent) { a.jobs.voidErr = errDisk; a.jobs.addEnded("old", 3).held.Acked = true },
		"keeping": func(a *agent) { a.epochs.err = errDisk },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(t)
			a := newAgent(t, d)
			spoil(a)
			a.jobs.add("running", 5)
			a.start(t)
			p := d.welcomed(t, restored)
			for e := p.read(t); e.Type != agentwire.TypeLogStream || e.JobID != "running"; {
				e = p.read(t)
			}
			p.conn.CloseNow()
			if p = d.welcomed(t, restored); p.hello.Epoch != "e" || a.epochs.Epoch() != "e" {
				t.Fatalf("epoch %q, kept %q", p.hello.Epoch, a.epochs.Epoch())
			}
		})
	}
}

// TestMoreThanOneSessionCanTell: a host with more jobs than fit tells in one session what it can, and does not come back for the rest
// at once and for ever.
func TestMoreThanOneSessionCanTell(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	for i := range 200 {
		j := a.jobs.addEnded(fleet.JobID(fmt.Sprintf("old-%d", i)), 0)
		j.held.Acked = true
		j.held.Spec.Backup.Excludes = []string{strings.Repeat("x", 60_000)}
	}
	a.start(t)
	d.welcomed(t, restored)
	second := d.next(t)
	named := second.heard(t)
	if len(named) != 200 {
		t.Fatalf("%d jobs are named", len(named))
	}
	w := agentwire.Welcome{Session: "2", Epoch: "f", HeartbeatMS: 60_000, CreditBytes: 1 << 30}
	without := 0
	for id, j := range named {
		if j.Spec == nil {
			without++
			w.Jobs = append(w.Jobs, agentwire.WelcomeJob{JobID: id, Desired: agentwire.DesireForget})
		} else {
			w.Jobs = append(w.Jobs, agentwire.WelcomeJob{JobID: id, Desired: agentwire.DesireRun})
		}
	}
	if without == 0 || without > 100 {
		t.Fatalf("%d jobs have no specification", without)
	}
	second.send(t, agentwire.TypeWelcome, "", "", w)
	for ends := 0; ends < 200-without; {
		if e := second.read(t); e.Type == agentwire.TypeJobFinished {
			ends++
			second.send(t, agentwire.TypeAck, "", e.JobID, agentwire.Ack{Finished: true})
		}
	}
	if a.epochs.Epoch() != "e" {
		t.Fatal("the store counts as told of everything")
	}
	await(t, "all is acknowledged", func() bool {
		n := 0
		for _, h := range a.jobs.Held() {
			if h.Acked {
				n++
			}
		}
		return n == 200-without
	})
	second.conn.CloseNow()
	third := d.next(t) // the rest has room now
	for id, j := range third.heard(t) {
		if !j.Acked && j.Spec == nil {
			t.Fatalf("%s has no specification", id)
		}
	}
}

var _ session.Epochs = (*fakeEpochs)(nil)
