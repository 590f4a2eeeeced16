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
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// plans is what is backed up, from where to where.
type plans struct {
	base
	ctx    context.Context
	d      *Deps
	root   fyne.CanvasObject
	room   *fyne.Container
	table  *widgets.Table
	full   fyne.CanvasObject
	search *widgets.TextEntry
	count  *widgets.Badge
	add    *widgets.Button
	text   string
	face   string
	open   string // the plan that the route names, opened once it is known
}

func newPlans(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	p := &plans{ctx: ctx, d: d, room: widgets.VFlex(0), count: widgets.NewBadge(""), open: r.ID}
	p.add = widgets.NewButton(widgets.Primary, icons.Plus, words.T("plans.add"), func() { p.edit("") })
	shown(p.add, d.Fleet.May(fleet.RoleOperator))
	p.table = widgets.NewTable(widgets.TableConfig{Columns: planColumns(), NewRow: func() widgets.Row { return newPlanRow(p) }, OnOpen: p.edit})
	p.search = widgets.NewSearchField(words.T("plans.search"), shortcutHint("F"), func(text string) {
		p.text = text
		p.show()
	})
	head := widgets.HFlex(10, widgets.NewLabel(words.T("page.plans"), widgets.CardTitle), p.count, widgets.Spacer(), widgets.Fixed(p.search, 240))
	p.full = widgets.FlatCard(widgets.VFlex(0, widgets.Pad(head, 10, theme.CardPad, 8, theme.CardPad), widgets.Grow(p.table, 1)))
	p.root = widgets.Pad(p.room, theme.PagePadY, theme.PagePadX, theme.PagePadY, theme.PagePadX)
	p.show()
	if y, ok := state.(float32); ok {
		p.table.SetOffset(y)
		p.open = ""
	}
	return p
}

func planColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "plan", Title: words.T("plans.col.plan"), Width: 220, Grow: 2},
		{ID: "repository", Title: words.T("plans.col.repository"), Width: 140, Grow: 1},
		{ID: "hosts", Title: words.T("plans.col.hosts"), Width: 170, Grow: 1, MinTable: 700},
		{ID: "state", Title: words.T("plans.col.state"), Width: 190},
		{ID: "newest", Title: words.T("plans.col.newest"), Width: 130, MinTable: 640},
		{ID: "run", Width: 52, Right: true},
	}
}

func (p *plans) Content() fyne.CanvasObject { return p.root }
func (p *plans) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.plans")}} }
func (p *plans) Actions() fyne.CanvasObject { return p.add }
func (p *plans) State() any                 { return p.table.Offset() }
func (p *plans) Tick(time.Time)             { p.table.RefreshVisible() }

func (p *plans) Update(c model.Change) {
	if c.All || len(c.Plans) > 0 || len(c.Hosts) > 0 || len(c.Repositories) > 0 || c.Identity {
		shown(p.add, p.d.Fleet.May(fleet.RoleOperator))
		p.show()
	}
}

// Shown opens the plan that the route names.
func (p *plans) Shown() {
	if p.open != "" && p.d.Fleet.Plan(fleet.PlanID(p.open)) != nil {
		id := p.open
		p.open = ""
		p.edit(id)
		return
	}
	if p.face == "full" {
		p.d.Window.Canvas().Focus(p.table)
	}
}

func (p *plans) Key(k Key) bool {
	switch {
	case k.Super && k.Name == fyne.KeyF:
		p.search.Focus()
	case k.Super && k.Name == fyne.KeyN && p.d.Fleet.May(fleet.RoleOperator):
		p.edit("")
	default:
		return false
	}
	return true
}

