package control_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const otherPassword = "battery staple horse"

// signIn gives the bearer and the actor of a new session.
func (h *house) signIn(user, password string) (string, control.Actor) {
	h.t.Helper()
	s := must(h.SignIn(h.ctx, user, password, ""))(h.t)
	return s.Token, must(h.Authenticate(h.ctx, s.Token))(h.t)
}

func (h *house) signedOut(bearers ...string) {
	h.t.Helper()
	for _, b := range bearers {
		_, err := h.Authenticate(h.ctx, b)
		h.refused(err, fault.Unauthenticated)
	}
}

func TestANewRoleEndsSessionsAndTokensBeyondIt(t *testing.T) {
	h := newHouse(t)
	h.user("ada", fleet.RoleAdmin)
	bob := h.user("bob", fleet.RoleAdmin)
	first, actor := h.signIn("bob", password)
	second, _ := h.signIn("bob", password)
	others, ada := h.signIn("ada", password)
	admins := must(h.CreateToken(h.ctx, actor, api.TokenRequest{Name: "bobs", Role: fleet.RoleAdmin}))(t)
	viewers := must(h.CreateToken(h.ctx, actor, api.TokenRequest{Name: "bobs eyes", Role: fleet.RoleViewer}))(t)
	adas := must(h.CreateToken(h.ctx, ada, api.TokenRequest{Name: "adas", Role: fleet.RoleAdmin}))(t)
	u := must(h.ChangeUser(h.ctx, ada, "bob", api.UserChange{Role: fleet.RoleViewer}))(t)
	if u.ID != bob.ID || u.Role != fleet.RoleViewer || !u.CreatedAt.Equal(bob.CreatedAt) {
		t.Fatalf("%+v", u)
	}
	h.signedOut(first, second, admins.Secret) // at once: nothing waits for the cache
	for _, b := range []string{viewers.Secret, others, adas.Secret} {
		must(h.Authenticate(h.ctx, b))(t)
	}
	if a := h.lastAudit(); a.Action != "user.update" || a.Object != string(bob.ID) || a.Actor != "ada" ||
		a.Detail != "bob: admin to viewer; ended 2 sessions, 1 API tokens and 0 enrolment tokens" {
		t.Fatalf("audit %+v", a)
	}
	if _, again := h.signIn("bob", password); again.Role != fleet.RoleViewer {
		t.Fatalf("%+v", again)
	}
	// One that is so already ends nothing and is no change.
	audits := len(must(h.Audit(h.ctx, 0, 500))(t))
	bearer, _ := h.signIn("bob", password)
	must(h.ChangeUser(h.ctx, ada, string(bob.ID), api.UserChange{Role: fleet.RoleViewer}))(t)
	must(h.Authenticate(h.ctx, bearer))(t)
	if n := len(must(h.Audit(h.ctx, 0, 500))(t)); n != audits+1 { // the sign-in
		t.Fatalf("%d audit rows, were %d", n, audits)
	}
}

// enrolments makes an enrolment token by each of these actors.
func (h *house) enrolments(actors ...control.Actor) (tokens []api.EnrolmentToken) {
	h.t.Helper()
	for _, a := range actors {
		tokens = append(tokens, must(h.CreateEnrolmentToken(h.ctx, a, api.EnrolmentTokenRequest{}))(h.t))
	}
	return tokens
}

// spends tells for each token whether a host can still be enrolled by it.
func (h *house) spends(good bool, tokens ...api.EnrolmentToken) {
	h.t.Helper()
	for _, e := range tokens {
		_, err := h.Enrol(h.ctx, e.Token, facts("web"))
		if good {
			h.ok(err)
		} else {
			h.refused(err, fault.TokenInvalid)
		}
	}
}

