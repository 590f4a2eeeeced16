package control_test

import (
	"testing"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestAgentFacts(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	h.connect(host)
	rev := must(h.Host(h.ctx, "web1"))(t).Rev
	h.ok(h.AgentFacts(h.ctx, host.ID, facts("web1")))
	if got := must(h.Host(h.ctx, "web1"))(t); got.Rev != rev {
		t.Fatal("the same facts change nothing")
	}
	f := facts("web1")
	f.ResticVersion, f.Secrets = "", []fleet.RepositoryID{repository.ID}
	h.ok(h.AgentFacts(h.ctx, host.ID, f))
	if got := must(h.Host(h.ctx, "web1"))(t); got.ResticVersion != "" || len(got.Secrets) != 1 || !got.Online {
		t.Fatalf("%+v", got)
	}
	f.SealingKey = "ssh-ed25519 x"
	h.refused(h.AgentFacts(h.ctx, host.ID, f), fault.Protocol)
}
