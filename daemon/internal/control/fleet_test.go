package control_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestRepositories(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	v := h.repository("main")
	h.plan("nightly", v, host)
	h.dispatch.configured = nil
	changed, err := h.UpdateRepository(h.ctx, h.admin, "main", api.RepositoryRequest{Name: "prime", URL: "/srv/backup"})
	h.ok(err)
	if changed.ID != v.ID || changed.URL != "/srv/backup" || changed.Rev <= v.Rev || !changed.CreatedAt.Equal(v.CreatedAt) {
		t.Fatalf("%+v", changed)
	}
	if !slices.Equal(h.dispatch.configured, []fleet.HostID{host.ID}) {
		t.Fatalf("configured %v", h.dispatch.configured)
	}
	for _, name := range []string{"prime", string(v.ID)} {
		if got := must(h.Repository(h.ctx, name))(t); got.ID != v.ID {
			t.Fatalf("%s is %+v", name, got)
		}
	}
	_, err = h.Repository(h.ctx, "main")
	h.refused(err, fault.UnknownRepository)
	if all := must(h.Repositories(h.ctx))(t); len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	if a := h.lastAudit(); a.Action != "repository.update" || a.Object != string(v.ID) {
		t.Fatalf("audit %+v", a)
	}
}

func TestRepositoriesThatAreRefused(t *testing.T) {
	h := newHouse(t)
	h.repository("main")
	for name, c := range map[string]struct {
		req  api.RepositoryRequest
		code fault.Code
	}{
		"no name":          {api.RepositoryRequest{URL: "/srv"}, fault.InvalidInput},
		"name taken":       {api.RepositoryRequest{Name: "main", URL: "/srv"}, fault.Conflict},
		"slash":            {api.RepositoryRequest{Name: "a/b", URL: "/srv"}, fault.InvalidInput},
		"control":          {api.RepositoryRequest{Name: "a\nb", URL: "/srv"}, fault.InvalidInput},
		"turned about":     {api.RepositoryRequest{Name: "a\u202eb", URL: "/srv"}, fault.InvalidInput},
		"no text any more": {api.RepositoryRequest{Name: "a\ufffd", URL: "/srv"}, fault.InvalidInput},
		"no text":          {api.RepositoryRequest{Name: "a\xff", URL: "/srv"}, fault.InvalidInput},
		"hyphen":           {api.RepositoryRequest{Name: "-a", URL: "/srv"}, fault.InvalidInput},
		"space":            {api.RepositoryRequest{Name: " a", URL: "/srv"}, fault.InvalidInput},
		"long":             {api.RepositoryRequest{Name: strings.Repeat("x", 129), URL: "/srv"}, fault.InvalidInput},
		"no url":           {api.RepositoryRequest{Name: "a"}, fault.InvalidRepositoryURL},
		"relative":         {api.RepositoryRequest{Name: "a", URL: "srv"}, fault.InvalidRepositoryURL},
		"a command":        {api.RepositoryRequest{Name: "a", URL: "rclone::sftp,ssh=sh:x"}, fault.InvalidRepositoryURL},
		"a password":       {api.RepositoryRequest{Name: "a", URL: "rest:https://u:p@h/"}, fault.InvalidRepositoryURL},
		"an option":        {api.RepositoryRequest{Name: "a", URL: "/srv", Options: map[string]string{"sftp.command": "sh"}}, fault.InvalidInput},
		"no certificate":   {api.RepositoryRequest{Name: "a", URL: "rest:https://h/", CACert: "x"}, fault.InvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			_, err := h.AddRepository(h.ctx, h.admin, c.req)
			h.refused(err, c.code)
			if c.req.Name == "main" {
				return
			}
			_, err = h.UpdateRepository(h.ctx, h.admin, "main", c.req)
			h.refused(err, c.code)
		})
	}
	h.t = t
	h.repository("second")
	_, err := h.UpdateRepository(h.ctx, h.admin, "second", api.RepositoryRequest{Name: "main", URL: "/srv"})
	h.refused(err, fault.Conflict)
	_, err = h.UpdateRepository(h.ctx, h.admin, "third", api.RepositoryRequest{Name: "x", URL: "/srv"})
	h.refused(err, fault.UnknownRepository)
}

