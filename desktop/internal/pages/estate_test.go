package pages

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

func TestPlansAreFilteredOpenedAndFollowed(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Plans}, nil)
	b.says("databases")
	b.page.Key(Key{Name: fyne.KeyF, Super: true})
	b.write("mail")
	b.says("mail")
	b.silent("databases")
	b.row(api.Row{Kind: "plan", ID: "P-new", Rev: 1 << 40, Plan: &fleet.Plan{ID: "P-new", Name: "mail\x1b[31m two", Backup: fleet.BackupSpec{Paths: []string{"/srv"}}}})
	b.says(`mail\x1b[31m two`)
	b.write(" no such plan")
	b.says("No plan matches")
	b.tap("Show all plans")
	b.says("databases")
	b.silent("No plan matches")
	b.tap("Add plan")
	b.says("Cancel")
	b.key(fyne.KeyEscape)
	b.silent("Cancel")
}

func TestPlansAndRepositoriesOfAVacantDaemonAndOfAViewer(t *testing.T) {
	for page, texts := range map[nav.Name][2]string{nav.Plans: {"No plans yet", "Add plan"}, nav.Repositories: {"No repositories yet", "Add repository"}} {
		b := newBench(t, sample.Vacant(sample.Noon()))
		b.open(nav.Route{Page: page}, nil)
		b.silent(texts[0]) // loading
		b.says(texts[0])
		b.says(texts[1])
		d := sample.Vacant(sample.Noon())
		d.SetRole(fleet.RoleViewer)
		b = newBench(t, d).listed()
		b.open(nav.Route{Page: page}, nil)
		b.says(texts[0])
		b.silent(texts[1])
	}
}

func TestRepositoriesShowWhatComesAndOpenByKeys(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Repositories}, nil)
	b.says("eu-central")
	b.row(api.Row{Kind: "repository", ID: "R-new", Rev: 1 << 40, Repository: &fleet.Repository{ID: "R-new", Name: "aa\x1bnew", URL: "/srv/new"}})
	b.says(`aa\x1bnew`)
	b.key(fyne.KeyHome, fyne.KeyReturn)
	b.says("Cancel")
	b.key(fyne.KeyEscape)
	b.silent("Cancel")
}

// seal gives a host a key that credentials can be sealed to.
func (b *bench) seal(id fleet.HostID) {
	b.t.Helper()
	_, recipient, err := secret.NewIdentity()
	if err != nil {
		b.t.Fatal(err)
	}
	h := *b.deps.Fleet.Host(id)
	h.SealingKey, h.Rev = recipient, 1<<40
	b.row(api.Row{Kind: "host", ID: string(id), Rev: h.Rev, Host: &h})
}

// firstOnline is the host that the dialog of a repository proposes.
func (b *bench) firstOnline() *fleet.Host {
	for _, h := range b.deps.Fleet.Hosts() {
		if h.Online && h.RevokedAt == nil {
			return h
		}
	}
	b.t.Fatal("no host is online")
	return nil
}

// fill writes into one field after the other, beginning with the one that has the keyboard.
func (b *bench) fill(texts ...string) {
	b.t.Helper()
	for i, text := range texts {
		if i > 0 {
			b.w.Canvas().FocusNext()
		}
		if text != "" {
			b.write(text)
		}
	}
}

func TestARepositoryIsAddedWithItsPasswordSealedAndTested(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Repositories}, nil)
	h := b.firstOnline().ID
	b.seal(h)
	b.tap("Add repository")
	b.fill("offsite", "/srv/offsite", "", "", "correct horse battery") // name, address, certificate, host, password
	b.tap("Test and save")
	b.until("the repository", func() bool { return slices.Contains(b.toasts, "Repository saved") })
	b.silent("Test and save")
	b.says("/srv/offsite")
	b.until("its password at the host", func() bool {
		return slices.ContainsFunc(holders(b.deps.Fleet, b.repository("offsite")), func(o *fleet.Host) bool { return o.ID == h })
	})
}

// repository is the id of a repository by its name, "" when there is none.
func (b *bench) repository(name string) fleet.RepositoryID {
	for _, r := range b.deps.Fleet.Repositories() {
		if r.Name == name {
			return r.ID
		}
	}
	return ""
}

