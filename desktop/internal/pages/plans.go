package pages

import (
	"context"
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
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// plans is what is backed up, from where to where.
type plans struct {
	base
	ctx    context.Context
	d      *Deps
	vm     *vm.Plans
	sheet  *sheet
	search *widgets.TextEntry
	add    *adder
	open   string // the plan that the route names, opened once it is known
}

func newPlans(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	p := &plans{ctx: ctx, d: d, vm: vm.NewPlans(d.Fleet), open: r.ID}
	p.add = newAdder(d, fleet.RoleOperator, words.T("plans.add"), func() { p.edit("") })
	p.search = widgets.NewSearchField(words.T("plans.search"), words.Shortcut("F"), func(text string) {
		p.vm.SetText(text)
		p.show()
	})
	p.sheet = newSheet(sheetConfig{deps: d, title: words.T("page.plans"), rows: 8, search: p.search, tools: []fyne.CanvasObject{widgets.Fixed(p.search, 240)},
		table: widgets.TableConfig{Columns: planColumns(), NewRow: func() widgets.Row { return newPlanRow(p) }, OnOpen: p.edit},
		empty: func() fyne.CanvasObject {
			return p.add.empty(icons.Clock, words.T("plans.empty"), words.T("plans.empty_text"))
		},
		failed: func() fyne.CanvasObject { return failedLink(d) },
		none: func() fyne.CanvasObject {
			return noMatch(words.T("plans.no_match"), words.T("plans.no_match_text"), words.T("plans.show_all"), func() { p.search.SetText("") })
		}})
	p.show()
	if y, ok := state.(float32); ok {
		p.sheet.table.SetOffset(y)
		p.open = ""
	}
	return p
}

func (p *plans) Content() fyne.CanvasObject { return p.sheet.root }
func (p *plans) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.plans")}} }
func (p *plans) Actions() fyne.CanvasObject { return p.add.box }
func (p *plans) State() any                 { return p.sheet.table.Offset() }
func (p *plans) Tick(time.Time)             { p.sheet.table.RefreshVisible() }
func (p *plans) Key(k Key) bool             { return p.sheet.key(k) || p.add.key(k) }

func (p *plans) Update(c model.Change) {
	if c.Identity || c.Connection {
		p.sheet.again()
	}
	if c.All || len(c.Plans) > 0 || len(c.Hosts) > 0 || len(c.Repositories) > 0 || c.Identity || c.Connection {
		p.vm.Rebuild()
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
	p.sheet.takeKeys()
}

func (p *plans) show() {
	face := p.vm.Face()
	p.add.show(face == vm.Empty)
	p.sheet.show(face, p.vm.IDs(), words.Number(int64(len(p.vm.IDs()))))
}

// edit opens a plan, or a new one.
func (p *plans) edit(id string) {
	f := p.d.Fleet
	if id == "" && len(f.Repositories()) == 0 {
		p.d.Toast(widgets.Warn, words.T("plans.no_repository"), words.T("plans.no_repository_text"))
		p.d.Navigate(nav.Route{Page: nav.Repositories})
		return
	}
	cfg := dialogs.PlanConfig{Canvas: p.d.Window.Canvas(), Repositories: f.Repositories(), Hosts: trusted(f.Hosts()), MayEdit: f.May(fleet.RoleOperator), Zone: p.d.Zone, Now: p.d.Now}
	if id != "" {
		if cfg.Plan = f.Plan(fleet.PlanID(id)); cfg.Plan == nil {
			return
		}
		name := cfg.Plan.Name
		cfg.Delete = func() { p.delete(id, name) }
	}
	cfg.Save = func(r api.PlanRequest, done func(error)) {
		if v := f.Plan(fleet.PlanID(id)); v != nil && v.Schedule != nil && r.Schedule != nil {
			r.Schedule.Paused = v.Schedule.Paused // by now: the dialog does not set it
		}
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
