package pages

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// hostLeft is how much wider the figures are than the facts beside them.
const hostLeft = 2.35

// hostSnapshots is how many snapshots the card shows; all are on the page of snapshots.
const hostSnapshots = 50

// hostOverview is the page's first tab: runs, size, snapshots, and the facts.
type hostOverview struct {
	p         *host
	root      fyne.CanvasObject
	runs      *runsCard
	size      *sizeCard
	snapshots *listing[fleet.Snapshot] // nil: the host is not known yet
	room      *fyne.Container          // of the snapshots
	facts     *factsCard
}

func newHostOverview(p *host) *hostOverview {
	o := &hostOverview{p: p, runs: newRunsCard(), size: newSizeCard(), facts: newFactsCard(p), room: widgets.VFlex(0)}
	all := widgets.NewButton(widgets.Link, "", words.T("overview.view_all"), func() { p.d.Navigate(nav.Route{Page: nav.Snapshots, ID: string(p.id)}) })
	head := widgets.Pad(widgets.CardHead(words.T("page.snapshots"), "", all), 9, 10, 5, 16)
	table := widgets.FlatCard(widgets.VFlex(0, head, widgets.Grow(o.room, 1)))
	figures := widgets.Columns(theme.Gap, widgets.Grow(o.runs.root, 1.4), widgets.Grow(o.size.root, 1))
	left := widgets.VFlex(theme.Gap, figures, widgets.Grow(table, 1))
	o.root = widgets.Columns(theme.Gap, widgets.Grow(left, hostLeft), widgets.Grow(overhanging(widgets.NewScroll(widgets.PadAll(o.facts.root, overhang))), 1))
	p.jobs.changed = o.showRuns
	return o
}

func hostSnapshotColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "id", Title: words.T("host.col.snapshot"), Width: 84},
		{ID: "taken", Title: words.T("host.col.taken"), Width: 146, Grow: 0.1},
		{ID: "paths", Title: words.T("host.col.paths"), Width: 110, Grow: 1, MinTable: 560},
		{ID: "size", Title: words.T("host.col.size"), Width: 98, Right: true, Grow: 0.1},
		{ID: "added", Title: words.T("host.col.added"), Width: 98, Right: true},
		{ID: "files", Title: words.T("host.col.files"), Width: 86, Right: true, MinTable: 640},
	}
}

// list makes the table of snapshots; they are known by their machine's own name.
func (o *hostOverview) list(hostname string) {
	daemon := o.p.d.Daemon
	load := func(ctx context.Context) ([]fleet.Snapshot, error) {
		page, err := daemon.Snapshots(ctx, apiclient.SnapshotFilter{Hostname: hostname, Limit: hostSnapshots})
		return page.Items, err
	}
	o.snapshots = newListing(o.p.ctx, o.p.d, listingConfig[fleet.Snapshot]{columns: hostSnapshotColumns(), load: load, id: func(s fleet.Snapshot) string { return string(s.ID) },
		texts: o.snapshotTexts, open: o.openSnapshot, empty: o.noSnapshots, styles: []widgets.Style{widgets.Mono, widgets.CellText, widgets.Cell, widgets.Cell, widgets.Cell, widgets.Cell}})
	widgets.SetChildren(o.room, widgets.Grow(o.snapshots.room, 1))
	o.snapshots.reload()
}

func (o *hostOverview) snapshotTexts(s fleet.Snapshot) []string {
	paths := make([]string, len(s.Paths))
	for i, path := range s.Paths {
		paths[i] = plaintext.Field(path)
	}
	files := words.T("job.none")
	if s.FilesProcessed > 0 {
		files = words.Number(s.FilesProcessed)
	}
	return []string{plaintext.Field(short(s.ID)), words.Moment(s.Time, o.p.d.Now()), strings.Join(paths, "  "), sizeOrNone(s.BytesProcessed), sizeOrNone(s.BytesAdded), files}
}

func (o *hostOverview) openSnapshot(s fleet.Snapshot) {
	if s.JobID != "" {
		o.p.d.Navigate(nav.Route{Page: nav.Job, ID: string(s.JobID)})
		return
	}
	o.p.d.Navigate(nav.Route{Page: nav.Snapshots, ID: string(o.p.id)})
}

func (o *hostOverview) noSnapshots() fyne.CanvasObject {
	return widgets.Empty(icons.Snapshot, words.T("host.no_snapshots"), words.T("host.no_snapshots_text"), nil)
}

// show shows what is known of the host.
func (o *hostOverview) show() {
	o.facts.show()
	if h := o.p.d.Fleet.Host(o.p.id); h != nil && o.snapshots == nil {
		o.list(h.Hostname)
		o.showRuns()
	}
}

// update reads the snapshots again after a job of the host ended.
func (o *hostOverview) update(c model.Change) {
	ended := slices.ContainsFunc(c.Ended, func(id fleet.JobID) bool {
		j := o.p.d.Fleet.Job(id)
		return j != nil && j.HostID == o.p.id
	})
	if ended || c.All {
		o.snapshots.reload()
	}
	if slices.Contains(c.Hosts, o.p.id) {
		o.showRuns()
	}
}

func (o *hostOverview) tick() { o.facts.show() }

func (o *hostOverview) showRuns() {
	backups := o.p.jobs.backups()
	now := o.p.d.Now()
	o.runs.show(backups, now)
	o.size.show(backups, now)
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
