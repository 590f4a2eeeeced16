package control_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func jobsOf(id fleet.RepositoryID) control.JobFilter { return control.JobFilter{RepositoryID: id} }

func TestEnrol(t *testing.T) {
	h := newHouse(t)
	token := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(t)
	if !strings.HasPrefix(token.Token, "bse_") || !token.ExpiresAt.Equal(h.clock.Now().Add(time.Hour)) || token.Address != "https://daemon:8443" ||
		token.Command != "backstay-agent enrol --server https://daemon:8443 --token "+token.Token+" --pin sha256:pin" {
		t.Fatalf("%+v", token)
	}
	host := must(h.Enrol(h.ctx, token.Token, facts("web1")))(t)
	if host.Name != "web1" || host.AgentID == "" || host.Online || !host.EnrolledAt.Equal(h.clock.Now()) {
		t.Fatalf("%+v", host)
	}
	if got := must(h.Agent(h.ctx, host.AgentID))(t); got != host.ID {
		t.Fatalf("%+v", got)
	}
	if a := h.lastAudit(); a.Action != "host.enrol" || a.Object != string(host.ID) || strings.Contains(a.Actor+a.Detail, token.Token) {
		t.Fatalf("audit %+v", a)
	}
	_, err := h.Enrol(h.ctx, token.Token, facts("web2"))
	h.refused(err, fault.TokenUsed)
	// The same host name twice, and one that is no name.
	if second := h.enrol("web1"); second.Name != "web1-2" {
		t.Fatalf("second %q", second.Name)
	}
	if odd := h.enrol("--a/b--"); odd.Name != "host" {
		t.Fatalf("odd %q", odd.Name)
	}
}

func TestEnrolOneTokenAtOnce(t *testing.T) {
	h := newHouse(t)
	token := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(t)
	var wg sync.WaitGroup
	errs := make([]error, 10)
	for i := range errs {
		wg.Go(func() { _, errs[i] = h.Enrol(h.ctx, token.Token, facts("web1")) })
	}
	wg.Wait()
	good := 0
	for _, err := range errs {
		if err == nil {
			good++
			continue
		}
		h.refused(err, fault.TokenUsed)
	}
	if good != 1 || len(must(h.Hosts(h.ctx))(t)) != 1 {
		t.Fatalf("%d agents came in with one token", good)
	}
}

func TestEnrolThatIsRefused(t *testing.T) {
	h := newHouse(t)
	for _, bad := range []string{"", "bse_x", "bst_" + strings.Repeat("x", 40), strings.Repeat("x", 1<<20)} {
		_, err := h.Enrol(h.ctx, bad, facts("web1"))
		h.refused(err, fault.TokenInvalid)
	}
	token := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{ValidForMS: 60_000}))(t)
	_, err := h.Enrol(h.ctx, token.Token, facts(""))
	h.refused(err, fault.Protocol)
	h.clock.add(time.Minute)
	_, err = h.Enrol(h.ctx, token.Token, facts("web1"))
	h.refused(err, fault.TokenExpired)
	for _, ms := range []int64{-1, 24*3600*1000 + 1, 1 << 62} {
		_, err := h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{ValidForMS: ms})
		h.refused(err, fault.InvalidInput)
	}
	_, err = h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{HostID: "x"})
	h.refused(err, fault.UnknownHost)
}

func TestEnrolAnew(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	h.connect(host)
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	h.ok(h.RevokeHost(h.ctx, h.admin, host.ID))
	token := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{HostID: "web1"}))(t)
	if !strings.HasSuffix(token.Command, " --again") {
		t.Fatalf("command %q", token.Command)
	}
	h.dispatch.cut = nil
	again := must(h.Enrol(h.ctx, token.Token, facts("renamed")))(t)
	if again.ID != host.ID || again.AgentID == host.AgentID || again.Name != "web1" || again.RevokedAt != nil || again.LastJobID != host.LastJobID {
		t.Fatalf("%+v", again)
	}
	if len(h.dispatch.cut) != 1 {
		t.Fatal("the former agent is still connected")
	}
	_, err := h.Agent(h.ctx, host.AgentID)
	h.refused(err, fault.HostRevoked)
	must(h.Agent(h.ctx, again.AgentID))(t)
	h.connect(again)
	h.is(job.ID, fleet.StateLost)
}

