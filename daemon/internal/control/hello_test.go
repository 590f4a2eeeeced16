package control_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func ids(jobs []fleet.Job) []fleet.JobID {
	var out []fleet.JobID
	for _, j := range jobs {
		out = append(out, j.ID)
	}
	return out
}

// answers wants one answer of the welcome.
func (h *house) answers(welcome []agentwire.WelcomeJob, id fleet.JobID, desired agentwire.Desire, durable int64) {
	h.t.Helper()
	for _, w := range welcome {
		if w.JobID == id {
			if w.Desired != desired || w.DurableSeq != durable {
				h.t.Fatalf("welcome %+v, want %s from %d", w, desired, durable)
			}
			return
		}
	}
	h.t.Fatalf("job %s is not in the welcome %+v", id, welcome)
}

func TestHelloPutsAHostOnline(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	f := facts("web1-new")
	f.Secrets = []fleet.RepositoryID{repository.ID, "unknown", repository.ID}
	h.dispatch.setOnline(host.ID, true)
	hello := agentwire.Hello{AgentID: host.AgentID, Facts: f, Clock: h.clock.Now().Add(-24 * time.Hour)}
	got, _, _, err := h.AgentHello(h.ctx, host.AgentID, hello, h.clock.Now())
	h.ok(err)
	if !got.Online || got.Hostname != "web1-new" || got.Name != "web1" || got.ClockSkewMS != -24*3600*1000 ||
		!got.LastSeenAt.Equal(h.clock.Now()) || !slices.Equal(got.Secrets, []fleet.RepositoryID{repository.ID}) {
		t.Fatalf("host %+v", got)
	}
	if stored := must(h.Host(h.ctx, "web1"))(t); stored.Rev != got.Rev || !stored.Online {
		t.Fatalf("stored %+v", stored)
	}
}

func TestHelloThatIsRefused(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	hello := func(change func(*agentwire.Hello)) error {
		m := agentwire.Hello{AgentID: host.AgentID, Facts: facts("web1")}
		change(&m)
		_, _, _, err := h.AgentHello(h.ctx, host.AgentID, m, h.clock.Now())
		return err
	}
	for name, change := range map[string]func(*agentwire.Hello){
		"another id":        func(m *agentwire.Hello) { m.AgentID = "x" },
		"no host name":      func(m *agentwire.Hello) { m.Facts.Hostname = "" },
		"long host name":    func(m *agentwire.Hello) { m.Facts.Hostname = strings.Repeat("x", 256) },
		"hostile host name": func(m *agentwire.Hello) { m.Facts.Hostname = "a\x1b[2J" },
		"no sealing key":    func(m *agentwire.Hello) { m.Facts.SealingKey = "" },
		"secret store":      func(m *agentwire.Hello) { m.Facts.SecretStore = "post-it" },
		"many secrets":      func(m *agentwire.Hello) { m.Facts.Secrets = make([]fleet.RepositoryID, 10_001) },
		"job id":            func(m *agentwire.Hello) { m.Jobs = []agentwire.HeldJob{{JobID: "../x", State: fleet.StateRunning}} },
		"job state":         func(m *agentwire.Hello) { m.Jobs = []agentwire.HeldJob{{JobID: "x", State: "happy"}} },
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.refused(hello(change), fault.Protocol)
		})
	}
	h.t = t
	if must(h.Host(h.ctx, "web1"))(t).Online {
		t.Fatal("a refused agent is online")
	}
	_, _, _, err := h.AgentHello(h.ctx, "stranger", agentwire.Hello{AgentID: "stranger", Facts: facts("x")}, h.clock.Now())
	h.refused(err, fault.HostRevoked)
	_, err = h.Agent(h.ctx, "stranger")
	h.refused(err, fault.HostRevoked)
}

