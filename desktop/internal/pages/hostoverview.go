package pages

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
)

// hostLeft is how much wider the figures are than the facts beside them.
const hostLeft = 2.2

// hostOverview is the page's first tab: runs, size, snapshots, and the facts.
type hostOverview struct {
	p         *host
	root      fyne.CanvasObject
	runs      *runsCard
	size      *sizeCard
	snapshots *hostSnapshots
	facts     *factsCard
}

func newHostOverview(p *host) *hostOverview {
	o := &hostOverview{p: p, runs: newRunsCard(), size: newSizeCard(), facts: newFactsCard(p), snapshots: newHostSnapshots(p)}
	all := widgets.NewButton(widgets.Link, "", words.T("overview.view_all"), func() { p.d.Navigate(nav.Route{Page: nav.Snapshots, ID: string(p.id)}) })
	o.snapshots.all = all
	head := widgets.Pad(widgets.CardHead(words.T("page.snapshots"), "", all), 9, theme.CardPad, 5, theme.CardPad)
	table := widgets.FlatCard(widgets.VFlex(0, head, widgets.Grow(o.snapshots.room, 1)))
	figures := widgets.Columns(theme.Gap, widgets.Grow(o.runs.root, 1.4), widgets.Grow(o.size.root, 1))
	left := widgets.VFlex(theme.Gap, figures, widgets.Grow(table, 1))
	facts := overhanging(widgets.NewScroll(widgets.PadAll(o.facts.root, overhang)))
	o.root = widgets.Columns(theme.Gap, widgets.Grow(left, hostLeft), widgets.Grow(facts, 1))
	return o
}

// show shows what is known of the host.
func (o *hostOverview) show() {
	o.facts.show()
	o.showRuns()
	o.snapshots.show()
}

func (o *hostOverview) showRuns() {
	now := o.p.d.Now()
	o.runs.show(o.p.vm, now)
	o.size.show(o.p.jobs.backups(), now)
}

// overhang is how far what scrolls reaches beyond its room: the shadows of cards at its edges are not to be cut off.
const overhang = 8

// overhanging lets an object reach beyond its room on all sides.
func overhanging(o fyne.CanvasObject) fyne.CanvasObject { return container.New(overhangLayout{}, o) }

type overhangLayout struct{}

// MinSize implements fyne.Layout.
func (overhangLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().SubtractWidthHeight(2*overhang, 2*overhang)
}

// Layout implements fyne.Layout.
func (overhangLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(-overhang, -overhang))
	objects[0].Resize(size.AddWidthHeight(2*overhang, 2*overhang))
}