func TestDeleteRepository(t *testing.T) {
	h := newHouse(t)
	host, v := h.enrol("web1"), h.repository("main")
	h.connect(host)
	h.ok(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed))
	plan := h.plan("nightly", v, host)
	h.refused(h.DeleteRepository(h.ctx, h.admin, "main"), fault.Conflict)
	h.ok(h.DeletePlan(h.ctx, h.admin, plan.Name))
	job := h.list(host, v, fullID)
	h.refused(h.DeleteRepository(h.ctx, h.admin, "main"), fault.Conflict)
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, h.finished(fleet.StateSucceeded)))
	h.feed.take()
	h.ok(h.DeleteRepository(h.ctx, h.admin, "main"))
	rows := h.feed.take()
	if len(rows) != 2 || len(rows[0].Host.Secrets) != 0 || !rows[1].Deleted || rows[1].ID != string(v.ID) {
		t.Fatalf("published %+v", rows)
	}
	h.refused(h.DeleteRepository(h.ctx, h.admin, "main"), fault.UnknownRepository)
	// A backup that ends afterwards has nowhere to put its snapshot, and that is all right; so has a listing.
	h.ok(h.SnapshotsReported(h.ctx, host.ID, job.ID, agentwire.SnapshotsReport{RepositoryID: v.ID, Part: 1, Parts: 1}))
	if page := must(h.Jobs(h.ctx, jobsOf(v.ID)))(t); len(page.Items) != 1 {
		t.Fatalf("jobs of a deleted repository: %+v", page.Items)
	}
}

func TestPlans(t *testing.T) {
	h := newHouse(t)
	a, b, c := h.enrol("a"), h.enrol("b"), h.enrol("c")
	main, second := h.repository("main"), h.repository("second")
	p := h.plan("nightly", main, a, b, a)
	if !slices.Equal(p.Hosts, []fleet.HostID{a.ID, b.ID}) {
		t.Fatalf("hosts %v", p.Hosts)
	}
	before := must(h.HostConfig(h.ctx, a.ID))(t)
	h.dispatch.configured = nil
	changed, err := h.UpdatePlan(h.ctx, h.admin, "nightly", api.PlanRequest{Name: "weekly", RepositoryID: "second", Hosts: []fleet.HostID{"c", "b"},
		Backup: fleet.BackupSpec{Paths: []string{"/srv"}}})
	h.ok(err)
	if changed.ID != p.ID || changed.RepositoryID != second.ID || !slices.Equal(changed.Hosts, []fleet.HostID{c.ID, b.ID}) {
		t.Fatalf("%+v", changed)
	}
	if want := []fleet.HostID{a.ID, b.ID, c.ID}; !slices.Equal(h.dispatch.configured, want) {
		t.Fatalf("configured %v, want %v", h.dispatch.configured, want)
	}
	after := must(h.HostConfig(h.ctx, a.ID))(t)
	if after.Version <= before.Version || len(after.Plans) != 0 || len(before.Plans) != 1 || before.Repositories[0].ID != main.ID {
		t.Fatalf("desired state of a: %+v, then %+v", before, after)
	}
	now := must(h.HostConfig(h.ctx, c.ID))(t)
	if len(now.Plans) != 1 || now.Plans[0].Name != "weekly" || len(now.Repositories) != 1 || now.Repositories[0].ID != second.ID {
		t.Fatalf("desired state of c: %+v", now)
	}
	must(h.UpdateRepository(h.ctx, h.admin, "second", api.RepositoryRequest{Name: "second", URL: "/srv/other"}))(t)
	if later := must(h.HostConfig(h.ctx, c.ID))(t); later.Version <= now.Version || later.Repositories[0].URL != "/srv/other" {
		t.Fatalf("desired state of c: %+v", later)
	}
	h.ok(h.DeletePlan(h.ctx, h.admin, string(p.ID)))
	if got := must(h.HostConfig(h.ctx, b.ID))(t); len(got.Plans) != 0 || len(got.Repositories) != 0 {
		t.Fatalf("desired state of b: %+v", got)
	}
	if all := must(h.Plans(h.ctx))(t); len(all) != 0 {
		t.Fatalf("%+v", all)
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	h := newHouse(t)
	host, gone := h.enrol("web1"), h.enrol("gone")
	main := h.repository("main")
	h.plan("nightly", main, host, gone)
	h.ok(h.RevokeHost(h.ctx, h.admin, gone.ID))
	good := api.PlanRequest{Name: "p", RepositoryID: main.ID, Hosts: []fleet.HostID{host.ID}, Backup: fleet.BackupSpec{Paths: []string{"/home"}}}
	for name, c := range map[string]struct {
		change func(*api.PlanRequest)
		code   fault.Code
	}{
		"no name":       {func(p *api.PlanRequest) { p.Name = "" }, fault.InvalidInput},
		"name taken":    {func(p *api.PlanRequest) { p.Name = "nightly" }, fault.Conflict},
		"repository":    {func(p *api.PlanRequest) { p.RepositoryID = "x" }, fault.UnknownRepository},
		"no repository": {func(p *api.PlanRequest) { p.RepositoryID = "" }, fault.UnknownRepository},
		"no hosts":      {func(p *api.PlanRequest) { p.Hosts = nil }, fault.InvalidInput},
		"host":          {func(p *api.PlanRequest) { p.Hosts = []fleet.HostID{"x"} }, fault.UnknownHost},
		"revoked host":  {func(p *api.PlanRequest) { p.Hosts = []fleet.HostID{gone.ID} }, fault.HostRevoked},
		"no paths":      {func(p *api.PlanRequest) { p.Backup.Paths = nil }, fault.InvalidPath},
		"relative path": {func(p *api.PlanRequest) { p.Backup.Paths = []string{"home"} }, fault.InvalidPath},
		"own tag":       {func(p *api.PlanRequest) { p.Backup.Tags = []string{"job:1"} }, fault.InvalidInput},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			req := good
			c.change(&req)
			_, err := h.AddPlan(h.ctx, h.admin, req)
			h.refused(err, c.code)
		})
	}
	h.t = t
	// A plan that had the revoked host before may keep it.
	req := good
	req.Name, req.Hosts = "nightly", []fleet.HostID{host.ID, gone.ID}
	must(h.UpdatePlan(h.ctx, h.admin, "nightly", req))(t)
	_, err := h.UpdatePlan(h.ctx, h.admin, "x", req)
	h.refused(err, fault.UnknownPlan)
	h.refused(h.DeletePlan(h.ctx, h.admin, "x"), fault.UnknownPlan)
	_, err = h.Plan(h.ctx, "x")
	h.refused(err, fault.UnknownPlan)
}

