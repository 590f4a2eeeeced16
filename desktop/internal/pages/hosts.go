package pages

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/words"
)

// addTab is the tab of the hosts' route that asks to add one.
const addTab = "add"

// hosts is the page of all hosts.
type hosts struct {
	d     *Deps
	root  fyne.CanvasObject
	list  *hostList
	adder *hostAdder
	ask   bool // open the dialog as soon as the page is there
}

func newHosts(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	p := &hosts{d: d, adder: newHostAdder(ctx, d)}
	was, back := state.(hostListState)
	var before *hostListState
	if back {
		before = &was
	}
	scopes := []vm.HostScope{vm.ScopeAll, vm.ScopeAttention, vm.ScopeRunning, vm.ScopeOffline, vm.ScopeRevoked}
	p.list = newHostList(hostListConfig{deps: d, vm: vm.NewHosts(d.Fleet), scopes: scopes, was: before, add: p.adder.open,
		faced: func(f vm.Face) { p.adder.hide(f == vm.Empty) }})
	for _, s := range scopes {
		if !back && r.Tab == string(s) {
			p.list.setScope(s)
		}
	}
	if r.Tab == addTab {
		p.ask = !back
		p.adder.onClose = func() { d.Navigate(nav.Route{Page: nav.Hosts}) } // so that the same route can be asked for again
	}
	p.root = page(p.list.root)
	return p
}

func (p *hosts) Content() fyne.CanvasObject { return p.root }
func (p *hosts) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.hosts")}} }
func (p *hosts) Actions() fyne.CanvasObject { return p.adder.box }
func (p *hosts) State() any                 { return p.list.state() }
func (p *hosts) Key(k Key) bool             { return p.list.key(k) }
func (p *hosts) Leave()                     { p.adder.leave() }

// Shown gives the keyboard to the rows.
func (p *hosts) Shown() { p.list.takeKeys() }

func (p *hosts) Update(c model.Change) {
	p.list.update(c)
	p.adder.update(c)
}

func (p *hosts) Tick(now time.Time) {
	if p.ask && p.adder.may() {
		p.ask = false
		p.adder.open()
	}
	p.list.tick(now)
	p.adder.tick(now)
}
