package pages

import (
	"testing"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
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