// What was made to enrol a host goes with who made it: a deleted user, one that may no longer make such, a deleted API token.
func TestUnusedEnrolmentTokensGoWithTheirMaker(t *testing.T) {
	h := newHouse(t)
	h.user("ada", fleet.RoleAdmin)
	eve := h.user("eve", fleet.RoleAdmin)
	h.user("bob", fleet.RoleAdmin)
	made := func(by control.Actor, name string) (control.Actor, string) {
		token := must(h.CreateToken(h.ctx, by, api.TokenRequest{Name: name, Role: fleet.RoleAdmin}))(t)
		return must(h.Authenticate(h.ctx, token.Secret))(t), token.ID
	}
	_, ada := h.signIn("ada", password)
	_, eves := h.signIn("eve", password)
	_, bobs := h.signIn("bob", password)
	eveCI, _ := made(eves, "eve-ci")
	eveCISon, _ := made(eveCI, "eve-ci-son")
	bobCI, bobCIToken := made(bobs, "bob-ci")
	spent := h.enrolments(eves)
	h.spends(true, spent...)
	evil := h.enrolments(eves, eveCI, eveCISon)
	stay := h.enrolments(ada, bobs, h.admin)

	must(h.ChangeUser(h.ctx, ada, "bob", api.UserChange{Password: otherPassword}))(t) // the role is the same
	h.ok(h.DeleteUser(h.ctx, ada, eve.ID))
	if a := h.lastAudit(); a.Detail != "eve, with 2 API tokens and 3 enrolment tokens" {
		t.Fatalf("audit %+v", a)
	}
	h.spends(false, evil...)
	_, err := h.Enrol(h.ctx, spent[0].Token, facts("web"))
	h.refused(err, fault.TokenUsed) // the record of a host stays
	h.spends(true, stay[0], stay[2])

	machine := h.enrolments(bobCI)
	h.ok(h.DeleteToken(h.ctx, ada, bobCIToken))
	if a := h.lastAudit(); a.Detail != "bob-ci, with 1 enrolment tokens" {
		t.Fatalf("audit %+v", a)
	}
	h.spends(false, machine...)

	must(h.ChangeUser(h.ctx, ada, "bob", api.UserChange{Role: fleet.RoleOperator}))(t)
	if a := h.lastAudit(); !strings.HasSuffix(a.Detail, "0 API tokens and 1 enrolment tokens") {
		t.Fatalf("audit %+v", a)
	}
	h.spends(false, stay[1])

	// A request that was under way when its actor was taken away, or made less, makes nothing.
	for _, gone := range []control.Actor{eves, eveCI, eveCISon, bobCI, bobs} {
		_, err := h.CreateEnrolmentToken(h.ctx, gone, api.EnrolmentTokenRequest{})
		h.refused(err, fault.Unauthenticated)
		_, err = h.CreateToken(h.ctx, gone, api.TokenRequest{Name: "late", Role: fleet.RoleViewer})
		h.refused(err, fault.Unauthenticated)
	}
}

func TestTheLastAdminStaysOne(t *testing.T) {
	h := newHouse(t)
	h.user("ada", fleet.RoleAdmin)
	h.user("bob", fleet.RoleOperator)
	bearer, ada := h.signIn("ada", password)
	_, err := h.ChangeUser(h.ctx, ada, "ada", api.UserChange{Role: fleet.RoleViewer})
	h.refused(err, fault.Conflict)
	must(h.ChangeUser(h.ctx, ada, "bob", api.UserChange{Role: fleet.RoleAdmin}))(t)
	must(h.ChangeUser(h.ctx, ada, "ada", api.UserChange{Role: fleet.RoleViewer}))(t)
	if now := must(h.Authenticate(h.ctx, bearer))(t); now.Role != fleet.RoleViewer { // one's own session goes on, as what one is now
		t.Fatalf("%+v", now)
	}
}

func TestANewPasswordEndsSessions(t *testing.T) {
	h := newHouse(t)
	h.user("bob", fleet.RoleOperator)
	bearer, _ := h.signIn("bob", password)
	must(h.ChangeUser(h.ctx, h.admin, "bob", api.UserChange{Password: otherPassword}))(t)
	h.signedOut(bearer)
	_, err := h.SignIn(h.ctx, "bob", password, "")
	h.refused(err, fault.Unauthenticated)
	h.signIn("bob", otherPassword)
	h.holdsNone(password, otherPassword)
	for name, c := range map[string]struct {
		user   string
		change api.UserChange
		code   fault.Code
	}{
		"nothing":   {"bob", api.UserChange{}, fault.InvalidInput},
		"role":      {"bob", api.UserChange{Role: "root"}, fault.InvalidInput},
		"short":     {"bob", api.UserChange{Password: "123456789"}, fault.InvalidInput},
		"long":      {"bob", api.UserChange{Password: strings.Repeat("x", 1025)}, fault.InvalidInput},
		"nobody":    {"eve", api.UserChange{Role: fleet.RoleViewer}, fault.NotFound},
		"one's own": {h.admin.Name, api.UserChange{Password: otherPassword}, fault.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			if c.user == h.admin.Name {
				h.user(c.user, fleet.RoleAdmin)
			}
			_, err := h.ChangeUser(h.ctx, h.admin, c.user, c.change)
			h.refused(err, c.code)
		})
	}
}

