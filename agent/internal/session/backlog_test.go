package session_test

import (
	"fmt"
	"testing"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// TestABacklogIsReadAFewAtATime: 300 jobs of the past, 200 of them acknowledged before, beside one that runs. Only what the daemon
// lacks is opened, a few at a time, and the running one does not wait for its turn.
func TestABacklogIsReadAFewAtATime(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	for i := range 300 {
		j := a.jobs.addEnded(fleet.JobID(fmt.Sprint("old-", i)), 50)
		j.held.Acked = i%3 != 0
	}
	a.jobs.find("old-0").lines = a.jobs.find("old-0").lines[:0] // one with nothing to read
	running := a.jobs.add("running", 10)
	a.start(t)
	p := d.welcomed(t, func(w *agentwire.Welcome) {
		w.CreditBytes = 0
		for i := range w.Jobs {
			if a.jobs.find(w.Jobs[i].JobID).isAcked() {
				w.Jobs[i].Desired, w.Jobs[i].DurableSeq = agentwire.DesireForget, 50
			}
		}
	})
	for range session.MaxBacklog + 1 { // without credit they stand, and hold their places
		expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
	}
	p.silent(t)
	if now, ever := a.jobs.opened(); now != session.MaxBacklog+1 || ever != now {
		t.Fatalf("%d logs are open, %d were", now, ever)
	}
	p.send(t, agentwire.TypeCredit, "", "", agentwire.Credit{Bytes: 1 << 30})
	after, ends, most := map[fleet.JobID]int64{}, 0, 0
	for ends < 100 || after["running"] < 10 {
		e := p.read(t)
		now, _ := a.jobs.opened()
		most = max(most, now)
		switch e.Type {
		case agentwire.TypeLogStream:
			m, err := agentwire.Payload[agentwire.LogStream](e)
			if err != nil || m.FirstSeq != after[e.JobID]+1 {
				t.Fatalf("%s: %d after %d, err %v", e.JobID, m.FirstSeq, after[e.JobID], err)
			}
			after[e.JobID] += int64(len(m.Lines))
		case agentwire.TypeJobFinished:
			ends++ // none is acknowledged: who waits for that holds no place
			if after[e.JobID] != 50 && e.JobID != "old-0" {
				t.Fatalf("the end of %s after line %d", e.JobID, after[e.JobID])
			}
		case agentwire.TypeJobStarted:
		default:
			t.Fatalf("unexpected %s", e.Type)
		}
	}
	if _, ever := a.jobs.opened(); most > session.MaxBacklog+1 || ever != 101 {
		t.Fatalf("%d logs were open at once, %d ever", most, ever)
	}
	running.end(fleet.StateSucceeded)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	await(t, "every log is closed", func() bool { now, _ := a.jobs.opened(); return now == 0 })
	for i := 0; i < 300; i += 3 {
		p.send(t, agentwire.TypeAck, "", fleet.JobID(fmt.Sprint("old-", i)), agentwire.Ack{Seq: 50, Finished: true})
	}
	await(t, "all acknowledged", func() bool {
		for _, h := range a.jobs.Held() {
			if h.JobID != "running" && !h.Acked {
				return false
			}
		}
		return true
	})
	p.silent(t)
}

// TestARestoredDaemonGetsHistoryBack: it asks for what was acknowledged to the one before.
func TestARestoredDaemonGetsHistoryBack(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.addEnded("j1", 100)
	j.held.Acked = true
	a.start(t)
	p := d.welcomed(t, at("j1", 40, agentwire.DesireRun))
	p.read(t)
	p.lines(t, "j1", 40, 100)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
}

// TestAcknowledgedJobsThatHelloDidNotNameRest.
func TestAcknowledgedJobsThatHelloDidNotNameRest(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.jobs.addEnded("j1", 10).held.Acked = true
	a.start(t)
	d.welcomed(t, func(w *agentwire.Welcome) { w.Jobs = nil }).silent(t)
}

// TestForgottenJobsLeaveNothingBehind: a session may last for months.
func TestForgottenJobsLeaveNothingBehind(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.start(t)
	p := d.welcomed(t)
	for round := range 3 { // the same id thrice: if its pump were kept, it would not be sent again
		j := a.jobs.addEnded("j1", 5)
		expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
		p.lines(t, "j1", 0, 5)
		expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
		p.send(t, agentwire.TypeAck, "", "j1", agentwire.Ack{Seq: 5, Finished: true})
		await(t, fmt.Sprint("acknowledged in round ", round), j.isAcked)
		a.jobs.forget("j1")
		p.send(t, agentwire.TypeRequest, "sync", "", agentwire.Request{}) // the loop of pumps needs a moment to see it
		expect[agentwire.Reply](t, p, agentwire.TypeReply)
		p.silent(t)
	}
}

// TestErrorsOfAcknowledgementsDoNotEndTheConnection.
func TestErrorsOfAcknowledgementsDoNotEndTheConnection(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.addEnded("j1", 5)
	a.jobs.ackErr = errDisk
	a.start(t)
	p := d.welcomed(t)
	p.read(t)
	p.lines(t, "j1", 0, 5)
	p.send(t, agentwire.TypeAck, "", "j1", agentwire.Ack{Seq: 5})
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	p.send(t, agentwire.TypeAck, "", "j1", agentwire.Ack{Seq: 5, Finished: true})
	p.silent(t)
	a.jobs.mu.Lock()
	a.jobs.ackErr = nil
	a.jobs.mu.Unlock()
	p.conn.CloseNow()
	d.welcomed(t, at("j1", 5, agentwire.DesireForget))
	await(t, "made up for", j.isAcked)
}