func TestHelloOffersWhatWasNeverConfirmed(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	queued, dispatched, unknown := h.backup(host, repository), h.backup(host, repository), h.backup(host, repository)
	h.takeTo(dispatched, fleet.StateDispatched)
	h.takeTo(unknown, fleet.StateDispatched)
	h.clock.add(time.Hour)
	h.ok(h.Sweep(h.ctx)) // the host was never online: contact is lost
	h.is(unknown.ID, fleet.StateUnknown)
	h.is(queued.ID, fleet.StateQueued)

	_, offer := h.connect(host)
	if got, want := ids(offer), []fleet.JobID{queued.ID, dispatched.ID, unknown.ID}; !slices.Equal(got, want) {
		t.Fatalf("offered %v, want %v", got, want)
	}
	if got := ids(must(h.PendingJobs(h.ctx, host.ID))(t)); !slices.Equal(got, ids(offer)) {
		t.Fatalf("pending %v", got)
	}
	for _, j := range offer {
		h.ok(h.JobDispatched(h.ctx, j.ID))
		h.ok(h.JobAccepted(h.ctx, host.ID, j.ID, fleet.StateAccepted))
		if got := h.job(j.ID); got.State != fleet.StateAccepted || got.Outcome != nil {
			t.Fatalf("%+v", got)
		}
	}
	if got := must(h.PendingJobs(h.ctx, host.ID))(t); len(got) != 0 {
		t.Fatalf("pending %v", ids(got))
	}
}

func TestHelloExpiresWhatIsTooOld(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	queued, dispatched := h.backup(host, repository), h.backup(host, repository)
	h.takeTo(dispatched, fleet.StateDispatched)
	h.clock.add(25 * time.Hour)
	_, offer := h.connect(host)
	if len(offer) != 0 {
		t.Fatalf("offered %v", ids(offer))
	}
	for _, id := range []fleet.JobID{queued.ID, dispatched.ID} {
		if got := h.job(id); got.State != fleet.StateFailed || got.Outcome.Reason != fleet.ReasonExpired || !got.LogSealed {
			t.Fatalf("%+v", got)
		}
		if !h.logs.wasRung(id) {
			t.Fatal("readers were not rung")
		}
	}
}

func TestHelloBringsJobsTogether(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	job := func(state fleet.JobState, durable int64) fleet.Job {
		j := h.backup(host, repository)
		h.takeTo(j, state)
		h.logs.set(j.ID, fleet.LogPosition{LastSeq: durable})
		return j
	}
	ackLost, running, finished := job(fleet.StateDispatched, 0), job(fleet.StateAccepted, 5), job(fleet.StateRunning, 9)
	toCancel, forgotten := job(fleet.StateRunning, 3), job(fleet.StateRunning, 4)
	must(h.CancelJob(h.ctx, h.admin, toCancel.ID))(t)
	done, known := job(fleet.StateRunning, 0), job(fleet.StateRunning, 0)
	for _, j := range []fleet.Job{done, known} {
		h.ok(h.JobFinished(h.ctx, host.ID, j.ID, h.finished(fleet.StateSucceeded)))
	}
	asked := h.logs.asked

	welcome, offer := h.connect(host,
		agentwire.HeldJob{JobID: ackLost.ID, State: fleet.StateAccepted},
		agentwire.HeldJob{JobID: running.ID, State: fleet.StateRunning, LastSeq: 50},
		agentwire.HeldJob{JobID: finished.ID, State: fleet.StateSucceeded, LastSeq: 20},
		agentwire.HeldJob{JobID: toCancel.ID, State: fleet.StateRunning, LastSeq: 3},
		agentwire.HeldJob{JobID: done.ID, State: fleet.StateSucceeded, LastSeq: 0},
		agentwire.HeldJob{JobID: known.ID, State: fleet.StateSucceeded, LastSeq: 0, Acked: true},
	)
	if n := h.logs.asked - asked; n != 5 { // not for the one that both sides know to be over
		t.Fatalf("the logs were asked %d times", n)
	}
	if len(offer) != 0 || len(welcome) != 5 { // nothing is said of what both sides know to be over
		t.Fatalf("offer %v welcome %v", offer, welcome)
	}
	h.answers(welcome, ackLost.ID, agentwire.DesireRun, 0)
	h.answers(welcome, running.ID, agentwire.DesireRun, 5)
	h.answers(welcome, finished.ID, agentwire.DesireRun, 9)
	h.answers(welcome, toCancel.ID, agentwire.DesireCancel, 3)
	h.answers(welcome, done.ID, agentwire.DesireForget, 0)
	h.is(ackLost.ID, fleet.StateAccepted)
	h.is(running.ID, fleet.StateRunning)
	h.is(finished.ID, fleet.StateRunning) // until its end is told
	if got := h.job(forgotten.ID); got.State != fleet.StateLost || got.Outcome.Reason != fleet.ReasonJobForgotten || got.LogSealed {
		t.Fatalf("forgotten: %+v", got)
	}
}

