package pages

import (
	"context"
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
)

// hostAdder adds hosts: the button of the top bar for those who may, and the dialog.
type hostAdder struct {
	ctx     context.Context
	d       *Deps
	box     *fyne.Container
	shown   bool
	hidden  bool
	dialog  *dialogs.AddHost // nil: not open
	onClose func()
}

func newHostAdder(ctx context.Context, d *Deps) *hostAdder {
	a := &hostAdder{ctx: ctx, d: d, box: widgets.HFlex(0)}
	a.showButton()
	return a
}

func (a *hostAdder) allowed() bool { return a.d.Fleet.May(fleet.RoleAdmin) }

// showButton offers the button to those who may use it.
func (a *hostAdder) showButton() {
	show := a.allowed() && !a.hidden
	if a.shown == show {
		return
	}
	a.shown = show
	if !a.shown {
		widgets.SetChildren(a.box)
		return
	}
	widgets.SetChildren(a.box, widgets.NewButton(widgets.Primary, icons.Plus, words.T("hosts.add"), a.open))
}

// hide takes the button away while the page itself offers the same: one primary button a page.
func (a *hostAdder) hide(hidden bool) {
	a.hidden = hidden
	a.showButton()
}

func (a *hostAdder) open() { a.openFor("") }

// openFor opens the dialog for a new host, or for one that is known and enrols anew.
func (a *hostAdder) openFor(again fleet.HostID) {
	if a.dialog != nil {
		return
	}
	create := func(done func(api.EnrolmentToken, error)) {
		feed.Call(a.ctx, a.d.Calls, func(ctx context.Context) (api.EnrolmentToken, error) {
			return a.d.Daemon.CreateEnrolmentToken(ctx, api.EnrolmentTokenRequest{HostID: again})
		}, done)
	}
	a.dialog = dialogs.OpenAddHost(dialogs.AddHostConfig{Canvas: a.d.Window.Canvas(), Fleet: a.d.Fleet, Again: again, Now: a.d.Now, Create: create, Copy: a.d.Copy,
		Open:    func(id fleet.HostID) { a.d.Navigate(nav.Route{Page: nav.Host, ID: string(id)}) },
		OnClose: a.closed})
}

func (a *hostAdder) closed() {
	a.dialog = nil
	if a.onClose != nil && a.ctx.Err() == nil {
		a.onClose()
	}
}

func (a *hostAdder) update(c model.Change) {
	if c.Identity {
		a.showButton()
	}
	if a.dialog != nil {
		a.dialog.Update(c)
	}
}

func (a *hostAdder) tick(now time.Time) {
	if a.dialog != nil {
		a.dialog.Tick(now)
	}
}

func (a *hostAdder) leave() {
	if a.dialog != nil {
		a.dialog.Close()
	}
}