func TestUsers(t *testing.T) {
	h := newHouse(t)
	ada := h.user("ada", fleet.RoleAdmin)
	bob := h.user("bob@example.org", fleet.RoleViewer)
	if all := must(h.Users(h.ctx))(t); len(all) != 2 || all[0] != ada || all[1] != bob {
		t.Fatalf("%+v", all)
	}
	for name, req := range map[string]api.UserRequest{
		"no name":        {Password: password, Role: fleet.RoleViewer},
		"colon":          {Name: "token:x", Password: password, Role: fleet.RoleViewer},
		"system":         {Name: "system", Password: password, Role: fleet.RoleViewer},
		"the system":     {Name: "Local", Password: password, Role: fleet.RoleViewer},
		"other letters":  {Name: "аda", Password: password, Role: fleet.RoleViewer},
		"short password": {Name: "x", Password: "123456789", Role: fleet.RoleViewer},
		"long password":  {Name: "x", Password: strings.Repeat("x", 1025), Role: fleet.RoleViewer},
		"role":           {Name: "x", Password: password, Role: "root"},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			_, err := h.CreateUser(h.ctx, h.admin, req)
			h.refused(err, fault.InvalidInput)
		})
	}
	h.t = t
	_, err := h.CreateUser(h.ctx, h.admin, api.UserRequest{Name: "ada", Password: password, Role: fleet.RoleViewer})
	h.refused(err, fault.Conflict)
	_, err = h.CreateUser(h.ctx, h.admin, api.UserRequest{Name: "Bob@Example.org", Password: password, Role: fleet.RoleViewer})
	h.refused(err, fault.Conflict)
	h.refused(h.DeleteUser(h.ctx, h.admin, ada.ID), fault.Conflict) // the last admin
	h.user("eve", fleet.RoleAdmin)
	h.ok(h.DeleteUser(h.ctx, h.admin, ada.ID))
	h.refused(h.DeleteUser(h.ctx, h.admin, ada.ID), fault.NotFound)
	h.ok(h.DeleteUser(h.ctx, h.admin, "bob@example.org"))
}

func TestSignIn(t *testing.T) {
	h := newHouse(t)
	h.user("bob", fleet.RoleOperator)
	s := must(h.SignIn(h.ctx, "bob", password, "127.0.0.1:5000"))(t)
	if !strings.HasPrefix(s.Token, "bss_") || s.User != "bob" || s.Role != fleet.RoleOperator || !s.ExpiresAt.Equal(h.clock.Now().Add(12*time.Hour)) {
		t.Fatalf("%+v", s)
	}
	actor := must(h.Authenticate(h.ctx, s.Token))(t)
	if actor.Name != "bob" || actor.Role != fleet.RoleOperator || !actor.Expires.Equal(s.ExpiresAt) {
		t.Fatalf("%+v", actor)
	}
	if a := h.lastAudit(); a.Action != "session.create" || a.Actor != "bob" || a.Object != actor.TokenID {
		t.Fatalf("audit %+v", a)
	}
	var messages []string
	for _, c := range [][2]string{{"bob", "wrong password"}, {"nobody", password}, {"", ""}, {"bob", strings.Repeat("x", 2000)}, {strings.Repeat("x", 200), password}} {
		_, err := h.SignIn(h.ctx, c[0], c[1], "")
		h.refused(err, fault.Unauthenticated)
		messages = append(messages, err.Error())
	}
	for _, m := range messages {
		if m != messages[0] {
			t.Fatalf("answers differ: %q and %q", m, messages[0])
		}
	}
	h.ok(h.SignOut(h.ctx, actor))
	_, err := h.Authenticate(h.ctx, s.Token)
	h.refused(err, fault.Unauthenticated)
}