func TestLateTruthReplacesWhatWasNotKnown(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	h.connect(host)
	runs, ends, lost := h.backup(host, repository), h.backup(host, repository), h.backup(host, repository)
	for _, j := range []fleet.Job{runs, ends, lost} {
		h.takeTo(j, fleet.StateRunning)
	}
	h.disconnect(host)
	h.clock.add(time.Hour)
	h.ok(h.Sweep(h.ctx))
	for _, j := range []fleet.Job{runs, ends, lost} {
		if got := h.job(j.ID); got.State != fleet.StateUnknown || got.Outcome.Reason != fleet.ReasonContactLost {
			t.Fatalf("%+v", got)
		}
	}
	welcome, _ := h.connect(host, agentwire.HeldJob{JobID: runs.ID, State: fleet.StateRunning}, agentwire.HeldJob{JobID: ends.ID, State: fleet.StateFailed})
	h.answers(welcome, runs.ID, agentwire.DesireRun, 0)
	if got := h.job(runs.ID); got.State != fleet.StateRunning || got.Outcome != nil || got.FinishedAt != nil {
		t.Fatalf("%+v", got)
	}
	h.ok(h.JobFinished(h.ctx, host.ID, ends.ID, h.finished(fleet.StateSucceeded)))
	h.is(ends.ID, fleet.StateSucceeded)
	h.is(lost.ID, fleet.StateLost)
	// It was there after all: its data folder was not mounted.
	h.connect(host, agentwire.HeldJob{JobID: lost.ID, State: fleet.StateRunning}, agentwire.HeldJob{JobID: runs.ID, State: fleet.StateRunning})
	if got := h.job(lost.ID); got.State != fleet.StateRunning || got.Outcome != nil {
		t.Fatalf("%+v", got)
	}
	h.ok(h.JobFinished(h.ctx, host.ID, lost.ID, h.finished(fleet.StateWarning)))
	h.is(lost.ID, fleet.StateWarning)
	// And straight from lost to its end.
	h.connect(host)
	h.is(runs.ID, fleet.StateLost)
	h.ok(h.JobFinished(h.ctx, host.ID, runs.ID, h.finished(fleet.StateSucceeded)))
	h.is(runs.ID, fleet.StateSucceeded)
}

func TestHelloOfJobsThatAreOverHere(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	end := func(state fleet.JobState, log fleet.LogPosition, stored fleet.LogPosition) fleet.Job {
		j := h.backup(host, repository)
		h.takeTo(j, fleet.StateRunning)
		h.logs.set(j.ID, stored)
		m := h.finished(state)
		m.Log = log
		h.ok(h.JobFinished(h.ctx, host.ID, j.ID, m))
		return j
	}
	ten, differs := fleet.LogPosition{LastSeq: 10, CRC32C: 1}, fleet.LogPosition{LastSeq: 10, CRC32C: 2}
	whole, unsealed := end(fleet.StateSucceeded, ten, ten), end(fleet.StateSucceeded, ten, differs)
	shortened := end(fleet.StateSucceeded, ten, differs)
	h.logs.set(shortened.ID, fleet.LogPosition{LastSeq: 4}) // the logs were restored from an older copy
	stopped := end(fleet.StateCancelled, ten, ten)
	wild := end(fleet.StateFailed, ten, ten)

	held := func(j fleet.Job, state fleet.JobState) agentwire.HeldJob {
		return agentwire.HeldJob{JobID: j.ID, State: state, LastSeq: 10, Acked: true}
	}
	ackLost := held(whole, fleet.StateSucceeded)
	ackLost.Acked = false
	welcome, _ := h.connect(host, ackLost, held(unsealed, fleet.StateSucceeded), held(shortened, fleet.StateSucceeded),
		held(stopped, fleet.StateRunning), held(wild, fleet.StateRunning))
	h.answers(welcome, whole.ID, agentwire.DesireForget, 10)
	h.answers(welcome, unsealed.ID, agentwire.DesireForget, 10) // every line is here, and sending them again would change nothing
	h.answers(welcome, shortened.ID, agentwire.DesireRun, 4)
	h.answers(welcome, stopped.ID, agentwire.DesireCancel, 10)
	h.answers(welcome, wild.ID, agentwire.DesireRun, 10)
}

