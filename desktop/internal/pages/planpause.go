package pages

import (
	"context"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// menu is what else can be done with a plan.
func (p *plans) menu(id string) []widgets.MenuItem {
	v := p.d.Fleet.Plan(fleet.PlanID(id))
	if v == nil {
		return nil
	}
	items := []widgets.MenuItem{{Label: words.T("plans.edit"), Icon: icons.Pencil, OnTap: func() { p.edit(id) }}}
	switch {
	case v.Schedule == nil:
	case v.Schedule.Paused:
		items = append(items, widgets.MenuItem{Label: words.T("plans.resume"), Icon: icons.Play, OnTap: func() { p.pause(id, false) }})
	default:
		items = append(items, widgets.MenuItem{Label: words.T("plans.pause"), Icon: icons.Pause, OnTap: func() { p.pause(id, true) }})
	}
	return items
}

// pause lets a plan's schedule rest, or go on.
func (p *plans) pause(id string, pause bool) {
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (fleet.Plan, error) {
		if pause {
			return p.d.Daemon.PausePlan(ctx, id)
		}
		return p.d.Daemon.ResumePlan(ctx, id)
	}, func(v fleet.Plan, err error) {
		name, now := plaintext.Field(v.Name), p.d.Now()
		switch next := vm.NextRuns(v.Schedule, now, 1); {
		case err != nil:
			title, text := words.Error(err)
			p.d.Toast(widgets.Error, title, text)
		case pause:
			p.d.Toast(widgets.Ok, words.T("plans.paused_toast", "Plan", name), words.T("plans.paused_text"))
		case len(next) > 0:
			p.d.Toast(widgets.Ok, words.T("plans.resumed_toast", "Plan", name), words.T("plans.resumed_text", "Time", words.Moment(next[0], now)))
		}
	})
}