func TestSessionsEnd(t *testing.T) {
	h := newHouse(t)
	h.user("bob", fleet.RoleViewer)
	s := must(h.SignIn(h.ctx, "bob", password, ""))(t)
	h.clock.add(12*time.Hour - time.Millisecond)
	must(h.Authenticate(h.ctx, s.Token))(t)
	h.clock.add(time.Millisecond) // also from the cache
	_, err := h.Authenticate(h.ctx, s.Token)
	h.refused(err, fault.Unauthenticated)
	for _, bad := range []string{"", "bss_", "bst_", s.Token + "x", strings.ToUpper(s.Token), "x' OR 1=1 --", strings.Repeat("bss_", 1000)} {
		_, err := h.Authenticate(h.ctx, bad)
		h.refused(err, fault.Unauthenticated)
	}
}

func TestRevokingTakesASecondAtMost(t *testing.T) {
	h := newHouse(t)
	bob := h.user("bob", fleet.RoleAdmin)
	h.user("eve", fleet.RoleAdmin)
	session := must(h.SignIn(h.ctx, "bob", password, ""))(t)
	actor := must(h.Authenticate(h.ctx, session.Token))(t)
	token := must(h.CreateToken(h.ctx, actor, api.TokenRequest{Name: "bob's", Role: fleet.RoleViewer}))(t)
	other := must(h.CreateToken(h.ctx, h.admin, api.TokenRequest{Name: "ci", Role: fleet.RoleViewer}))(t)
	for _, s := range []string{session.Token, token.Secret, other.Secret} {
		must(h.Authenticate(h.ctx, s))(t)
	}
	h.ok(h.DeleteToken(h.ctx, h.admin, other.ID))
	_, err := h.Authenticate(h.ctx, other.Secret)
	h.refused(err, fault.Unauthenticated)
	h.ok(h.DeleteUser(h.ctx, h.admin, bob.ID))
	for _, s := range []string{session.Token, token.Secret} {
		_, err := h.Authenticate(h.ctx, s)
		h.refused(err, fault.Unauthenticated)
	}
	// Revoked by another program on the same store: the cache is good for a second.
	session = must(h.SignIn(h.ctx, "eve", password, ""))(t)
	actor = must(h.Authenticate(h.ctx, session.Token))(t)
	_, err = h.store.Update(h.ctx, func(w control.Writer) error { return w.DeleteSession(h.ctx, actor.TokenID) })
	h.ok(err)
	h.clock.add(time.Second)
	_, err = h.Authenticate(h.ctx, session.Token)
	h.refused(err, fault.Unauthenticated)
}

func TestTokens(t *testing.T) {
	h := newHouse(t)
	operator := control.Actor{Name: "bob", Role: fleet.RoleOperator}
	token := must(h.CreateToken(h.ctx, operator, api.TokenRequest{Name: "ci", Role: fleet.RoleOperator, ValidForMS: 60_000}))(t)
	if !strings.HasPrefix(token.Secret, "bst_") || !token.ExpiresAt.Equal(h.clock.Now().Add(time.Minute)) || token.CreatedBy != "bob" {
		t.Fatalf("%+v", token)
	}
	actor := must(h.Authenticate(h.ctx, token.Secret))(t)
	if actor.Name != "token:ci" || actor.Role != fleet.RoleOperator || actor.TokenID != token.ID {
		t.Fatalf("%+v", actor)
	}
	h.refused(h.SignOut(h.ctx, actor), fault.Conflict)
	all := must(h.Tokens(h.ctx))(t)
	if len(all) != 1 || all[0].Secret != "" || all[0].Name != "ci" {
		t.Fatalf("%+v", all)
	}
	_, err := h.CreateToken(h.ctx, operator, api.TokenRequest{Name: "more", Role: fleet.RoleAdmin})
	h.refused(err, fault.Forbidden)
	_, err = h.CreateToken(h.ctx, operator, api.TokenRequest{Name: "ci", Role: fleet.RoleViewer})
	h.refused(err, fault.Conflict)
	for name, req := range map[string]api.TokenRequest{
		"no name":  {Role: fleet.RoleViewer},
		"role":     {Name: "x", Role: "root"},
		"negative": {Name: "x", Role: fleet.RoleViewer, ValidForMS: -1},
		"for ever": {Name: "x", Role: fleet.RoleViewer, ValidForMS: 1 << 62},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			_, err := h.CreateToken(h.ctx, h.admin, req)
			h.refused(err, fault.InvalidInput)
		})
	}
	h.t = t
	h.clock.add(time.Minute)
	_, err = h.Authenticate(h.ctx, token.Secret)
	h.refused(err, fault.Unauthenticated)
	h.refused(h.DeleteToken(h.ctx, h.admin, "x"), fault.NotFound)
}