// What could not be given its password is not half made: the list is as before.
func TestARepositoryWhosePasswordCannotBeGivenIsTakenBack(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Repositories}, nil)
	b.tap("Add repository")
	b.fill("offsite", "/srv/offsite", "", "", "correct horse battery")
	b.tap("Test and save") // the sample's hosts have no key that could be sealed to
	b.says("That did not work")
	b.until("nothing half made", func() bool { return b.repository("offsite") == "" })
	if len(b.toasts) > 0 {
		t.Errorf("it says %q", b.toasts)
	}
}

func TestARepositoryThatPlansUseIsNotRemoved(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Repositories}, nil)
	b.key(fyne.KeyHome, fyne.KeyReturn)
	b.tap("Remove")
	b.says("Remove eu-central from the list?")
	b.tap("Remove")
	b.until("the reason", func() bool { return len(b.toasts) > 0 })
	b.says("eu-central")
}

func TestTheMenuOfARepository(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	id := string(b.d.Scene().Repository)
	b.open(nav.Route{Page: nav.Repositories}, nil)
	p, ok := b.page.(*repositories)
	if !ok {
		t.Fatalf("%T", b.page)
	}
	row := newRepositoryRow(p)
	row.Bind(id)
	b.w.SetContent(widgets.NewRoot(widgets.Center(row.more), nil)) // the menu opens below its button
	choose := func(text string) {
		t.Helper()
		row.menu()
		b.tap(text)
	}
	choose("Test access")
	b.until("the test", func() bool { return slices.Contains(b.toasts, "The repository opened") })
	for text, kind := range map[string]fleet.JobKind{"Check": fleet.KindCheck, "Remove stale locks": fleet.KindUnlock} {
		b.went = nil
		choose(text)
		b.until("the job", func() bool { return b.last().Page == nav.Job })
		if j, err := b.d.Job(t.Context(), fleet.JobID(b.last().ID)); err != nil || j.Kind != kind || string(j.RepositoryID) != id {
			t.Errorf("%s: %+v, %v", text, j, err)
		}
	}
	choose("Snapshots")
	if b.last() != (nav.Route{Page: nav.Snapshots, Tab: id}) {
		t.Errorf("led to %+v", b.last())
	}
	choose("Give password to a host")
	b.says("Password of eu-central")
	b.key(fyne.KeyEscape)
	choose("Edit")
	b.says("Repository eu-central")
}

func TestAPlanIsChangedAndDeleted(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	id := b.d.Scene().Plan
	b.open(nav.Route{Page: nav.Plans, ID: string(id)}, nil)
	b.says("Plan databases")
	b.key(fyne.KeyEnd)
	b.write(" of the shop")
	b.tap("Save")
	b.until("the new name", func() bool { return b.deps.Fleet.Plan(id).Name == "databases of the shop" })
	b.says("databases of the shop")
	b.silent("Save")
	b.tap("databases of the shop")
	b.tap("Delete plan")
	b.says("Delete the plan databases of the shop?")
	b.tap("Cancel")
	if b.deps.Fleet.Plan(id) == nil {
		t.Fatal("deleted without a yes")
	}
	b.tap("databases of the shop")
	b.tap("Delete plan")
	b.tap("Delete plan")
	b.until("the plan to go", func() bool { return b.deps.Fleet.Plan(id) == nil })
	b.silent("databases of the shop")
}

func TestAPlanRunsOnAllItsHosts(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Plans}, nil)
	p, ok := b.page.(*plans)
	if !ok {
		t.Fatalf("%T", b.page)
	}
	p.run(string(b.d.Scene().Plan))
	b.until("the jobs", func() bool { return b.last() == nav.Route{Page: nav.Jobs, Tab: "open"} })
	one, err := b.d.AddPlan(t.Context(), api.PlanRequest{Name: "one", RepositoryID: b.d.Scene().Repository, Hosts: []fleet.HostID{b.d.Scene().Host}, Backup: fleet.BackupSpec{Paths: []string{"/srv"}}})
	if err != nil {
		t.Fatal(err)
	}
	b.says("one")
	p.run(string(one.ID))
	b.until("the job", func() bool { return b.last().Page == nav.Job })
	b.d.Cut()
	p.run(string(one.ID))
	b.until("the reason", func() bool { return slices.Contains(b.toasts, "The daemon cannot be reached") })
}