func TestOnesOwnPassword(t *testing.T) {
	h := newHouse(t)
	bob := h.user("bob", fleet.RoleViewer)
	h.user("eve", fleet.RoleViewer)
	own, actor := h.signIn("bob", password)
	other, _ := h.signIn("bob", password)
	eves, _ := h.signIn("eve", password)
	h.refused(h.ChangePassword(h.ctx, actor, api.PasswordChange{Old: "not the old one", New: otherPassword}), fault.Forbidden)
	h.refused(h.ChangePassword(h.ctx, actor, api.PasswordChange{Old: strings.Repeat("x", 5000), New: otherPassword}), fault.Forbidden)
	h.refused(h.ChangePassword(h.ctx, actor, api.PasswordChange{Old: password, New: "short"}), fault.InvalidInput)
	must(h.Authenticate(h.ctx, other))(t)
	h.ok(h.ChangePassword(h.ctx, actor, api.PasswordChange{Old: password, New: otherPassword}))
	h.signedOut(other)
	must(h.Authenticate(h.ctx, own))(t)
	must(h.Authenticate(h.ctx, eves))(t)
	if a := h.lastAudit(); a.Action != "user.update" || a.Actor != "bob" || a.Object != string(bob.ID) || a.Detail != "bob: new password; ended 1 sessions, 0 API tokens and 0 enrolment tokens" {
		t.Fatalf("audit %+v", a)
	}
	h.signIn("bob", otherPassword)
	token := must(h.CreateToken(h.ctx, actor, api.TokenRequest{Name: "ci", Role: fleet.RoleViewer}))(t)
	ci := must(h.Authenticate(h.ctx, token.Secret))(t)
	h.refused(h.ChangePassword(h.ctx, ci, api.PasswordChange{Old: password, New: otherPassword}), fault.Conflict)
	h.ok(h.DeleteUser(h.ctx, h.admin, bob.ID))
	h.refused(h.ChangePassword(h.ctx, actor, api.PasswordChange{Old: otherPassword, New: password}), fault.Unauthenticated)
}

// interrupted is a store in which something else happens before the next change.
type interrupted struct {
	control.Store
	once sync.Once
	by   func()
}

func (s *interrupted) Update(ctx context.Context, fn func(control.Writer) error) ([]api.Row, error) {
	s.once.Do(s.by)
	return s.Store.Update(ctx, fn)
}

// Between looking at a password and making a session of it, the password may be changed: that must end the attempt.
func TestAPasswordThatChangesMeanwhile(t *testing.T) {
	h := newHouse(t)
	h.user("bob", fleet.RoleOperator)
	_, actor := h.signIn("bob", password)
	change := func(to string) func() {
		return func() { must(h.ChangeUser(h.ctx, h.admin, "bob", api.UserChange{Password: to}))(t) }
	}
	slow := control.New(control.Config{Store: &interrupted{Store: h.store, by: change(otherPassword)}, Logs: h.logs, Clock: h.clock.Now})
	_, err := slow.SignIn(h.ctx, "bob", password, "")
	h.refused(err, fault.Unauthenticated)
	slow = control.New(control.Config{Store: &interrupted{Store: h.store, by: change(password)}, Logs: h.logs, Clock: h.clock.Now})
	h.refused(slow.ChangePassword(h.ctx, actor, api.PasswordChange{Old: otherPassword, New: "a third password"}), fault.Forbidden)
	h.signIn("bob", password)
}
