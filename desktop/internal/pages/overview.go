package pages

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
)

// overview is the first page: figures, the last days, what needs a person, and the hosts.
type overview struct {
	ctx   context.Context
	d     *Deps
	vm    *vm.Overview
	root  *fyne.Container
	face  vm.Face
	full  fyne.CanvasObject
	adder *hostAdder

	cards     *kpiCards
	days      *daysCard
	attention *attentionCard
	list      *hostList
}

func newOverview(ctx context.Context, d *Deps, _ nav.Route, state any) Page {
	p := &overview{ctx: ctx, d: d, vm: vm.NewOverview(d.Fleet), root: widgets.VFlex(0), adder: newHostAdder(ctx, d), cards: newKPICards()}
	p.days = newDaysCard(d, func() {
		p.vm.Retry()
		p.ask(d.Now())
	})
	p.attention = newAttentionCard(d)
	var before *hostListState
	if was, ok := state.(hostListState); ok {
		before = &was
	}
	p.list = newHostList(hostListConfig{deps: d, vm: p.vm.Hosts, scopes: []vm.HostScope{vm.ScopeAll, vm.ScopeAttention, vm.ScopeRunning}, was: before, add: p.adder.open})
	middle := widgets.Columns(theme.Gap, widgets.Grow(p.days.root, 2.15), widgets.Grow(p.attention.root, 1))
	p.full = page(widgets.VFlex(theme.Gap, p.cards.root, widgets.Grow(middle, 1), widgets.Grow(p.list.root, 1.55)))
	p.ask(d.Now())
	p.show()
	return p
}

// page puts a body into a page's room.
func page(body fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Pad(body, theme.PagePadY, theme.PagePadX, theme.PagePadY, theme.PagePadX)
}

func (p *overview) Content() fyne.CanvasObject { return p.root }
func (p *overview) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.overview")}} }
func (p *overview) Actions() fyne.CanvasObject { return p.adder.box }
func (p *overview) State() any                 { return p.list.state() }
func (p *overview) Key(k Key) bool             { return p.face == vm.Full && p.list.key(k) }
func (p *overview) Leave()                     { p.adder.leave() }

func (p *overview) Update(c model.Change) {
	p.adder.update(c)
	changed := p.vm.Update(c)
	if (c.Connection || c.Identity) && p.face != vm.Full {
		p.face = ""
	}
	p.show()
	if p.face != vm.Full {
		return
	}
	if changed.Cards {
		p.cards.show(p.vm, p.d.Now())
	}
	if changed.Attention {
		p.attention.show(p.vm, p.d.Now())
	}
	p.list.refresh(c, changed.Hosts)
	p.ask(p.d.Now())
}

func (p *overview) Tick(now time.Time) {
	p.vm.Tick()
	p.adder.tick(now)
	p.ask(now)
	if p.face != vm.Full {
		return
	}
	p.cards.show(p.vm, p.d.Now())
	p.attention.show(p.vm, now)
	p.list.tick(now)
}

// ask asks for the days when it is time to.
func (p *overview) ask(now time.Time) {
	if !p.vm.Due(now) {
		return
	}
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (api.Overview, error) { return p.d.Daemon.Overview(ctx, vm.OverviewDays) }, func(o api.Overview, err error) {
		p.vm.Took(o, err)
		p.cards.show(p.vm, p.d.Now())
		p.days.show(p.vm)
	})
}

// show shows the face that fits.
func (p *overview) show() {
	face := p.vm.Face()
	if face == p.face {
		return
	}
	p.face = face
	p.adder.hide(face == vm.Empty)
	var o fyne.CanvasObject
	switch face {
	case vm.Loading:
		o = overviewSkeleton()
	case vm.Failed:
		o = page(widgets.FlatCard(failedLink(p.d)))
	case vm.Empty:
		o = page(widgets.FlatCard(noHosts(p.d, p.adder.open)))
	default:
		o = p.full
		p.cards.show(p.vm, p.d.Now())
		p.days.show(p.vm)
		p.attention.show(p.vm, p.d.Now())
	}
	widgets.SetChildren(p.root, widgets.Grow(o, 1))
}

// overviewSkeleton stands where the page will be.
func overviewSkeleton() fyne.CanvasObject {
	var cards []fyne.CanvasObject
	for range 4 {
		cards = append(cards, widgets.Card(widgets.VFlex(12, widgets.At(widgets.SkeletonBlock(110, 10), widgets.Start), widgets.At(widgets.SkeletonBlock(84, 24), widgets.Start), widgets.At(widgets.SkeletonBlock(140, 10), widgets.Start))))
	}
	blank := func() fyne.CanvasObject { return widgets.Card(widgets.SkeletonLines(5)) }
	middle := widgets.Columns(theme.Gap, widgets.Grow(blank(), 2.15), widgets.Grow(blank(), 1))
	table := widgets.FlatCard(widgets.Pad(widgets.SkeletonTable(hostColumns(), 6), 8, 0, 0, 0))
	return page(widgets.VFlex(theme.Gap, widgets.Grid(4, theme.Gap, cards...), widgets.Grow(middle, 1), widgets.Grow(table, 1.55)))
}