func TestHelloRegainsJobsThatTheStoreLost(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	spec := func(id fleet.JobID) *fleet.JobSpec {
		return &fleet.JobSpec{JobID: id, Kind: fleet.KindBackup, Repository: repository.Spec(), Backup: &fleet.BackupSpec{Paths: []string{"/home"}},
			CreatedAt: h.clock.Now().Add(-time.Hour)}
	}
	wrong := spec("other")
	unsafe := spec("UNSAFE")
	unsafe.Repository.URL = "rclone::sh"
	slot := fleet.JobID("slot:P1:" + string(host.ID) + ":2026-03-01T03:00:00Z")
	h.logs.set("ENDED", fleet.LogPosition{LastSeq: 3})
	welcome, _ := h.connect(host,
		agentwire.HeldJob{JobID: "RUNS", State: fleet.StateRunning, LastSeq: 8, Spec: spec("RUNS")},
		agentwire.HeldJob{JobID: "ENDED", State: fleet.StateSucceeded, LastSeq: 9, Acked: true, Spec: spec("ENDED")},
		agentwire.HeldJob{JobID: slot, State: fleet.StateAccepted, Spec: spec(slot)},
		agentwire.HeldJob{JobID: "BARE", State: fleet.StateSucceeded},
		agentwire.HeldJob{JobID: "WRONG", State: fleet.StateSucceeded, Spec: wrong},
		agentwire.HeldJob{JobID: "UNSAFE", State: fleet.StateSucceeded, Spec: unsafe},
	)
	h.answers(welcome, "RUNS", agentwire.DesireRun, 0)
	h.answers(welcome, "ENDED", agentwire.DesireRun, 3)
	h.answers(welcome, slot, agentwire.DesireRun, 0)
	for _, id := range []fleet.JobID{"BARE", "WRONG", "UNSAFE"} {
		h.answers(welcome, id, agentwire.DesireForget, 0)
		_, err := h.Job(h.ctx, id)
		h.refused(err, fault.UnknownJob)
	}
	if got := h.job("RUNS"); got.State != fleet.StateRunning || got.HostID != host.ID || got.CreatedBy != "unknown" || !got.CreatedAt.Equal(spec("x").CreatedAt) {
		t.Fatalf("%+v", got)
	}
	if got := h.job(slot); got.State != fleet.StateAccepted || got.CreatedBy != "schedule" {
		t.Fatalf("%+v", got)
	}
	h.is("ENDED", fleet.StateUnknown)
	h.ok(h.JobFinished(h.ctx, host.ID, "ENDED", agentwire.JobFinished{Outcome: h.finished(fleet.StateSucceeded).Outcome, Log: fleet.LogPosition{LastSeq: 3}}))
	h.is("ENDED", fleet.StateSucceeded)
	// A job of a repository that is not known any more keeps its id.
	h.connect(host, agentwire.HeldJob{JobID: "RUNS", State: fleet.StateRunning}, agentwire.HeldJob{JobID: slot, State: fleet.StateAccepted})
	h.is("RUNS", fleet.StateRunning)
}

