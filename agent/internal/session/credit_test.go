package session_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/session"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

func TestCreditStopsAndGoesOn(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 40_000) // several frames
	j.setProgress(1)
	a.start(t)
	p := d.welcomed(t, func(w *agentwire.Welcome) { w.CreditBytes = 1 })
	p.read(t)
	expect[fleet.Progress](t, p, agentwire.TypeJobProgress)
	var after int64
	for after < 40_000 {
		_, m := expect[agentwire.LogStream](t, p, agentwire.TypeLogStream)
		if m.FirstSeq != after+1 {
			t.Fatalf("line %d after %d", m.FirstSeq, after)
		}
		after += int64(len(m.Lines))
		var bytes int64
		for _, l := range m.Lines {
			bytes += int64(len(l.Text))
		}
		select { // one byte of credit is one frame
		case e := <-p.frames:
			t.Fatalf("%s beyond the credit", e.Type)
		case <-time.After(10 * time.Millisecond):
		}
		p.send(t, agentwire.TypeCredit, "", "", agentwire.Credit{Bytes: bytes})
	}
	// Without credit the rest goes on: progress, and the end of a job whose lines are all there.
	p.send(t, agentwire.TypeCredit, "", "", agentwire.Credit{Bytes: -1 << 40}) // is none
	j.setProgress(2)
	expect[fleet.Progress](t, p, agentwire.TypeJobProgress)
	j.end(fleet.StateSucceeded)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
}

func TestWithoutCreditNothingIsHeldAndProgressGoesOn(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	j := a.jobs.add("j1", 1000)
	a.start(t)
	p := d.welcomed(t, func(w *agentwire.Welcome) { w.CreditBytes = 0 })
	p.read(t)
	p.silent(t)
	for range 2000 {
		j.print(1)
	}
	j.setProgress(1)
	expect[fleet.Progress](t, p, agentwire.TypeJobProgress)
	p.silent(t)
	j.change(func(j *fakeJob) {
		if j.reads != 0 {
			t.Errorf("lines were read %d times that may not be sent", j.reads)
		}
	})
	p.send(t, agentwire.TypeCredit, "", "", agentwire.Credit{Bytes: 1 << 20})
	p.lines(t, "j1", 0, 3000)
}

// TestCreditIsOneForAllJobs: whoever takes the last of it, the others wait.
func TestCreditIsOneForAllJobs(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	const jobs = 8
	for i := range jobs {
		a.jobs.add(fleet.JobID(fmt.Sprint("j", i)), 10)
	}
	a.start(t)
	p := d.welcomed(t, func(w *agentwire.Welcome) { w.CreditBytes = 1 })
	frames := 0
	for started := 0; started < jobs || frames == 0; {
		if e := p.read(t); e.Type == agentwire.TypeJobStarted {
			started++
		} else {
			frames++
		}
	}
	p.silent(t)
	for frames < jobs {
		if n := afterCredit(t, p); n != 10 {
			t.Fatalf("%d lines", n)
		}
		frames++
		p.silent(t)
	}
	if frames != jobs {
		t.Fatalf("%d frames", frames)
	}
}

// afterCredit gives back what ten lines took and counts the lines of the next frame.
func afterCredit(t *testing.T, p *peer) int {
	t.Helper()
	var bytes int64
	for i := int64(1); i <= 10; i++ {
		bytes += int64(len(text(i)))
	}
	p.send(t, agentwire.TypeCredit, "", "", agentwire.Credit{Bytes: bytes})
	_, m := expect[agentwire.LogStream](t, p, agentwire.TypeLogStream)
	return len(m.Lines)
}

func TestCreditCounts(t *testing.T) {
	add, take, left := session.NewCredit()
	is := func(want bool) <-chan struct{} {
		t.Helper()
		got, grown := left()
		if got != want {
			t.Fatalf("credit is left: %v", got)
		}
		return grown
	}
	grown := is(false)
	if take(0) || take(1) {
		t.Fatal("taken where there is none")
	}
	add(0)
	add(-5)
	select {
	case <-grown:
		t.Fatal("nothing is more")
	default:
	}
	add(1)
	<-grown
	is(true)
	if !take(100) { // more than there is
		t.Fatal("not taken")
	}
	is(false)
	add(99) // what was owed
	is(false)
	if take(1) {
		t.Fatal("taken where there is none")
	}
	add(1)
	is(true)
	for range 3 {
		add(1<<63 - 1) // does not overflow
	}
	is(true)
}