const sealed = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"

func TestSecretsGoThroughAndAreNotKept(t *testing.T) {
	h := newHouse(t)
	host, v := h.enrol("web1"), h.repository("main")
	h.refused(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed), fault.HostOffline)
	h.connect(host)
	h.ok(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed))
	r := h.dispatch.requests[0]
	if r.Kind != agentwire.RequestPutSecret || r.Sealed != sealed || r.Repository.ID != v.ID {
		t.Fatalf("request %+v", r)
	}
	if got := must(h.Host(h.ctx, "web1"))(t); !slices.Equal(got.Secrets, []fleet.RepositoryID{v.ID}) {
		t.Fatalf("secrets %v", got.Secrets)
	}
	if a := h.lastAudit(); a.Action != "secret.put" || strings.Contains(a.Detail, "AGE") {
		t.Fatalf("audit %+v", a)
	}
	rev := must(h.Host(h.ctx, "web1"))(t).Rev
	h.ok(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed)) // another password
	if got := must(h.Host(h.ctx, "web1"))(t); got.Rev != rev || len(got.Secrets) != 1 {
		t.Fatalf("%+v", got)
	}
	h.ok(h.DeleteSecret(h.ctx, h.admin, "web1", "main"))
	if got := must(h.Host(h.ctx, "web1"))(t); len(got.Secrets) != 0 {
		t.Fatalf("secrets %v", got.Secrets)
	}
}

func TestSecretsThatAreRefused(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	h.repository("main")
	h.connect(host)
	h.refused(h.PutSecret(h.ctx, h.admin, "web1", "main", "hunter2"), fault.InvalidInput)
	h.refused(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed+strings.Repeat("x", 32<<10)), fault.TooLarge)
	h.refused(h.PutSecret(h.ctx, h.admin, "x", "main", sealed), fault.UnknownHost)
	h.refused(h.PutSecret(h.ctx, h.admin, "web1", "x", sealed), fault.UnknownRepository)
	if len(h.dispatch.requests) != 0 {
		t.Fatalf("sent %v", h.dispatch.requests)
	}
	for name, c := range map[string]struct {
		reply agentwire.Reply
		err   error
		code  fault.Code
	}{
		"keyring":  {agentwire.Reply{Code: fault.SecretStore, Message: "The keyring is locked. Unlock it."}, nil, fault.SecretStore},
		"too far":  {agentwire.Reply{Code: fault.Unauthenticated, Message: "You are signed out, says the agent."}, nil, fault.Unavailable},
		"silence":  {agentwire.Reply{}, context.DeadlineExceeded, fault.Timeout},
		"vanished": {agentwire.Reply{}, fault.New(fault.HostOffline, "The host went away meanwhile. Try again."), fault.HostOffline},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			h.dispatch.answer = func(agentwire.Request) (agentwire.Reply, error) { return c.reply, c.err }
			h.refused(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed), c.code)
			if got := must(h.Host(h.ctx, "web1"))(t); len(got.Secrets) != 0 {
				t.Fatalf("noted a secret that the host refused")
			}
		})
	}
	h.t = t
	h.ok(h.RevokeHost(h.ctx, h.admin, host.ID))
	h.refused(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed), fault.HostRevoked)
}

