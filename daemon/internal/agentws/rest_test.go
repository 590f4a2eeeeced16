package agentws_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/agentws"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/wsconn"
)

// accepted queues n backups for a host and has its agent take them all up.
func (w *world) accepted(m member, n int) []agentwire.HeldJob {
	w.t.Helper()
	l := w.connect(m, "one")
	defer l.close()
	var held []agentwire.HeldJob
	for range n {
		id := w.backup(m.host).ID
		l.send(agentwire.TypeCommandAck, "", id, agentwire.CommandAck{State: fleet.StateAccepted})
		held = append(held, agentwire.HeldJob{JobID: id, State: fleet.StateAccepted})
	}
	last := held[n-1].JobID
	sharedtest.Eventually(w.t, 60*time.Second, "jobs are accepted", func() bool { return w.job(last).State == fleet.StateAccepted })
	return held
}

// greet says hello in parts and gives the welcome.
func (w *world) greet(m member, parts ...agentwire.HelloJobs) (agentwire.Welcome, error) {
	w.t.Helper()
	c, err := w.dial(m)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.CloseNow)
	l := &line{t: w.t, conn: c}
	hello := agentwire.Hello{AgentID: m.agent, Incarnation: "one", Facts: facts("alpha"), Clock: time.Now(), Jobs: parts[0].Jobs, More: parts[0].More}
	l.send(agentwire.TypeHello, "", "", hello)
	for _, p := range parts[1:] {
		if err := l.try(agentwire.TypeHelloJobs, "", "", p); err != nil {
			break // the daemon has had enough; reading tells why
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	frame, err := c.Read(ctx)
	if err != nil {
		return agentwire.Welcome{}, err
	}
	e, err := agentwire.Decode(frame)
	if err != nil || e.Type != agentwire.TypeWelcome {
		w.t.Fatalf("%s, err %v", frame, err)
	}
	return payload[agentwire.Welcome](w.t, e), nil
}

func (w *world) states(held []agentwire.HeldJob) map[fleet.JobState]int {
	w.t.Helper()
	n := map[fleet.JobState]int{}
	for _, j := range held {
		n[w.job(j.JobID).State]++
	}
	return n
}

// TestJobsNamedInParts: what an agent names behind its hello is known before anything is concluded from what is missing.
func TestJobsNamedInParts(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	const n = 60
	held := w.accepted(m, n)
	welcome, err := w.greet(m, agentwire.HelloJobs{Jobs: held[:20], More: true}, agentwire.HelloJobs{Jobs: held[20:40], More: true}, agentwire.HelloJobs{Jobs: held[40:]})
	if err != nil || len(welcome.Jobs) != n {
		t.Fatalf("%d answers, err %v", len(welcome.Jobs), err)
	}
	if got := w.states(held); got[fleet.StateAccepted] != n {
		t.Fatalf("%v", got)
	}
	// Some are left out, and the agent says so: nothing is known of them.
	welcome, err = w.greet(m, agentwire.HelloJobs{Jobs: held[:20], More: true}, agentwire.HelloJobs{Jobs: held[20:30], Partial: true})
	if err != nil || len(welcome.Jobs) != 30 {
		t.Fatalf("%d answers, err %v", len(welcome.Jobs), err)
	}
	if got := w.states(held); got[fleet.StateAccepted] != n {
		t.Fatalf("%v", got)
	}
	// All that there are, and some are missing: an agent that knows of no parts says it in one.
	if _, err = w.greet(m, agentwire.HelloJobs{Jobs: held[:20]}); err != nil {
		t.Fatal(err)
	}
	if got := w.states(held); got[fleet.StateAccepted] != 20 || got[fleet.StateLost] != n-20 {
		t.Fatalf("%v", got)
	}
	if _, err = w.greet(m, agentwire.HelloJobs{Jobs: held[:5], More: true}, agentwire.HelloJobs{Jobs: held[5:10]}); err != nil {
		t.Fatal(err)
	}
	if got := w.states(held); got[fleet.StateAccepted] != 10 || got[fleet.StateLost] != n-10 {
		t.Fatalf("%v", got)
	}
}

// TestAPartialHelloEndsNothingOnPaper: a cancel is not carried out on paper while the agent may hold the job.
func TestAPartialHelloEndsNothingOnPaper(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	l := w.connect(m, "one")
	id := w.backup(m.host).ID
	l.await(agentwire.TypeCommandRun) // and no answer comes of it
	l.close()
	if _, err := w.CancelJob(t.Context(), w.admin, id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.greet(m, agentwire.HelloJobs{More: true}, agentwire.HelloJobs{Partial: true}); err != nil {
		t.Fatal(err)
	}
	if j := w.job(id); j.State.Ended() {
		t.Fatalf("%s", j.State)
	}
	if _, err := w.greet(m, agentwire.HelloJobs{}); err != nil {
		t.Fatal(err)
	}
	if j := w.job(id); j.State != fleet.StateCancelled {
		t.Fatalf("%s", j.State)
	}
}

func TestPartsThatDoNotCome(t *testing.T) {
	w := newWorld(t, settings{agentws: agentws.Config{HelloTimeout: 100 * time.Millisecond}})
	m := w.enrol("alpha")
	if _, err := w.greet(m, agentwire.HelloJobs{More: true}); wsconn.CloseStatus(err) != agentwire.CloseSilent {
		t.Fatalf("%v", err)
	}
}

func TestBadParts(t *testing.T) {
	w := newWorld(t, settings{})
	m := w.enrol("alpha")
	many := make([]agentwire.HeldJob, 400)
	for i := range many {
		many[i] = agentwire.HeldJob{JobID: fleet.JobID(fmt.Sprintf("job-%d", i)), State: fleet.StateFailed}
	}
	flood := slices.Repeat([]agentwire.HelloJobs{{Jobs: many, More: true}}, agentwire.MaxHeldJobs/len(many)+2)
	tests := map[string]struct {
		parts []agentwire.HelloJobs
		want  int
	}{
		"an empty one":   {[]agentwire.HelloJobs{{More: true}, {More: true}}, agentwire.CloseProtocol},
		"far too many":   {flood, agentwire.CloseProtocol},
		"an invalid job": {[]agentwire.HelloJobs{{More: true}, {Jobs: []agentwire.HeldJob{{JobID: "../x", State: fleet.StateFailed}}}}, agentwire.CloseProtocol},
	}
	for name, c := range tests {
		if _, err := w.greet(m, c.parts...); wsconn.CloseStatus(err) != c.want {
			t.Errorf("%s: %v, want %d", name, err, c.want)
		}
	}
	l := w.connect(m, "one")
	l.send(agentwire.TypeHelloJobs, "", "", agentwire.HelloJobs{})
	if code := l.ended(); code != agentwire.CloseProtocol {
		t.Errorf("jobs after the welcome: %d", code)
	}
	for range 2 * 4 { // none of those above holds a place
		if _, err := w.greet(m, agentwire.HelloJobs{More: true}, agentwire.HelloJobs{}); err != nil {
			t.Fatal(err)
		}
	}
}
