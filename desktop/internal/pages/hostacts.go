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
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// hostActs is what can be done with a host.
type hostActs struct {
	ctx    context.Context
	d      *Deps
	id     fleet.HostID
	adder  *hostAdder
	dialog *widgets.Dialog // the last one that was opened
}

func newHostActs(ctx context.Context, d *Deps, id fleet.HostID) *hostActs {
	return &hostActs{ctx: ctx, d: d, id: id, adder: newHostAdder(ctx, d)}
}

func (a *hostActs) update(c model.Change) { a.adder.update(c) }
func (a *hostActs) tick(now time.Time)    { a.adder.tick(now) }

func (a *hostActs) leave() {
	a.adder.leave()
	if a.dialog != nil {
		a.dialog.Close()
	}
}

func (a *hostActs) name() string { return plaintext.Field(hostName(a.d.Fleet, a.id)) }

// backUp starts a backup at once, or asks by which plan, and lands on the job's page.
func (a *hostActs) backUp(busy func(bool)) {
	plans := a.d.Fleet.PlansOf(a.id)
	start := func(plan fleet.PlanID) { a.start(plan, busy) }
	switch len(plans) {
	case 0:
	case 1:
		start(plans[0].ID)
	default:
		choices := make([]dialogs.PlanChoice, len(plans))
		for i, p := range plans {
			choices[i] = dialogs.PlanChoice{ID: p.ID, Name: plaintext.Field(p.Name), Repository: repositoryName(a.d.Fleet, p.RepositoryID)}
		}
		a.dialog = dialogs.OpenBackUp(dialogs.BackUpConfig{Canvas: a.d.Window.Canvas(), Host: a.name(), Plans: choices, Start: start})
	}
}

func (a *hostActs) start(plan fleet.PlanID, busy func(bool)) {
	busy(true)
	feed.Call(a.ctx, a.d.Calls, func(ctx context.Context) (fleet.Job, error) {
		return a.d.Daemon.StartJob(ctx, string(a.id), api.JobRequest{Kind: fleet.KindBackup, Plan: string(plan)}, "")
	}, func(j fleet.Job, err error) {
		busy(false)
		if err != nil {
			a.complain(err)
			return
		}
		a.d.Navigate(nav.Route{Page: nav.Job, ID: string(j.ID)})
	})
}

func (a *hostActs) complain(err error) {
	title, text := words.Error(err)
	a.d.Toast(widgets.Error, title, text)
}

// menu is what is done seldom, as far as the person may.
func (a *hostActs) menu() []widgets.MenuItem {
	items := []widgets.MenuItem{{Icon: icons.Copy, Label: words.T("host.copy_id"), OnTap: func() { a.d.Copy(string(a.id)) }}}
	h := a.d.Fleet.Host(a.id)
	if h == nil {
		return items
	}
	if a.d.Fleet.May(fleet.RoleOperator) {
		items = append([]widgets.MenuItem{{Icon: icons.Pencil, Label: words.T("host.edit"), OnTap: a.edit}}, items...)
	}
	if !a.d.Fleet.May(fleet.RoleAdmin) {
		return items
	}
	items = append(items, widgets.MenuItem{Icon: icons.Plug, Label: words.T("host.enrol_again"), OnTap: a.enrolAgain})
	if h.RevokedAt == nil {
		items = append(items, widgets.MenuItem{}, widgets.MenuItem{Icon: icons.Ban, Label: words.T("host.revoke"), Danger: true, OnTap: a.revoke})
	}
	return items
}

// edit gives the host another name.
func (a *hostActs) edit() {
	h := a.d.Fleet.Host(a.id)
	if h == nil {
		return
	}
	was := h.Name
	name := widgets.NewEntry("", nil)
	name.SetText(was)
	field := widgets.NewField(words.T("host.name"), name, words.T("host.name_help", "Hostname", plaintext.Field(h.Hostname)))
	a.dialog = newForm(a.ctx, a.d, formConfig{title: words.T("host.edit_title", "Host", a.name()), action: words.T("dialog.save"), fields: []fyne.CanvasObject{field}, entries: []*widgets.TextEntry{name},
		check: func() (*widgets.Field, func(context.Context) error) {
			field.SetError("")
			text := strings.TrimSpace(name.Text())
			if text == "" {
				field.SetError(words.T("host.name_missing"))
				return nil, nil
			}
			return field, func(ctx context.Context) error {
				if text == was {
					return nil
				}
				_, err := a.d.Daemon.RenameHost(ctx, string(a.id), text)
				return err
			}
		}, done: func() {}})
}

func (a *hostActs) enrolAgain() { a.adder.openFor(a.id) }

func (a *hostActs) revoke() {
	name := a.name()
	a.dialog = dialogs.OpenRevoke(dialogs.RevokeConfig{Canvas: a.d.Window.Canvas(), Host: name, Running: a.d.Fleet.Active(a.id) != nil, Revoke: func() {
		feed.Do(a.ctx, a.d.Calls, func(ctx context.Context) error { return a.d.Daemon.RevokeHost(ctx, a.id) }, func(err error) {
			if err != nil {
				a.complain(err)
				return
			}
			a.d.Toast(widgets.Ok, words.T("host.revoke_done", "Host", name), words.T("host.revoke_done_text"))
		})
	}})
}
