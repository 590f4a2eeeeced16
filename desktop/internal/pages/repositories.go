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
	"github.com/backstay/backstay/desktop/internal/vm"
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
	sheet *sheet
	add   *adder
	open  string // the repository that the route names
	how   string // what the route wants done with it
}

func newRepositories(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	p := &repositories{ctx: ctx, d: d, open: r.ID, how: r.Tab}
	p.add = newAdder(d, fleet.RoleOperator, words.T("repositories.add"), func() { p.edit("", false) })
	p.sheet = newSheet(sheetConfig{deps: d, title: words.T("page.repositories"), rows: 6,
		table: widgets.TableConfig{Columns: repositoryColumns(), NewRow: func() widgets.Row { return newRepositoryRow(p) }, OnOpen: func(id string) { p.edit(id, false) }},
		empty: func() fyne.CanvasObject {
			return p.add.empty(icons.Repository, words.T("repositories.empty"), words.T("repositories.empty_text"))
		},
		failed: func() fyne.CanvasObject { return failedLink(d) }})
	p.show()
	if y, ok := state.(float32); ok {
		p.sheet.table.SetOffset(y)
		p.open = ""
	}
	return p
}

func (p *repositories) Content() fyne.CanvasObject { return p.sheet.root }
func (p *repositories) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.repositories")}} }
func (p *repositories) Actions() fyne.CanvasObject { return p.add.box }
func (p *repositories) State() any                 { return p.sheet.table.Offset() }
func (p *repositories) Tick(time.Time)             { p.sheet.table.RefreshVisible() }
func (p *repositories) Key(k Key) bool             { return p.add.key(k) }

func (p *repositories) Update(c model.Change) {
	if c.Identity || c.Connection {
		p.sheet.again()
	}
	if c.All || len(c.Repositories) > 0 || len(c.Hosts) > 0 || len(c.Plans) > 0 || len(c.Jobs) > 0 || c.Identity || c.Connection {
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
			if p.add.may() {
				p.test(id)
			}
		default:
			p.sheet.table.Select(id)
		}
	}
	p.sheet.takeKeys()
}

func (p *repositories) show() {
	var ids []string
	for _, r := range p.d.Fleet.Repositories() {
		ids = append(ids, string(r.ID))
	}
	face := vm.FaceOf(p.d.Fleet, len(ids), len(ids))
	p.add.show(face == vm.Empty)
	p.sheet.show(face, ids, words.Number(int64(len(ids))))
}

// edit opens a repository, or a new one, or only asks for the password that a host is to be given.
func (p *repositories) edit(id string, passwordOnly bool) {
	f, may := p.d.Fleet, p.add.may()
	if !may && (id == "" || passwordOnly) {
		return
	}
	cfg := dialogs.RepositoryConfig{Canvas: p.d.Window.Canvas(), Hosts: trusted(f.Hosts()), PasswordOnly: passwordOnly, MayEdit: may}
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
