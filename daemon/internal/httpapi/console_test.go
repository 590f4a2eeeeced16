package httpapi_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestEnrolmentTokensAreListedAndRevoked(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleAdmin)
	token, err := c.CreateEnrolmentToken(h.ctx, api.EnrolmentTokenRequest{})
	h.must(err)
	all, err := c.EnrolmentTokens(h.ctx)
	h.must(err)
	if len(all) != 2 || all[0].ID != token.ID || all[0].UsedAt != nil || all[1].HostID != h.host.ID || all[1].UsedAt == nil {
		t.Fatalf("%+v", all)
	}
	first := h.ask("GET", "/api/v1/enrolment-tokens?limit=1", fleet.RoleAdmin, "")
	if !strings.Contains(first.body, `"next":"`+token.ID+`"`) || strings.Contains(first.body, token.Token) || strings.Contains(first.body, "bse_") {
		t.Errorf("%s", first.body)
	}
	h.must(c.RevokeEnrolmentToken(h.ctx, token.ID))
	wantCode(t, c.RevokeEnrolmentToken(h.ctx, token.ID), fault.NotFound)
	wantCode(t, c.RevokeEnrolmentToken(h.ctx, all[1].ID), fault.Conflict)
	if a := h.ask("DELETE", "/api/v1/enrolment-tokens/"+all[1].ID, fleet.RoleAdmin, ""); a.status != 409 {
		t.Errorf("a used token: %d %s", a.status, a.body)
	}
}

func TestRenameHost(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleOperator)
	host, err := c.RenameHost(h.ctx, "web1", "front")
	h.must(err)
	if host.ID != h.host.ID || host.Name != "front" {
		t.Errorf("%+v", host)
	}
	_, err = c.Host(h.ctx, "web1")
	wantCode(t, err, fault.UnknownHost)
	_, err = c.RenameHost(h.ctx, "front", strings.Repeat("x", 129))
	wantCode(t, err, fault.InvalidInput)
	if a := h.ask("PATCH", "/api/v1/hosts/front", fleet.RoleOperator, `{"name":"x","hostname":"y"}`); a.status != 422 {
		t.Errorf("a member that is none: %d %s", a.status, a.body)
	}
}

// signIn gives a client of a new session.
func (h *house) signIn(user, password string) *apiclient.Client {
	h.t.Helper()
	c := h.client("")
	session, err := c.SignIn(h.ctx, api.SessionRequest{User: user, Password: password})
	h.must(err)
	return c.WithToken(session.Token)
}