func TestTokensOfTokensEndWithTheUser(t *testing.T) {
	h := newHouse(t)
	eve := h.user("eve", fleet.RoleAdmin)
	h.user("ada", fleet.RoleAdmin)
	first := must(h.CreateToken(h.ctx, control.Actor{Name: "eve", Role: fleet.RoleAdmin}, api.TokenRequest{Name: "first", Role: fleet.RoleAdmin}))(t)
	child := must(h.CreateToken(h.ctx, must(h.Authenticate(h.ctx, first.Secret))(t), api.TokenRequest{Name: "child", Role: fleet.RoleAdmin}))(t)
	grandchild := must(h.CreateToken(h.ctx, must(h.Authenticate(h.ctx, child.Secret))(t), api.TokenRequest{Name: "grandchild", Role: fleet.RoleViewer}))(t)
	if child.CreatedBy != "eve" || grandchild.CreatedBy != "eve" {
		t.Errorf("made by %q and %q, want eve", child.CreatedBy, grandchild.CreatedBy)
	}
	if a := h.lastAudit(); a.Actor != "token:child" {
		t.Errorf("audit %+v does not name the token that did it", a)
	}
	h.ok(h.DeleteUser(h.ctx, h.admin, eve.ID))
	for _, secret := range []string{first.Secret, child.Secret, grandchild.Secret} {
		_, err := h.Authenticate(h.ctx, secret)
		h.refused(err, fault.Unauthenticated)
	}
}

func TestNoSecretIsStored(t *testing.T) {
	h := newHouse(t)
	h.user("bob", fleet.RoleAdmin)
	host := h.enrol("web1")
	h.repository("main")
	h.connect(host)
	session := must(h.SignIn(h.ctx, "bob", password, ""))(t)
	token := must(h.CreateToken(h.ctx, h.admin, api.TokenRequest{Name: "ci", Role: fleet.RoleViewer}))(t)
	enrolment := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(t)
	h.ok(h.PutSecret(h.ctx, h.admin, "web1", "main", sealed))
	h.holdsNone(password, session.Token, token.Secret, enrolment.Token, "YWdl")
}

func TestAuditPages(t *testing.T) {
	h := newHouse(t)
	for range 5 {
		must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(t)
	}
	rows := must(h.Audit(h.ctx, 2, 2))(t)
	if len(rows) != 2 || rows[0].Seq != 3 || rows[1].Seq != 4 || rows[0].Hash == rows[1].Hash {
		t.Fatalf("%+v", rows)
	}
	_, err := h.Audit(h.ctx, 0, -1)
	h.refused(err, fault.InvalidInput)
	if bad := must(h.VerifyAudit(h.ctx))(t); bad != 0 {
		t.Fatalf("the chain breaks at %d", bad)
	}
}

func TestReady(t *testing.T) {
	h := newHouse(t)
	h.ok(h.Ready(h.ctx))
	if len(h.Epoch()) != 32 {
		t.Fatalf("epoch %q", h.Epoch())
	}
	h.ok(h.store.Close())
	if err := h.Ready(h.ctx); err == nil || errors.Is(err, control.ErrNotFound) {
		t.Fatalf("a closed store is ready: %v", err)
	}
}
