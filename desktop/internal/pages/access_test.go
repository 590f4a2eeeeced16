package pages

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestAccessChangesTheRoleOfAUserThatIsOpened(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Access}, nil)
	b.tap("anna")
	b.says("Change anna")
	b.tap("Operator: runs and cancels jobs, edits plans and repositories")
	b.tap("Save")
	b.until("the dialog's end", func() bool { return b.find("Change anna") == nil })
	b.until("the role", func() bool {
		users, err := b.d.Users(t.Context())
		return err == nil && slices.ContainsFunc(users, func(u api.User) bool { return u.Name == "anna" && u.Role == fleet.RoleOperator })
	})
}

func TestAccessRefusesAShortPasswordAndSaysWhyTheDaemonRefused(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Access}, nil)
	b.tap("Change my password")
	b.write("wrong")
	b.w.Canvas().FocusNext() // the eye
	b.w.Canvas().FocusNext()
	b.write("short")
	b.key(fyne.KeyReturn)
	b.says("Use at least 10 characters.")
	b.write("er than long")
	b.key(fyne.KeyReturn)
	b.says("The old password is wrong. Try again.")
	b.key(fyne.KeyEscape)
	b.silent("Current password")
}

func TestAccessRevokesAnEnrolmentTokenThatWaits(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Access, Tab: tabEnrol}, nil)
	for _, text := range []string{"Not used yet", "Expired", "Any host"} {
		b.says(text)
	}
	tokens, err := b.d.EnrolmentTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, ok := b.page.(*access)
	if !ok {
		t.Fatalf("the page is a %T", b.page)
	}
	p.revokeEnrolment(tokens[0])
	b.tap("Revoke")
	b.until("the token to go", func() bool { return b.find("Not used yet") == nil })
	b.says("Expired")
	b.tap("Add host")
	if b.last() != (nav.Route{Page: nav.Hosts, Tab: addTab}) {
		t.Errorf("led to %+v", b.last())
	}
}

func TestAccessListsTheAuditLogNewestFirst(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Access, Tab: tabAudit}, nil)
	b.says("Job started")
}

func TestAccessWithoutTheDaemonSaysSoAndTriesAgain(t *testing.T) {
	d := sample.New(sample.Noon())
	b := newBench(t, d).listed()
	d.Fail(fault.New(fault.Unavailable, "The daemon is starting. Try again in a minute."))
	b.open(nav.Route{Page: nav.Access}, nil)
	b.says("The daemon is starting. Try again in a minute.")
	d.Fail(nil)
	b.tap("Try again")
	b.says("anna")
}

func TestAccessForAViewerOffersThePasswordOnly(t *testing.T) {
	d := sample.New(sample.Noon())
	d.SetRole(fleet.RoleViewer)
	b := newBench(t, d).listed()
	b.open(nav.Route{Page: nav.Access}, nil)
	b.says("Change my password")
	b.silent("Add user")
}

func TestAccessAddsAndRemovesAUser(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Access}, nil)
	b.says("anna")
	b.tap("Add user")
	b.key(fyne.KeyReturn)
	b.says("Give a name.")
	b.write("anna")
	b.key(fyne.KeyReturn)
	b.says("Use at least 10 characters.")
	b.w.Canvas().FocusNext()
	b.write("correct horse battery")
	b.key(fyne.KeyReturn)
	b.says("There is a user anna already. Choose another name.")
	b.key(fyne.KeyEscape)
	b.tap("Add user")
	b.fill("otto", "correct horse battery")
	b.key(fyne.KeyReturn)
	b.until("the dialog's end", func() bool { return b.find("At least 10 characters.") == nil })
	b.says("otto")
	p, ok := b.page.(*access)
	if !ok {
		t.Fatalf("%T", b.page)
	}
	u := p.users.items[slices.IndexFunc(p.users.items, func(u api.User) bool { return u.Name == "otto" })]
	p.removeUser(u)
	b.says("Remove otto?")
	b.tap("Remove user")
	b.until("the user to go", func() bool { return b.find("otto") == nil })
}

func TestAccessShowsANewTokenOnceAndRevokesIt(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Access, Tab: tabTokens}, nil)
	b.says("grafana")
	b.tap("Create token")
	b.key(fyne.KeyReturn)
	b.says("Give a name.")
	b.write("deploy")
	b.key(fyne.KeyReturn)
	b.says("Token deploy")
	b.says("bst_sample_9wQ2")
	b.tap("Copy token")
	if b.copied != "bst_sample_9wQ2" {
		t.Errorf("copied %q", b.copied)
	}
	b.tap("Done")
	b.silent("bst_sample_9wQ2")
	b.says("deploy")
	p, ok := b.page.(*access)
	if !ok {
		t.Fatalf("%T", b.page)
	}
	p.removeToken(p.tokens.items[slices.IndexFunc(p.tokens.items, func(t api.Token) bool { return t.Name == "deploy" })])
	b.says("Revoke the token deploy?")
	b.tap("Revoke")
	b.until("the token to go", func() bool { return b.find("deploy") == nil })
}

func TestAccessRevokesAnAgent(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Access, Tab: tabAgents}, nil)
	p, ok := b.page.(*access)
	if !ok {
		t.Fatalf("%T", b.page)
	}
	id := b.d.Scene().Offline
	p.revokeAgent(b.deps.Fleet.Host(id))
	b.says("Revoke the agent of lei-macbook?")
	b.tap("Revoke")
	b.until("the host to be revoked", func() bool { return b.deps.Fleet.Host(id).RevokedAt != nil })
}
