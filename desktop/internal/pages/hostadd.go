package pages

import (
	"context"
	"time"

	"github.com/backstay/backstay/desktop/internal/dialogs"
	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// hostAdder adds hosts: the button of the top bar for those who may, and the dialog.
type hostAdder struct {
	*adder
	ctx     context.Context
	hidden  bool
	dialog  *dialogs.AddHost // nil: not open
	onClose func()
}

func newHostAdder(ctx context.Context, d *Deps) *hostAdder {
	a := &hostAdder{ctx: ctx}
	a.adder = newAdder(d, fleet.RoleAdmin, words.T("hosts.add"), a.open)
	a.show(false)
	return a
}

// hide takes the button away while the page itself offers the same.
func (a *hostAdder) hide(hidden bool) {
	a.hidden = hidden
	a.show(hidden)
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
		a.show(a.hidden)
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
