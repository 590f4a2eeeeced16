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
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// host is the page of one host: how its backups stand, what runs, its snapshots, jobs, plans and facts.
type host struct {
	base
	ctx  context.Context
	d    *Deps
	id   fleet.HostID
	vm   *vm.Host
	root *fyne.Container
	face vm.Face

	acts *hostActs
	head *hostHead
	live *hostLive
	tabs *widgets.Tabs
	tab  int
	body *fyne.Container
	over *hostOverview
	jobs *hostJobs
}

// hostState is what the page wants back.
type hostState struct{ tab int }

// The page's tabs.
const (
	hostTabOverview = iota
	hostTabJobs
)

func newHost(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	p := &host{ctx: ctx, d: d, id: fleet.HostID(r.ID), vm: vm.NewHost(d.Fleet, fleet.HostID(r.ID)), root: widgets.VFlex(0), body: widgets.VFlex(0)}
	if was, ok := state.(hostState); ok {
		p.tab = was.tab
	} else if r.Tab == string(nav.Jobs) {
		p.tab = hostTabJobs
	}
	p.acts = newHostActs(ctx, d, p.id)
	p.jobs = newHostJobs(ctx, d, p.vm.Jobs)
	p.head, p.live, p.over = newHostHead(p), newHostLive(p), newHostOverview(p)
	p.jobs.changed = p.over.showRuns
	p.tabs = widgets.NewTabs([]string{words.T("host.tab.overview"), words.T("page.jobs")}, p.tab, func(i int) {
		p.tab = i
		p.showTab()
	})
	p.showTab()
	p.show()
	return p
}

func (p *host) Content() fyne.CanvasObject { return p.root }
func (p *host) State() any                 { return hostState{p.tab} }
func (p *host) Leave()                     { p.acts.leave() }

func (p *host) Crumbs() []Crumb {
	return []Crumb{{Text: words.T("page.hosts"), Route: nav.Route{Page: nav.Hosts}}, {Text: p.acts.name()}}
}

func (p *host) showTab() {
	o := p.over.root
	if p.tab == hostTabJobs {
		o = p.jobs.root
	}
	widgets.SetChildren(p.body, widgets.Grow(o, 1))
}

// Key goes from tab to tab with Ctrl and the arrows.
func (p *host) Key(k Key) bool {
	if p.face != vm.Full || !k.Super || k.Name != fyne.KeyLeft && k.Name != fyne.KeyRight {
		return false
	}
	p.tab = 1 - p.tab
	p.tabs.Select(p.tab)
	p.showTab()
	return true
}

func (p *host) Update(c model.Change) {
	p.acts.update(c)
	changed := p.vm.Update(c)
	if c.Connection && p.face != vm.Full {
		p.face = ""
		changed.Page = true
	}
	p.jobs.refresh(changed.Jobs)
	if changed.Page {
		p.show()
	}
	if p.face != vm.Full {
		return
	}
	if changed.Live {
		p.live.show()
	}
	if changed.Snapshots != vm.Nothing {
		p.over.snapshots.show()
	}
}

func (p *host) Tick(now time.Time) {
	p.acts.tick(now)
	if p.face != vm.Full {
		return
	}
	p.head.show()
	p.live.show()
	p.over.show()
	p.jobs.tick()
}

// askRuns asks for the backups before those that the host's row tells of.
func (p *host) askRuns() {
	q, any := p.vm.RunsQuery()
	if !any {
		return
	}
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (api.Page[fleet.Job], error) { return p.d.Daemon.Jobs(ctx, q) }, func(page api.Page[fleet.Job], err error) {
		p.vm.TookRuns(page, err)
		p.over.showRuns()
	})
}

// show shows what is known now.
func (p *host) show() {
	face := p.vm.Face()
	if face == vm.Full {
		p.askRuns()
		p.head.show()
		p.live.show()
		p.over.show()
	}
	if face == p.face {
		return
	}
	p.face = face
	var o fyne.CanvasObject
	switch {
	case face == vm.Full:
		o = page(widgets.VFlex(theme.Gap, p.head.root, p.live.root, p.tabs, widgets.Grow(p.body, 1)))
	case p.vm.Gone():
		o = page(widgets.FlatCard(widgets.Empty(icons.Host, words.T("host.gone"), words.T("host.gone_text"),
			widgets.NewButton(widgets.Primary, icons.Host, words.T("host.to_hosts"), func() { p.d.Navigate(nav.Route{Page: nav.Hosts}) }))))
	case face == vm.Failed:
		o = page(widgets.FlatCard(failedLink(p.d)))
	default:
		o = hostSkeleton()
	}
	widgets.SetChildren(p.root, widgets.Grow(o, 1))
}

// hostSkeleton stands where the page will be.
func hostSkeleton() fyne.CanvasObject {
	names := widgets.VFlex(8, widgets.At(widgets.SkeletonBlock(180, 18), widgets.Start), widgets.At(widgets.SkeletonBlock(260, 10), widgets.Start))
	head := widgets.HFlex(14, widgets.SkeletonBlock(44, 44), widgets.Grow(names, 1))
	card := func() fyne.CanvasObject { return widgets.Card(widgets.SkeletonLines(5)) }
	left := widgets.VFlex(theme.Gap, widgets.Columns(theme.Gap, widgets.Grow(card(), 1.45), widgets.Grow(card(), 1)), widgets.Grow(card(), 1))
	return page(widgets.VFlex(theme.Gap, head, widgets.Grow(widgets.Columns(theme.Gap, widgets.Grow(left, hostLeft), widgets.Grow(card(), 1)), 1)))
}
