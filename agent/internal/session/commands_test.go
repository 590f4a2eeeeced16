package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

func runPayload(t *testing.T, change func(m map[string]any)) map[string]any {
	t.Helper()
	b, err := json.Marshal(agentwire.CommandRun{Spec: *spec("j1"), StartWithinMS: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	return m
}

func TestCommandRunRejects(t *testing.T) {
	inSpec := func(f func(s map[string]any)) func(map[string]any) {
		return func(m map[string]any) { f(m["spec"].(map[string]any)) }
	}
	tests := []struct {
		name   string
		change func(m map[string]any)
		runErr error
		want   fleet.Reason
		says   string
	}{
		{"unknown field", func(m map[string]any) { m["argv"] = []string{"sh"} }, nil, fleet.ReasonInvalidJob, "Update the agent"},
		{"unknown field deep inside", inSpec(func(s map[string]any) { s["backup"].(map[string]any)["hook"] = "x" }), nil, fleet.ReasonInvalidJob, "Update the agent"},
		{"another job's id", inSpec(func(s map[string]any) { s["job_id"] = "j2" }), nil, fleet.ReasonInvalidJob, "another job's id"},
		{"no paths", inSpec(func(s map[string]any) { s["backup"] = map[string]any{"paths": []string{}} }), nil, fleet.ReasonInvalidJob, "nothing to back up"},
		{"a repository that is code", inSpec(func(s map[string]any) {
			s["repository"] = map[string]any{"id": "r", "url": "rclone::http,bearer_token_command=touch /tmp/x:"}
		}), nil, fleet.ReasonInvalidJob, ""},
		{"time below zero", func(m map[string]any) { m["start_within_ms"] = -1 }, nil, fleet.ReasonInvalidJob, ""},
		{"wrong type", func(m map[string]any) { m["spec"] = "x" }, nil, fleet.ReasonInvalidJob, ""},
		{"policy", func(map[string]any) {}, fault.New(fault.PolicyDenied, "The host says no. Ask it."), fleet.ReasonPolicyDenied, "The host says no"},
		{"disk full", func(map[string]any) {}, fmt.Errorf("journal: %w", fault.New(fault.StorageFull, "No room. Make some.")), fleet.ReasonDiskFull, "No room"},
		{"not for this system", func(map[string]any) {}, fault.New(fault.InvalidPath, "No such path. Give another."), fleet.ReasonInvalidJob, "No such path"},
		{"anything else", func(map[string]any) {}, errors.New("secret detail"), fleet.ReasonRejected, "own log"},
	}
	d := newDaemon(t)
	a := newAgent(t, d)
	a.start(t)
	p := d.welcomed(t)
	for i, tt := range tests {
		a.jobs.mu.Lock()
		a.jobs.runErr, a.jobs.runs = tt.runErr, nil
		a.jobs.mu.Unlock()
		id := fmt.Sprintf("command-%d", i)
		p.send(t, agentwire.TypeCommandRun, id, "j1", runPayload(t, tt.change))
		e, r := expect[agentwire.CommandReject](t, p, agentwire.TypeCommandReject)
		if e.ID != id || e.JobID != "j1" || r.Reason != tt.want || !strings.Contains(r.Message, tt.says) || strings.Contains(r.Message, "secret") || r.Message == "" {
			t.Errorf("%s: %s %s: %+v", tt.name, e.ID, e.JobID, r)
		}
		a.jobs.mu.Lock()
		if ran := len(a.jobs.runs) > 0; ran != (tt.runErr != nil) {
			t.Errorf("%s: given to the runner: %v", tt.name, ran)
		}
		a.jobs.mu.Unlock()
	}
}

func TestCommandRunTwiceRunsOnce(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.start(t)
	p := d.welcomed(t)
	for i := range 5 {
		p.send(t, agentwire.TypeCommandRun, fmt.Sprint(i), "j1", agentwire.CommandRun{Spec: *spec("j1"), StartWithinMS: 1 << 62})
	}
	for i := range 5 {
		e, ack := expect[agentwire.CommandAck](t, p, agentwire.TypeCommandAck)
		if e.ID != fmt.Sprint(i) || e.JobID != "j1" || ack.State != fleet.StateAccepted {
			t.Fatalf("%s: %+v", e.ID, ack)
		}
	}
	j := a.jobs.find("j1")
	if len(a.jobs.Held()) != 1 {
		t.Fatalf("held: %+v", a.jobs.Held())
	}
	// A job that came in this session is sent like any other.
	j.change(func(j *fakeJob) { j.held.State, j.started = fleet.StateRunning, &agentwire.JobStarted{} })
	j.print(10)
	j.end(fleet.StateSucceeded)
	expect[agentwire.JobStarted](t, p, agentwire.TypeJobStarted)
	p.lines(t, "j1", 0, 10)
	expect[agentwire.JobFinished](t, p, agentwire.TypeJobFinished)
	p.send(t, agentwire.TypeCommandRun, "again", "j1", agentwire.CommandRun{Spec: *spec("j1")})
	if _, ack := expect[agentwire.CommandAck](t, p, agentwire.TypeCommandAck); ack.State != fleet.StateSucceeded {
		t.Fatalf("%+v", ack)
	}
}

func TestCancel(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.jobs.add("j1", 0)
	a.jobs.add("j2", 0)
	a.start(t)
	p := d.welcomed(t, at("j2", 0, agentwire.DesireCancel))
	p.read(t)
	p.read(t)
	cancelled := func(want ...string) {
		t.Helper()
		await(t, strings.Join(want, ", "), func() bool { return slices.Equal(a.jobs.cancelled(), want) })
	}
	cancelled("j2 by ")
	p.send(t, agentwire.TypeCommandCancel, "", "j1", agentwire.CommandCancel{By: "ann"})
	cancelled("j2 by ", "j1 by ann")
	// Neither a job that nobody knows, nor one that is over, nor a full disk is a reason to hang up: the daemon asks again.
	for _, err := range []error{nil, fault.New(fault.JobEnded, "Over. Look at it."), fault.New(fault.StorageFull, "No room. Make some."), errors.New("i/o")} {
		a.jobs.mu.Lock()
		a.jobs.canErr, a.jobs.cancels = err, nil
		a.jobs.mu.Unlock()
		p.send(t, agentwire.TypeCommandCancel, "", "unknown", agentwire.CommandCancel{})
		cancelled("unknown by ")
	}
	p.silent(t)
}

func TestConfigUpdate(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.start(t)
	p := d.welcomed(t)
	p.send(t, agentwire.TypeConfigUpdate, "", "", agentwire.ConfigUpdate{Version: 7, Plans: []fleet.Plan{{ID: "p"}}})
	if _, ack := expect[agentwire.PlanAck](t, p, agentwire.TypePlanAck); ack.Version != 7 {
		t.Fatalf("%+v", ack)
	}
	a.plans.mu.Lock()
	if a.plans.last.Version != 7 || len(a.plans.last.Plans) != 1 {
		t.Errorf("stored %+v", a.plans.last)
	}
	a.plans.err = errors.New("disk full")
	a.plans.mu.Unlock()
	p.send(t, agentwire.TypeConfigUpdate, "", "", agentwire.ConfigUpdate{Version: 8})
	await(t, "tried", func() bool { a.plans.mu.Lock(); defer a.plans.mu.Unlock(); return a.plans.calls == 2 })
	p.silent(t) // neither confirmed nor hung up
}

func TestRequestsAreBounded(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	release, ctxs := make(chan struct{}), make(chan context.Context, 10)
	a.requests.handle = func(ctx context.Context, r agentwire.Request) agentwire.Reply {
		ctxs <- ctx
		select {
		case <-release:
			return agentwire.Reply{Message: r.Sealed}
		case <-ctx.Done():
			return agentwire.Reply{Code: fault.Timeout}
		}
	}
	a.start(t)
	p := d.welcomed(t)
	for i := range 5 {
		p.send(t, agentwire.TypeRequest, fmt.Sprint(i), "", agentwire.Request{Kind: agentwire.RequestTestRepository, Sealed: fmt.Sprint("answer ", i), TimeoutMS: 1 << 62})
	}
	e, r := expect[agentwire.Reply](t, p, agentwire.TypeReply)
	if e.ID != "4" || r.Code != fault.RateLimited {
		t.Fatalf("the fifth: %s %+v", e.ID, r)
	}
	if limit, ok := (<-ctxs).Deadline(); !ok || time.Until(limit) > time.Minute {
		t.Fatalf("deadline %v", limit)
	}
	p.send(t, agentwire.TypeCommandCancel, "", "j", agentwire.CommandCancel{}) // commands do not wait for requests
	await(t, "cancelled", func() bool { return len(a.jobs.cancelled()) == 1 })
	close(release)
	seen := map[string]string{}
	for range 4 {
		e, r := expect[agentwire.Reply](t, p, agentwire.TypeReply)
		seen[e.ID] = r.Message
	}
	for i := range 4 {
		if seen[fmt.Sprint(i)] != fmt.Sprint("answer ", i) {
			t.Fatalf("answers %v", seen)
		}
	}
	release = make(chan struct{})
	p.send(t, agentwire.TypeRequest, "slow", "", agentwire.Request{TimeoutMS: 20})
	if e, r := expect[agentwire.Reply](t, p, agentwire.TypeReply); e.ID != "slow" || r.Code != fault.Timeout {
		t.Fatalf("%s %+v", e.ID, r)
	}
}

func TestAReplyThatIsTooLargeIsAnError(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.requests.handle = func(context.Context, agentwire.Request) agentwire.Reply {
		return agentwire.Reply{Message: strings.Repeat("x", agentwire.MaxFrame)}
	}
	a.start(t)
	p := d.welcomed(t)
	p.send(t, agentwire.TypeRequest, "r", "", agentwire.Request{})
	if e, r := expect[agentwire.Reply](t, p, agentwire.TypeReply); e.ID != "r" || r.Code != fault.TooLarge {
		t.Fatalf("%s %+v", e.ID, r)
	}
}

func TestFactsAndHeartbeats(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.jobs.add("open", 0)
	a.jobs.addEnded("over", 0)
	a.start(t)
	p := d.welcomed(t, func(w *agentwire.Welcome) { w.HeartbeatMS = 1 })
	deadline := time.After(soon)
	for beats := 0; beats < 3; {
		select {
		case e := <-p.frames:
			if e.Type != agentwire.TypeHeartbeat {
				continue
			}
			h, err := agentwire.Payload[agentwire.Heartbeat](e)
			if err != nil || !slices.Equal(h.Jobs, []fleet.JobID{"open"}) || h.Clock.IsZero() {
				t.Fatalf("%+v, err %v", h, err)
			}
			beats++
		case <-deadline:
			t.Fatal("no heartbeats")
		}
	}
	a.FactsChanged()
	a.FactsChanged()
	for e := p.read(t); ; e = p.read(t) {
		if e.Type == agentwire.TypeInventory {
			break
		}
	}
}

// TestWhatTheDaemonMayNotSay ends the connection; what a newer one may say does not.
func TestWhatTheDaemonMayNotSay(t *testing.T) {
	tests := []struct {
		name, frame string
		want        fault.Code
		code        int // of the agent's goodbye
	}{
		{"no JSON", `hello?`, fault.Protocol, wsconn.CloseProtocol},
		{"another version", `{"v":2,"type":"ack"}`, fault.VersionMismatch, wsconn.CloseProtocol},
		{"no type", `{"v":1}`, fault.Protocol, wsconn.CloseProtocol},
		{"malformed payload", `{"v":1,"type":"ack","job_id":"j","payload":{"seq":"x"}}`, fault.Protocol, wsconn.CloseProtocol},
		{"no payload", `{"v":1,"type":"nack","job_id":"j"}`, fault.Protocol, wsconn.CloseProtocol},
		{"malformed cancel", `{"v":1,"type":"command.cancel","job_id":"j","payload":[]}`, fault.Protocol, wsconn.CloseProtocol},
		{"reset", `{"v":1,"type":"reset"}`, fault.Unavailable, -1},
		{"an over-long frame", `{"v":1,"type":"` + strings.Repeat("x", agentwire.MaxFrame) + `"}`, fault.FrameTooLarge, wsconn.CloseFrameTooLarge},
	}
	d := newDaemon(t)
	a := newAgent(t, d)
	a.start(t)
	for _, tt := range tests {
		p := d.welcomed(t)
		if err := a.state(t); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		p.sendRaw(t, `{"v":1,"type":"from.the.future","payload":{"x":1}}`)
		p.sendRaw(t, `{"v":1,"type":"ack","job_id":"nobodys","payload":{"seq":5,"finished":true,"more":1}}`)
		p.sendRaw(t, tt.frame)
		if code := p.ended(t); code != tt.code {
			t.Errorf("%s: goodbye with %d: %v", tt.name, code, p.err)
		}
		if err := a.state(t); fault.CodeOf(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestAnythingButAWelcomeIsRefused(t *testing.T) {
	d := newDaemon(t)
	a := newAgent(t, d)
	a.start(t)
	for _, frame := range []string{`{"v":1,"type":"ack","payload":{}}`, `x`, `{"v":1,"type":"welcome","payload":{"jobs":[{"job_id":"j","durable_seq":-1}]}}`} {
		p := d.next(t)
		p.sendRaw(t, frame)
		if err := a.state(t); fault.CodeOf(err) != fault.Protocol {
			t.Fatalf("%s: %v", frame, err)
		}
	}
}