func TestTestRepository(t *testing.T) {
	h := newHouse(t)
	host := h.enrol("web1")
	v := h.repository("main")
	_, err := h.TestRepository(h.ctx, h.admin, "main", host.ID)
	h.refused(err, fault.HostOffline)
	h.connect(host)
	h.dispatch.answer = func(r agentwire.Request) (agentwire.Reply, error) {
		if r.Kind != agentwire.RequestTestRepository || r.Repository.URL != v.URL || r.TimeoutMS != 40_000 {
			return agentwire.Reply{}, errors.New("unexpected request")
		}
		h.clock.add(250 * time.Millisecond)
		return agentwire.Reply{Message: "It opened.", Data: []byte(`{"restic_id":"abc"}`)}, nil
	}
	got := must(h.TestRepository(h.ctx, h.admin, "main", "web1"))(t)
	if !got.OK || got.ResticID != "abc" || got.ElapsedMS != 250 || got.Message != "It opened." {
		t.Fatalf("%+v", got)
	}
	h.dispatch.answer = func(agentwire.Request) (agentwire.Reply, error) {
		return agentwire.Reply{Reason: fleet.ReasonWrongPassword, Message: "Wrong password.", Data: []byte(`[`)}, nil
	}
	if got = must(h.TestRepository(h.ctx, h.admin, "main", "web1"))(t); got.OK || got.Reason != fleet.ReasonWrongPassword {
		t.Fatalf("%+v", got)
	}
	if a := h.lastAudit(); a.Action != "repository.test" || !strings.HasSuffix(a.Detail, "wrong_password") {
		t.Fatalf("audit %+v", a)
	}
	_, err = h.TestRepository(h.ctx, h.admin, "x", host.ID)
	h.refused(err, fault.UnknownRepository)
	_, err = h.TestRepository(h.ctx, h.admin, "main", "x")
	h.refused(err, fault.UnknownHost)
}

func TestRevokeHost(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	h.connect(host)
	queued, running := h.backup(host, repository), h.backup(host, repository)
	h.takeTo(running, fleet.StateRunning)
	h.ok(h.RevokeHost(h.ctx, h.admin, host.ID))
	got := must(h.Host(h.ctx, "web1"))(t)
	if got.Online || got.RevokedAt == nil || got.LastJobID != queued.ID {
		t.Fatalf("%+v", got)
	}
	h.is(queued.ID, fleet.StateCancelled)
	h.is(running.ID, fleet.StateUnknown)
	if !slices.Equal(h.dispatch.cut, []fleet.HostID{host.ID}) {
		t.Fatalf("disconnected %v", h.dispatch.cut)
	}
	_, err := h.Agent(h.ctx, host.AgentID)
	h.refused(err, fault.HostRevoked)
	_, _, _, err = h.AgentHello(h.ctx, host.AgentID, agentwire.Hello{AgentID: host.AgentID, Facts: facts("web1")}, h.clock.Now())
	h.refused(err, fault.HostRevoked)
	audits := len(must(h.Audit(h.ctx, 0, 500))(t))
	h.ok(h.RevokeHost(h.ctx, h.admin, "web1")) // again, by name: the connection is cut once more, nothing else
	if n := len(must(h.Audit(h.ctx, 0, 500))(t)); n != audits {
		t.Fatal("revoking twice is one change")
	}
	h.refused(h.RevokeHost(h.ctx, h.admin, "x"), fault.UnknownHost)
	_, err = h.Host(h.ctx, "x")
	h.refused(err, fault.UnknownHost)
	if all := must(h.Hosts(h.ctx))(t); len(all) != 1 {
		t.Fatalf("%+v", all)
	}
}
