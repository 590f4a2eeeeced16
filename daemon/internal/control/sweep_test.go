package control_test

import (
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestSweepGivesHostsTimeToComeBack(t *testing.T) {
	h := newHouse(t)
	away, here, repository := h.enrol("away"), h.enrol("here"), h.repository("main")
	h.connect(away)
	h.connect(here)
	a, b := h.backup(away, repository), h.backup(here, repository)
	h.takeTo(a, fleet.StateRunning)
	h.takeTo(b, fleet.StateRunning)
	h.disconnect(away)
	h.clock.add(time.Minute)
	h.ok(h.Sweep(h.ctx))
	h.is(a.ID, fleet.StateRunning)
	h.clock.add(time.Minute + time.Second)
	h.ok(h.Sweep(h.ctx))
	h.is(a.ID, fleet.StateUnknown)
	h.is(b.ID, fleet.StateRunning)
	if !h.logs.wasRung(a.ID) {
		t.Fatal("the readers of the job were not rung")
	}
	rev := h.job(a.ID).Rev
	h.ok(h.Sweep(h.ctx))
	if h.job(a.ID).Rev != rev {
		t.Fatal("a second sweep changes nothing")
	}
}

func TestSweepAfterARestart(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	h.connect(host)
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	h.ok(h.Heartbeat(h.ctx, host.ID, agentwire.Heartbeat{}))
	h.clock.add(2 * time.Minute)
	h.ok(h.Heartbeat(h.ctx, host.ID, agentwire.Heartbeat{}))
	seen := h.clock.Now()
	h.ok(h.Sweep(h.ctx)) // writes the contact

	h.clock.add(5 * time.Hour)
	h.restart()
	h.ok(h.Sweep(h.ctx))
	if !must(h.Host(h.ctx, "web1"))(t).Online {
		t.Fatal("the host had no time to come back")
	}
	h.clock.add(30 * time.Second)
	h.ok(h.Sweep(h.ctx))
	got := must(h.Host(h.ctx, "web1"))(t)
	if got.Online || !got.LastSeenAt.Equal(seen) {
		t.Fatalf("online %v, last seen %v, want %v", got.Online, got.LastSeenAt, seen)
	}
	h.is(job.ID, fleet.StateRunning) // the daemon was away, not the host
	h.clock.add(3 * time.Minute)
	h.ok(h.Sweep(h.ctx))
	h.is(job.ID, fleet.StateUnknown)
}

func TestSweepBelievesTheDispatcher(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	h.connect(host)
	h.dispatch.setOnline(host.ID, false)
	h.ok(h.AgentGone(h.ctx, host.ID)) // of the old session, handled after the new one's hello
	h.dispatch.setOnline(host.ID, true)
	h.ok(h.Sweep(h.ctx))
	if !must(h.Host(h.ctx, "web1"))(t).Online {
		t.Fatal("a session is open")
	}
	h.ok(h.RevokeHost(h.ctx, h.admin, host.ID))
	h.dispatch.setOnline(host.ID, true) // still closing
	h.ok(h.Sweep(h.ctx))
	if must(h.Host(h.ctx, "web1"))(t).Online {
		t.Fatal("a revoked host is never online")
	}
}

func TestSweepExpiresQueuedJobs(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	old := h.manyQueued(h.backup(host, repository), 1200) // more than two batches
	sent := h.backup(host, repository)
	h.takeTo(sent, fleet.StateDispatched)
	h.clock.add(24*time.Hour + time.Second)
	young := h.backup(host, repository)
	h.ok(h.Sweep(h.ctx))
	for _, j := range []fleet.JobID{old[0], old[499], old[500], old[1199]} {
		if got := h.job(j); got.State != fleet.StateFailed || got.Outcome.Reason != fleet.ReasonExpired || got.FinishedAt == nil {
			t.Fatalf("%+v", got)
		}
	}
	if page := must(h.Jobs(h.ctx, control.JobFilter{States: []fleet.JobState{fleet.StateQueued}}))(t); len(page.Items) != 1 || page.Items[0].ID != young.ID {
		t.Fatalf("%d jobs are still queued", len(page.Items))
	}
	h.is(sent.ID, fleet.StateUnknown) // it may be running: never failed
}

func TestSweepRemovesWhatHasEnded(t *testing.T) {
	h := newHouse(t)
	h.user("bob", fleet.RoleViewer)
	session := must(h.SignIn(h.ctx, "bob", password, "::1"))(t)
	token := must(h.CreateToken(h.ctx, h.admin, api.TokenRequest{Name: "ci", Role: fleet.RoleViewer, ValidForMS: 1000}))(t)
	must(h.CreateToken(h.ctx, h.admin, api.TokenRequest{Name: "for ever", Role: fleet.RoleViewer}))(t)
	enrolment := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(t)
	must(h.Authenticate(h.ctx, token.Secret))(t)
	h.clock.add(time.Minute)
	h.ok(h.Sweep(h.ctx))
	if all := must(h.Tokens(h.ctx))(t); all[0].LastUsedAt == nil || all[1].LastUsedAt != nil {
		t.Fatalf("use of tokens: %+v", all)
	}
	h.clock.add(2 * time.Hour)
	h.ok(h.Sweep(h.ctx))
	_, err := h.Enrol(h.ctx, enrolment.Token, facts("x"))
	h.refused(err, fault.TokenExpired) // told from a wrong one for a week
	h.clock.add(8 * 24 * time.Hour)
	h.ok(h.Sweep(h.ctx))
	_, err = h.Enrol(h.ctx, enrolment.Token, facts("x"))
	h.refused(err, fault.TokenInvalid)
	if all := must(h.Tokens(h.ctx))(t); len(all) != 1 || all[0].Name != "for ever" {
		t.Fatalf("tokens %+v", all)
	}
	_, err = h.Authenticate(h.ctx, session.Token)
	h.refused(err, fault.Unauthenticated)
}