func (p *plans) show() {
	all := p.d.Fleet.Plans()
	face := "full"
	switch {
	case !p.d.Fleet.Listed():
		face = "loading"
	case len(all) == 0:
		face = "empty"
	}
	var ids []string
	for _, v := range all {
		if strings.Contains(strings.ToLower(v.Name+" "+strings.Join(v.Backup.Paths, " ")), strings.ToLower(p.text)) {
			ids = append(ids, string(v.ID))
		}
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
		widgets.SetChildren(p.room, widgets.Grow(widgets.FlatCard(widgets.SkeletonTable(planColumns(), 8)), 1))
	case "empty":
		var b *widgets.Button
		if p.d.Fleet.May(fleet.RoleOperator) {
			b = widgets.NewButton(widgets.Primary, icons.Plus, words.T("plans.add"), func() { p.edit("") })
		}
		widgets.SetChildren(p.room, widgets.Grow(widgets.FlatCard(widgets.Empty(icons.Clock, words.T("plans.empty"), words.T("plans.empty_text"), b)), 1))
	default:
		widgets.SetChildren(p.room, widgets.Grow(p.full, 1))
	}
}

// edit opens a plan, or a new one.
func (p *plans) edit(id string) {
	f := p.d.Fleet
	if id == "" && len(f.Repositories()) == 0 {
		p.d.Toast(widgets.Warn, words.T("plans.no_repository"), words.T("plans.no_repository_text"))
		p.d.Navigate(nav.Route{Page: nav.Repositories})
		return
	}
	cfg := dialogs.PlanConfig{Canvas: p.d.Window.Canvas(), Repositories: f.Repositories(), Hosts: trusted(f.Hosts()), MayEdit: f.May(fleet.RoleOperator)}
	if id != "" {
		if cfg.Plan = f.Plan(fleet.PlanID(id)); cfg.Plan == nil {
			return
		}
		name := cfg.Plan.Name
		cfg.Delete = func() { p.delete(id, name) }
	}
	cfg.Save = func(r api.PlanRequest, done func(error)) {
		feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (fleet.Plan, error) {
			if id == "" {
				return p.d.Daemon.AddPlan(ctx, r)
			}
			return p.d.Daemon.UpdatePlan(ctx, id, r)
		}, func(_ fleet.Plan, err error) { done(err) })
	}
	dialogs.OpenPlan(cfg)
}

// trusted leaves out hosts whose agent was revoked.
func trusted(hosts []*fleet.Host) []*fleet.Host {
	var out []*fleet.Host
	for _, h := range hosts {
		if h.RevokedAt == nil {
			out = append(out, h)
		}
	}
	return out
}

func (p *plans) delete(id, name string) {
	widgets.Confirm(p.d.Window.Canvas(), widgets.ConfirmConfig{Title: words.T("plans.delete_title", "Plan", plaintext.Field(name)), Text: words.T("plans.delete_text"),
		Cancel: words.T("dialog.cancel"), Action: words.T("plan.delete"), Kind: widgets.Danger, OnYes: func() {
			feed.Do(p.ctx, p.d.Calls, func(ctx context.Context) error { return p.d.Daemon.DeletePlan(ctx, id) }, func(err error) {
				if err != nil {
					title, text := words.Error(err)
					p.d.Toast(widgets.Error, title, text)
				}
			})
		}})
}

// run backs up every host of a plan. One host's job opens its page; of several, the list of what is open.
func (p *plans) run(id string) {
	plan := p.d.Fleet.Plan(fleet.PlanID(id))
	if plan == nil {
		return
	}
	hosts := plan.Hosts
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) ([]fleet.Job, error) {
		var started []fleet.Job
		for _, h := range hosts {
			j, err := p.d.Daemon.StartJob(ctx, string(h), api.JobRequest{Kind: fleet.KindBackup, Plan: id}, "")
			if err != nil {
				return started, err
			}
			started = append(started, j)
		}
		return started, nil
	}, func(started []fleet.Job, err error) {
		if err != nil {
			title, text := words.Error(err)
			p.d.Toast(widgets.Error, title, text)
		}
		switch len(started) {
		case 0:
		case 1:
			p.d.Navigate(nav.Route{Page: nav.Job, ID: string(started[0].ID)})
		default:
			p.d.Navigate(nav.Route{Page: nav.Jobs, Tab: "open"})
		}
	})
}