func TestAgentGone(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	h.connect(host)
	was := must(h.Host(h.ctx, "web1"))(t)
	h.clock.add(time.Minute)
	h.ok(h.Heartbeat(h.ctx, host.ID, agentwire.Heartbeat{}))
	seen := h.clock.Now()
	rows, _, err := h.WatchRows(h.ctx)
	h.ok(err)
	for _, now := range []fleet.Host{must(h.Host(h.ctx, "web1"))(t), must(h.Hosts(h.ctx))(t)[0], *rows[0].Host} {
		if now.Rev != was.Rev || !now.LastSeenAt.Equal(seen) { // without a write
			t.Fatalf("last seen %v by rev %d, want %v by %d", now.LastSeenAt, now.Rev, seen, was.Rev)
		}
	}
	h.clock.add(time.Minute)

	h.ok(h.AgentGone(h.ctx, host.ID)) // the older of two sessions
	if !must(h.Host(h.ctx, "web1"))(t).Online {
		t.Fatal("a newer session is open")
	}
	h.disconnect(host)
	got := must(h.Host(h.ctx, "web1"))(t)
	if got.Online || !got.LastSeenAt.Equal(seen) {
		t.Fatalf("online %v, last seen %v", got.Online, got.LastSeenAt)
	}
	rev := got.Rev
	h.ok(h.AgentGone(h.ctx, host.ID))
	if got := must(h.Host(h.ctx, "web1"))(t); got.Rev != rev {
		t.Fatal("gone twice changes nothing")
	}
}

// TestHelloOfAHostThatIsAsItWas: a fleet that comes back after a restart of the daemon writes nothing, and whatever is new is written.
func TestHelloOfAHostThatIsAsItWas(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	h.connect(host)
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, agentwire.JobFinished{Outcome: fleet.Outcome{State: fleet.StateSucceeded}}))
	held := agentwire.HeldJob{JobID: job.ID, State: fleet.StateSucceeded, Acked: true}
	hello := func(change func(*agentwire.Hello)) (wrote bool) {
		t.Helper()
		before := must(h.store.Rev(h.ctx))(t)
		m := agentwire.Hello{AgentID: host.AgentID, Facts: facts("web1"), Clock: h.clock.Now(), Jobs: []agentwire.HeldJob{held}}
		change(&m)
		h.dispatch.setOnline(host.ID, true)
		got, _, _, err := h.AgentHello(h.ctx, host.AgentID, m, h.clock.Now())
		h.ok(err)
		if stored := must(h.Host(h.ctx, "web1"))(t); !stored.Online || stored.Rev != got.Rev || stored.Hostname != m.Facts.Hostname {
			t.Fatalf("stored %+v, told %+v", stored, got)
		}
		return must(h.store.Rev(h.ctx))(t) > before
	}
	same := func(*agentwire.Hello) {}
	h.restart()
	h.clock.add(time.Hour)
	if hello(same) || hello(func(m *agentwire.Hello) { m.Clock = m.Clock.Add(time.Second) }) {
		t.Fatal("written, and nothing is new")
	}
	h.clock.add(2 * time.Minute)
	h.ok(h.Sweep(h.ctx)) // writes the contact
	h.dispatch.setOnline(host.ID, false)
	h.ok(h.AgentGone(h.ctx, host.ID))
	if got := must(h.Host(h.ctx, "web1"))(t); !got.LastSeenAt.Equal(h.clock.Now().Add(-2 * time.Minute)) {
		t.Fatalf("last seen %v: it was by the hello that wrote nothing", got.LastSeenAt)
	}
	if !hello(same) {
		t.Fatal("the host is back, and nobody is told")
	}
	if !hello(func(m *agentwire.Hello) { m.Clock = m.Clock.Add(time.Minute) }) || !hello(same) {
		t.Fatal("the clock moved")
	}
	if !hello(func(m *agentwire.Hello) { m.Facts.Hostname = "web1-new" }) || !hello(same) {
		t.Fatal("the host has another name")
	}
	open := h.backup(host, repository)
	if !hello(same) {
		t.Fatal("a job is open: the hello has to be weighed against it")
	}
	h.is(open.ID, fleet.StateQueued)
	h.ok(h.RevokeHost(h.ctx, h.admin, host.ID))
	_, _, _, err := h.AgentHello(h.ctx, host.AgentID, agentwire.Hello{AgentID: host.AgentID, Facts: facts("web1")}, h.clock.Now())
	h.refused(err, fault.HostRevoked)
}
