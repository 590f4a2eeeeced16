package pages

import (
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// as is a bench with somebody signed in who has a role.
func as(t *testing.T, role fleet.Role) *bench {
	t.Helper()
	d := sample.New(sample.Noon())
	d.SetRole(role)
	return newBench(t, d).listed()
}

// acts are the words of what only an operator may do, and adminActs of what only an administrator may.
var (
	acts = []string{"Back up now", "Add plan", "Add repository", "Cancel job", "Run again", "Restore", "Edit", "Save", "Test and save", "Delete plan", "Remove", "Test access",
		"Give password to a host", "Check", "Remove stale locks", "Remove the lock", "Give password"}
	adminActs = []string{"Add host", "Add user", "Create token", "Enrol anew", "Revoke host", "Users", "Tokens", "Enrolment"}
)

// place is a page and a text that is on it once it is full.
type place struct {
	nav.Route
	text string
}

// places are all pages, the ones of objects with several.
func places(s sample.Scene, admin bool) []place {
	out := []place{{nav.Route{Page: nav.Overview}, "Needs attention"}, {nav.Route{Page: nav.Hosts}, "archive-nas"}, {nav.Route{Page: nav.Hosts, Tab: addTab}, "archive-nas"},
		{nav.Route{Page: nav.Jobs}, "Backup of db-04.prod-eu"}, {nav.Route{Page: nav.Snapshots}, "archive-nas"}, {nav.Route{Page: nav.Plans}, "databases"}, {nav.Route{Page: nav.Plans, ID: string(s.Plan)}, "Plan databases"},
		{nav.Route{Page: nav.Repositories}, "eu-central"}, {nav.Route{Page: nav.Repositories, ID: string(s.Repository), Tab: "give-secret"}, "eu-central"},
		{nav.Route{Page: nav.Repositories, ID: string(s.Repository), Tab: "check-access"}, "eu-central"}, {nav.Route{Page: nav.Access, Tab: tabAgents}, "archive-nas"},
		{nav.Route{Page: nav.Access, Tab: tabAudit}, "Job started"}}
	for tab, text := range map[string]string{tabUsers: "anna", tabTokens: "grafana", tabEnrol: "Any host"} {
		if !admin {
			text = "archive-nas" // the first tab that they may read
		}
		out = append(out, place{nav.Route{Page: nav.Access, Tab: tab}, text})
	}
	for _, id := range []fleet.HostID{s.Host, s.Offline, s.NoRestic, s.NoSecret, s.NeverBackedUp, s.Revoked} {
		out = append(out, place{hostRoute(id), "Last backups"})
	}
	for _, id := range []fleet.JobID{s.Running, s.Queued, s.Unknown, s.Succeeded, s.Warned, s.Failed, s.Cancelled, s.Interrupted, s.Lost} {
		out = append(out, place{nav.Route{Page: nav.Job, ID: string(id)}, "Steps"})
	}
	return out
}

// What the daemon would refuse is not offered: no page names it, and none asks for it by itself.
func TestNobodyIsOfferedWhatTheDaemonRefuses(t *testing.T) {
	for role, forbidden := range map[fleet.Role][]string{fleet.RoleViewer: append(append([]string{}, acts...), adminActs...), fleet.RoleOperator: adminActs} {
		b := as(t, role)
		for _, p := range places(b.d.Scene(), false) {
			b.open(p.Route, nil)
			b.says(p.text)
			b.page.Key(Key{Name: fyne.KeyN, Super: true})
			for _, text := range forbidden {
				if b.find(text) != nil {
					t.Errorf("%s is offered %q on %+v", role, text, p.Route)
				}
			}
			widgets.Escape(b.w.Canvas())
		}
		for _, title := range b.toasts { // an operator's test of access says how it went
			if title == "Not allowed" || role == fleet.RoleViewer {
				t.Errorf("%s is told %q", role, title)
			}
		}
	}
}

// An administrator finds all of it.
func TestAnAdministratorIsOfferedEverything(t *testing.T) {
	b := as(t, fleet.RoleAdmin)
	found := map[string]bool{}
	for _, p := range places(b.d.Scene(), true) {
		b.open(p.Route, nil)
		b.says(p.text)
		for _, text := range append(append([]string{}, acts...), adminActs...) {
			found[text] = found[text] || b.find(text) != nil
		}
		widgets.Escape(b.w.Canvas())
	}
	for _, text := range []string{"Back up now", "Add plan", "Add repository", "Cancel job", "Run again", "Save", "Delete plan", "Test and save", "Add host", "Add user", "Create token", "Enrol anew", "Users", "Tokens", "Enrolment"} {
		if !found[text] {
			t.Errorf("%q is nowhere", text)
		}
	}
}

func TestTheTabsOfAccessFollowTheRole(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon()))
	b.open(nav.Route{Page: nav.Access, Tab: tabTokens}, nil) // before it is known who is signed in
	b.silent("Tokens")
	b.says("nightly backups")
	id := b.deps.Fleet.Identity()
	id.Role = fleet.RoleViewer
	b.identity(id)
	b.silent("Tokens")
	b.says("Agents")
	if b.page.State() != tabTokens {
		t.Errorf("the tab that was asked for is forgotten: %v", b.page.State())
	}
	id.Role = fleet.RoleAdmin
	b.identity(id)
	b.says("nightly backups")
}

func TestAViewerLooksAtPlansAndRepositories(t *testing.T) {
	b := as(t, fleet.RoleViewer)
	b.open(nav.Route{Page: nav.Plans, ID: string(b.d.Scene().Plan)}, nil)
	b.says("You may look at this, not change it")
	b.says("/var/lib/postgresql")
	b.tap("Close")
	b.open(nav.Route{Page: nav.Repositories}, nil)
	b.key(fyne.KeyHome, fyne.KeyReturn)
	b.says("Repository eu-central")
	b.says("You may look at this, not change it")
	b.silent("Repository password")
	b.tap("Close")
	b.silent("Repository eu-central")
}

func TestAHostIsRenamed(t *testing.T) {
	b := as(t, fleet.RoleOperator)
	id := b.d.Scene().Offline
	b.open(hostRoute(id), nil)
	edit := func() {
		p, ok := b.page.(*host)
		if !ok {
			t.Fatalf("%T", b.page)
		}
		if items := p.acts.menu(); items[0].Label != "Edit" || len(items) != 2 {
			t.Fatalf("%+v", items)
		}
		p.acts.edit()
	}
	edit()
	b.says("Edit lei-macbook")
	b.key(fyne.KeyEnd)
	b.write(" pro ")
	b.key(fyne.KeyReturn)
	b.until("the new name", func() bool { return b.page.Crumbs()[1].Text == "lei-macbook pro" })
	b.silent("Edit lei-macbook")
	b.says("lei-macbook pro")
	edit()
	for range "lei-macbook pro" {
		b.key(fyne.KeyEnd, fyne.KeyBackspace)
	}
	b.key(fyne.KeyReturn)
	b.says("Give the host a name.")
	b.write("db-04.prod-eu")
	b.key(fyne.KeyReturn)
	b.says("There is a host db-04.prod-eu already. Choose another name.")
	b.key(fyne.KeyEscape)
	b.silent("Give the host a name.")
}

// identity hands the model who is signed in.
func (b *bench) identity(id api.Identity) {
	b.page.Update(b.deps.Fleet.Apply(model.Batch{Identity: &id}))
}