func TestUsersAreChanged(t *testing.T) {
	h := newHouse(t)
	for _, u := range []api.UserRequest{{Name: "ada", Password: "correct horse", Role: fleet.RoleAdmin}, {Name: "bob", Password: "correct horse", Role: fleet.RoleOperator}} {
		_, err := h.CreateUser(h.ctx, h.admin, u)
		h.must(err)
	}
	ada, bob := h.signIn("ada", "correct horse"), h.signIn("bob", "correct horse")
	u, err := ada.ChangeUser(h.ctx, "bob", api.UserChange{Role: fleet.RoleViewer})
	h.must(err)
	if u.Name != "bob" || u.Role != fleet.RoleViewer {
		t.Errorf("%+v", u)
	}
	_, err = bob.Identity(h.ctx)
	wantCode(t, err, fault.Unauthenticated)
	_, err = ada.ChangeUser(h.ctx, "ada", api.UserChange{Role: fleet.RoleViewer})
	wantCode(t, err, fault.Conflict)
	_, err = ada.ChangeUser(h.ctx, "ada", api.UserChange{Password: "battery staple"})
	wantCode(t, err, fault.Forbidden)
	_, err = ada.ChangeUser(h.ctx, "nobody", api.UserChange{Role: fleet.RoleViewer})
	wantCode(t, err, fault.NotFound)
	bob = h.signIn("bob", "correct horse")
	other := h.signIn("bob", "correct horse")
	wantCode(t, bob.ChangePassword(h.ctx, api.PasswordChange{Old: "wrong horse", New: "battery staple"}), fault.Forbidden)
	h.must(bob.ChangePassword(h.ctx, api.PasswordChange{Old: "correct horse", New: "battery staple"}))
	_, err = other.Identity(h.ctx)
	wantCode(t, err, fault.Unauthenticated)
	_, err = bob.Identity(h.ctx)
	h.must(err)
	h.signIn("bob", "battery staple")
	for _, body := range []string{`{"role":"root"}`, `{"password":"short"}`, `{"name":"x"}`, `[]`} {
		if a := h.ask("PATCH", "/api/v1/users/bob", fleet.RoleAdmin, body); a.status != 422 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if log := h.log.String(); strings.Contains(log, "battery staple") || strings.Contains(log, "correct horse") {
		t.Error("the log shows a password")
	}
}

// Guessing the old password with a stolen session is limited as signing in is.
func TestOldPasswordsAreLimited(t *testing.T) {
	h := newHouse(t)
	_, err := h.CreateUser(h.ctx, h.admin, api.UserRequest{Name: "bob", Password: "correct horse", Role: fleet.RoleViewer})
	h.must(err)
	bob := h.signIn("bob", "correct horse")
	for range 40 {
		if err = bob.ChangePassword(h.ctx, api.PasswordChange{Old: "a guess", New: "battery staple"}); fault.CodeOf(err) != fault.Forbidden {
			break
		}
	}
	wantCode(t, err, fault.RateLimited)
}

// S8: what a user may no longer see ends within a second, live sockets included.
func TestAWatchEndsWithTheSession(t *testing.T) {
	h := newHouse(t)
	_, err := h.CreateUser(h.ctx, h.admin, api.UserRequest{Name: "bob", Password: "correct horse", Role: fleet.RoleViewer})
	h.must(err)
	for name, change := range map[string]api.UserChange{"role": {Role: fleet.RoleOperator}, "password": {Password: "battery staple"}} {
		t.Run(name, func(t *testing.T) {
			session, err := h.client("").SignIn(h.ctx, api.SessionRequest{User: "bob", Password: "correct horse"})
			h.must(err)
			ctx, cancel := context.WithTimeout(h.ctx, patience)
			defer cancel()
			r, err := h.dialWith(ctx, session.Token, "/watch")
			h.must(err)
			r.send(api.TypeWatch, api.WatchRequest{})
			r.until(api.TypeList)
			began := time.Now()
			_, err = h.ChangeUser(h.ctx, h.admin, "bob", change)
			h.must(err)
			if code := r.closeCode(); code != api.CloseUnauthorized {
				t.Errorf("closed with %d", code)
			}
			t.Logf("closed after %v", time.Since(began))
		})
	}
}

func TestSnapshotsOfAHostAndAPlan(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleOperator)
	plan, err := c.AddPlan(h.ctx, api.PlanRequest{Name: "etc", RepositoryID: "offsite", Hosts: []fleet.HostID{"web1"}, Backup: fleet.BackupSpec{Paths: []string{"/etc"}}})
	h.must(err)
	job, err := c.StartJob(h.ctx, "web1", api.JobRequest{Kind: fleet.KindBackup, Plan: "etc"}, "")
	h.must(err)
	h.saved(job, strings.Repeat("ab", 32))
	h.saved(h.start(), strings.Repeat("cd", 32))
	for _, f := range []struct {
		filter apiclient.SnapshotFilter
		want   int
	}{
		{apiclient.SnapshotFilter{}, 2}, {apiclient.SnapshotFilter{Host: "web1"}, 2}, {apiclient.SnapshotFilter{Plan: "etc"}, 1},
		{apiclient.SnapshotFilter{Host: string(h.host.ID), Plan: string(plan.ID), Repository: "offsite"}, 1}, {apiclient.SnapshotFilter{Hostname: "web2"}, 0},
	} {
		page, err := c.Snapshots(h.ctx, f.filter)
		h.must(err)
		if len(page.Items) != f.want {
			t.Errorf("%+v: %d snapshots, want %d", f.filter, len(page.Items), f.want)
		}
		for _, s := range page.Items {
			if s.HostID != h.host.ID || (s.PlanID == plan.ID) != (s.JobID == job.ID) {
				t.Errorf("%+v", s)
			}
		}
	}
	_, err = c.Snapshots(h.ctx, apiclient.SnapshotFilter{Host: "nobody"})
	wantCode(t, err, fault.UnknownHost)
	repository, err := c.Repository(h.ctx, "offsite")
	h.must(err)
	if repository.SnapshotCount != 2 || repository.LastBackup == nil || repository.LastCheck != nil {
		t.Errorf("%+v", repository)
	}
}

func TestAuditNewestFirst(t *testing.T) {
	h := newHouse(t)
	c := h.client(fleet.RoleViewer)
	oldest, err := c.Audit(h.ctx, 0, 500)
	h.must(err)
	n := len(oldest.Items)
	for before := int64(0); n > 0; {
		page, err := c.NewestAudit(h.ctx, before, 2)
		h.must(err)
		for _, row := range page.Items {
			if n--; row != oldest.Items[n] {
				t.Fatalf("%+v, want %+v", row, oldest.Items[n])
			}
			before = row.Seq
		}
		if (page.Next == "") != (len(page.Items) < 2) {
			t.Fatalf("%d rows, next %q", len(page.Items), page.Next)
		}
	}
	if a := h.ask("GET", "/api/v1/audit?order=random", fleet.RoleViewer, ""); a.status != 422 {
		t.Errorf("%d %s", a.status, a.body)
	}
}
