package pages

import (
	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

func repositoryColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "name", Title: words.T("repositories.col.name"), Width: 240, Grow: 2},
		{ID: "hosts", Title: words.T("repositories.col.hosts"), Width: 150, Grow: 1},
		{ID: "plans", Title: words.T("repositories.col.plans"), Width: 150, Grow: 1, MinTable: 700},
		{ID: "check", Title: words.T("repositories.col.check"), Width: 200, MinTable: 600},
		{ID: "more", Width: 52, Right: true},
	}
}

// repositoryRow is a line of the repositories.
type repositoryRow struct {
	p     *repositories
	id    string
	name  *widgets.Label
	url   *widgets.Label
	hosts *widgets.Label
	plans *widgets.Label
	dot   *widgets.Dot
	check *widgets.Label
	more  *widgets.IconButton
	cells []fyne.CanvasObject
}

func newRepositoryRow(p *repositories) *repositoryRow {
	r := &repositoryRow{p: p, name: widgets.NewLabel("", widgets.CellText), url: widgets.NewLabel("", widgets.Caption), hosts: widgets.NewLabel("", widgets.Cell),
		plans: widgets.NewLabel("", widgets.Cell), dot: widgets.NewDot(widgets.Muted), check: widgets.NewLabel("", widgets.Cell)}
	r.more = widgets.NewIconButton(icons.Ellipsis, words.T("repositories.more"), r.menu)
	r.cells = []fyne.CanvasObject{widgets.VFlex(1, r.name, r.url), r.hosts, r.plans, widgets.HFlex(8, r.dot, widgets.Grow(r.check, 1)), r.more}
	return r
}

func (r *repositoryRow) Cells() []fyne.CanvasObject { return r.cells }

func (r *repositoryRow) Bind(id string) {
	r.id = id
	f := r.p.d.Fleet
	v := f.Repository(fleet.RepositoryID(id))
	if v == nil {
		return
	}
	r.name.Set(plaintext.Field(v.Name))
	r.url.Set(plaintext.Field(v.URL))
	held := holders(f, v.ID)
	r.hosts.SetColor(theme.Text2)
	switch {
	case len(held) == 0:
		r.hosts.Set(words.T("repositories.no_holder"))
		r.hosts.SetColor(theme.Warn)
	case len(held) <= 2:
		r.hosts.Set(names(held, func(h *fleet.Host) string { return h.Name }))
	default:
		r.hosts.Set(words.N("plans.hosts", int64(len(held))))
	}
	plans := f.PlansInto(v.ID)
	none := words.T("job.none")
	if len(plans) > 0 {
		none = names(plans, func(p *fleet.Plan) string { return p.Name })
	}
	r.plans.Set(none)
	tone, text := lastCheck(f, v.ID, r.p)
	r.dot.Set(tone)
	r.check.Set(text)
}

// lastCheck tells how the newest check of a repository went, as far as the newest jobs tell.
func lastCheck(f *model.Fleet, id fleet.RepositoryID, p *repositories) (widgets.Tone, string) {
	for j := range f.Jobs() {
		if j.RepositoryID != id || j.Kind != fleet.KindCheck {
			continue
		}
		at := j.UpdatedAt
		if j.FinishedAt != nil {
			at = *j.FinishedAt
		}
		return jobTone(j.State), words.T("repositories.checked", "State", words.State(j.State, j.CancelRequested), "Ago", words.Ago(&at, p.d.Now()))
	}
	return widgets.Muted, words.T("repositories.never_checked")
}

// menu offers what keeps a repository well, to those who may.
func (r *repositoryRow) menu() {
	p, id := r.p, r.id
	items := []widgets.MenuItem{{Icon: icons.Snapshot, Label: words.T("page.snapshots"), OnTap: func() { p.d.Navigate(nav.Route{Page: nav.Snapshots, Tab: id}) }}}
	edit := widgets.MenuItem{Icon: icons.Pencil, Label: words.T("repositories.edit"), OnTap: func() { p.edit(id, false) }}
	if !p.add.may() {
		edit.Icon, edit.Label = icons.Eye, words.T("repositories.look")
		widgets.ShowMenu(r.more, append(items, edit))
		return
	}
	widgets.ShowMenu(r.more, append(items, widgets.MenuItem{},
		widgets.MenuItem{Icon: icons.Plug, Label: words.T("repositories.test"), OnTap: func() { p.test(id) }},
		widgets.MenuItem{Icon: icons.Access, Label: words.T("repositories.give_password"), OnTap: func() { p.edit(id, true) }},
		widgets.MenuItem{Icon: icons.Shield, Label: words.T("repositories.check"), OnTap: func() { p.job(id, fleet.KindCheck) }},
		widgets.MenuItem{Icon: icons.Unlock, Label: words.T("repositories.unlock"), OnTap: func() { p.job(id, fleet.KindUnlock) }},
		widgets.MenuItem{}, edit))
}
