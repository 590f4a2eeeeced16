package pages

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/dialogs"
	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// repositories is where snapshots lie: each repository, who holds its password, and what keeps it well.
type repositories struct {
	base
	ctx   context.Context
	d     *Deps
	root  fyne.CanvasObject
	room  *fyne.Container
	table *widgets.Table
	full  fyne.CanvasObject
	count *widgets.Badge
	add   *widgets.Button
	face  string
	open  string // the repository that the route names
	how   string // what the route wants done with it
}

func newRepositories(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	p := &repositories{ctx: ctx, d: d, room: widgets.VFlex(0), count: widgets.NewBadge(""), open: r.ID, how: r.Tab}
	p.add = widgets.NewButton(widgets.Primary, icons.Plus, words.T("repositories.add"), func() { p.edit("", false) })
	shown(p.add, d.Fleet.May(fleet.RoleOperator))
	p.table = widgets.NewTable(widgets.TableConfig{Columns: repositoryColumns(), NewRow: func() widgets.Row { return newRepositoryRow(p) }, OnOpen: func(id string) { p.edit(id, false) }})
	head := widgets.HFlex(10, widgets.NewLabel(words.T("page.repositories"), widgets.CardTitle), p.count, widgets.Spacer())
	p.full = widgets.FlatCard(widgets.VFlex(0, widgets.Pad(widgets.Fixed(head, theme.ControlH), 10, theme.CardPad, 8, theme.CardPad), widgets.Grow(p.table, 1)))
	p.root = widgets.Pad(p.room, theme.PagePadY, theme.PagePadX, theme.PagePadY, theme.PagePadX)
	p.show()
	if y, ok := state.(float32); ok {
		p.table.SetOffset(y)
		p.open = ""
	}
	return p
}

func repositoryColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "name", Title: words.T("repositories.col.name"), Width: 240, Grow: 2},
		{ID: "hosts", Title: words.T("repositories.col.hosts"), Width: 150, Grow: 1},
		{ID: "plans", Title: words.T("repositories.col.plans"), Width: 150, Grow: 1, MinTable: 700},
		{ID: "check", Title: words.T("repositories.col.check"), Width: 200, MinTable: 600},
		{ID: "more", Width: 52, Right: true},
	}
}

func (p *repositories) Content() fyne.CanvasObject { return p.root }
func (p *repositories) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.repositories")}} }
func (p *repositories) Actions() fyne.CanvasObject { return p.add }
func (p *repositories) State() any                 { return p.table.Offset() }
func (p *repositories) Tick(time.Time)             { p.table.RefreshVisible() }

func (p *repositories) Update(c model.Change) {
	if c.All || len(c.Repositories) > 0 || len(c.Hosts) > 0 || len(c.Plans) > 0 || len(c.Jobs) > 0 || c.Identity {
		shown(p.add, p.d.Fleet.May(fleet.RoleOperator))
		p.show()
	}
}

// Shown does what the route wants: give a password, test the access.
func (p *repositories) Shown() {
	if p.open != "" && p.d.Fleet.Repository(fleet.RepositoryID(p.open)) != nil {
		id, how := p.open, p.how
		p.open = ""
		switch how {
		case "give-secret":
			p.edit(id, true)
		case "check-access":
			p.test(id)
		default:
			p.table.Select(id)
		}
	}
	if p.face == "full" {
		p.d.Window.Canvas().Focus(p.table)
	}
}

func (p *repositories) Key(k Key) bool {
	if k.Super && k.Name == fyne.KeyN && p.d.Fleet.May(fleet.RoleOperator) {
		p.edit("", false)
		return true
	}
	return false
}

func (p *repositories) show() {
	all := p.d.Fleet.Repositories()
	face := "full"
	switch {
	case !p.d.Fleet.Listed():
		face = "loading"
	case len(all) == 0:
		face = "empty"
	}
	var ids []string
	for _, r := range all {
		ids = append(ids, string(r.ID))
	}
	p.count.Set(words.Number(int64(len(ids))))
	p.table.SetIDs(ids)
	p.table.RefreshVisible()
	if face == p.face {
		return
	}
	p.face = face
	switch face {
	case "loading":
		widgets.SetChildren(p.room, widgets.Grow(widgets.FlatCard(widgets.SkeletonTable(repositoryColumns(), 6)), 1))
	case "empty":
		var b *widgets.Button
		if p.d.Fleet.May(fleet.RoleOperator) {
			b = widgets.NewButton(widgets.Primary, icons.Plus, words.T("repositories.add"), func() { p.edit("", false) })
		}
		widgets.SetChildren(p.room, widgets.Grow(widgets.FlatCard(widgets.Empty(icons.Repository, words.T("repositories.empty"), words.T("repositories.empty_text"), b)), 1))
	default:
		widgets.SetChildren(p.room, widgets.Grow(p.full, 1))
	}
}

// edit opens a repository, or a new one, or only asks for the password that a host is to be given.
func (p *repositories) edit(id string, passwordOnly bool) {
	f := p.d.Fleet
	if !f.May(fleet.RoleOperator) {
		return
	}
	cfg := dialogs.RepositoryConfig{Canvas: p.d.Window.Canvas(), Hosts: trusted(f.Hosts()), PasswordOnly: passwordOnly}
	if id != "" {
		if cfg.Repository = f.Repository(fleet.RepositoryID(id)); cfg.Repository == nil {
			return
		}
		name := cfg.Repository.Name
		cfg.Delete = func() { p.delete(id, name) }
	}
	cfg.Save = func(r dialogs.RepositoryRequest, step func(string), done func(error)) {
		s := saving{p: p, id: id, r: r, step: step, passwordOnly: passwordOnly}
		s.run(done)
	}
	dialogs.OpenRepository(cfg)
}

func (p *repositories) delete(id, name string) {
	widgets.Confirm(p.d.Window.Canvas(), widgets.ConfirmConfig{Title: words.T("repositories.delete_title", "Repository", plaintext.Field(name)), Text: words.T("repositories.delete_text"),
		Cancel: words.T("dialog.cancel"), Action: words.T("repository.delete"), Kind: widgets.Danger, OnYes: func() {
			feed.Do(p.ctx, p.d.Calls, func(ctx context.Context) error { return p.d.Daemon.DeleteRepository(ctx, id) }, p.complain)
		}})
}

func (p *repositories) complain(err error) {
	if err != nil {
		title, text := words.Error(err)
		p.d.Toast(widgets.Error, title, text)
	}
}

// holders are the hosts that hold the password of a repository.
func holders(f *model.Fleet, id fleet.RepositoryID) []*fleet.Host {
	var out []*fleet.Host
	for _, h := range f.Hosts() {
		for _, s := range h.Secrets {
			if s == id && h.RevokedAt == nil {
				out = append(out, h)
			}
		}
	}
	return out
}

// names lists names, the first of them.
func names[T any](list []T, name func(T) string) string {
	var parts []string
	for _, v := range list {
		parts = append(parts, plaintext.Field(name(v)))
	}
	return strings.Join(parts, ", ")
}
