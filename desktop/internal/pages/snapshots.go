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
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// snapshots is the list of snapshots of all repositories, as the hosts last told of them.
type snapshots struct {
	base
	ctx    context.Context
	d      *Deps
	vm     *vm.Snapshots
	table  *widgets.Table
	search *widgets.TextEntry
	count  *widgets.Badge
	note   *widgets.Label
	room   *fyne.Container
	root   fyne.CanvasObject
	full   fyne.CanvasObject
	face   vm.Face
}

// snapshotsState is what the list wants back.
type snapshotsState struct {
	filter vm.SnapshotsFilter
	offset float32
}

// newSnapshots makes the page; the route's ID names a host and its Tab a repository to begin with.
func newSnapshots(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	old, back := state.(snapshotsState)
	if !back {
		old.filter = vm.SnapshotsFilter{Host: fleet.HostID(r.ID), Repository: fleet.RepositoryID(r.Tab)}
	}
	p := &snapshots{ctx: ctx, d: d, vm: vm.NewSnapshots(d.Fleet, old.filter), room: widgets.VFlex(0), count: widgets.NewBadge(""), note: widgets.NewLabel("", widgets.Caption)}
	p.root = widgets.Pad(p.room, theme.PagePadY, theme.PagePadX, theme.PagePadY, theme.PagePadX)
	p.build(old.filter)
	p.show()
	p.table.SetOffset(old.offset)
	return p
}

func snapshotColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "id", Title: words.T("snapshots.col.id"), Width: 96},
		{ID: "taken", Title: words.T("snapshots.col.taken"), Width: 150},
		{ID: "host", Title: words.T("snapshots.col.host"), Width: 150, Grow: 1},
		{ID: "paths", Title: words.T("snapshots.col.paths"), Width: 160, Grow: 2, MinTable: 760},
		{ID: "repository", Title: words.T("snapshots.col.repository"), Width: 120, Grow: 1, MinTable: 900},
		{ID: "size", Title: words.T("snapshots.col.size"), Width: 92, Right: true},
		{ID: "added", Title: words.T("snapshots.col.added"), Width: 92, Right: true, MinTable: 640},
		{ID: "more", Width: 52, Right: true},
	}
}

func (p *snapshots) build(f vm.SnapshotsFilter) {
	hostNames, hosts, at := []string{words.T("snapshots.every_host")}, []fleet.HostID{""}, 0
	for _, h := range p.d.Fleet.Hosts() {
		if h.ID == f.Host {
			at = len(hosts)
		}
		hostNames, hosts = append(hostNames, h.Name), append(hosts, h.ID)
	}
	host := widgets.NewSelect("", hostNames, at, func(i int) { p.filter(func(f *vm.SnapshotsFilter) { f.Host = hosts[i] }) })
	repoNames, repos, chosen := []string{words.T("snapshots.every_repository")}, []fleet.RepositoryID{""}, 0
	for _, r := range p.d.Fleet.Repositories() {
		if r.ID == f.Repository {
			chosen = len(repos)
		}
		repoNames, repos = append(repoNames, r.Name), append(repos, r.ID)
	}
	repository := widgets.NewSelect("", repoNames, chosen, func(i int) { p.filter(func(f *vm.SnapshotsFilter) { f.Repository = repos[i] }) })
	p.search = widgets.NewSearchField(words.T("snapshots.search"), shortcutHint("F"), func(text string) { p.filter(func(f *vm.SnapshotsFilter) { f.Text = text }) })
	p.search.SetText(f.Text)
	p.table = widgets.NewTable(widgets.TableConfig{Columns: snapshotColumns(), NewRow: func() widgets.Row { return newSnapshotRow(p) }, OnOpen: p.restore,
		OnSelect: func(string) { p.reached() }, RowHeight: theme.RowSingleH + 3})
	head := widgets.HFlex(10, widgets.NewLabel(words.T("page.snapshots"), widgets.CardTitle), p.count, widgets.Spacer(), widgets.Fixed(host, 180), widgets.Fixed(repository, 180), widgets.Fixed(p.search, 220))
	p.full = widgets.FlatCard(widgets.VFlex(0, widgets.Pad(head, 10, theme.CardPad, 8, theme.CardPad), widgets.Grow(p.table, 1), widgets.Divider(), widgets.Pad(p.note, 7, theme.CardPad, 7, theme.CardPad)))
}

func (p *snapshots) Content() fyne.CanvasObject { return p.root }
func (p *snapshots) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.snapshots")}} }
func (p *snapshots) State() any {
	return snapshotsState{filter: p.vm.Filter(), offset: p.table.Offset()}
}

func (p *snapshots) Update(c model.Change) {
	switch p.vm.Update(c) {
	case vm.Rows:
		p.show()
	case vm.Cells:
		p.show()
	}
}

func (p *snapshots) Tick(time.Time) { p.reached() }

// Shown gives the keyboard to the list.
func (p *snapshots) Shown() {
	if p.face == vm.Full {
		p.d.Window.Canvas().Focus(p.table)
	}
}

func (p *snapshots) Key(k Key) bool {
	if k.Super && k.Name == fyne.KeyF {
		p.search.Focus()
		return true
	}
	return false
}

func (p *snapshots) filter(change func(*vm.SnapshotsFilter)) {
	f := p.vm.Filter()
	change(&f)
	if f == p.vm.Filter() {
		return
	}
	p.vm.SetFilter(f)
	p.show()
	p.table.SetOffset(0)
}

func (p *snapshots) show() {
	if p.vm.Short() {
		p.more()
	}
	p.table.SetIDs(p.vm.IDs())
	p.table.RefreshVisible()
	n := words.Number(int64(len(p.vm.IDs())))
	if !p.vm.Complete() {
		n = words.T("jobs.and_more", "Count", n)
	}
	p.count.Set(n)
	p.showNote()
	f := p.vm.Face()
	if f == p.face {
		return
	}
	p.face = f
	var o fyne.CanvasObject
	switch f {
	case vm.Loading:
		o = widgets.FlatCard(widgets.SkeletonTable(snapshotColumns(), 14))
	case vm.Empty:
		b := widgets.NewButton(widgets.Primary, icons.Host, words.T("jobs.to_hosts"), func() { p.d.Navigate(nav.Route{Page: nav.Hosts}) })
		o = widgets.FlatCard(widgets.Empty(icons.Snapshot, words.T("snapshots.empty"), words.T("snapshots.empty_text"), b))
	case vm.Failed:
		title, why := words.Error(p.vm.Err())
		o = widgets.FlatCard(widgets.Failure(title, why, widgets.NewButton(widgets.Primary, icons.Refresh, words.T("jobs.retry"), func() {
			p.vm.Retry()
			p.more()
		})))
	default:
		o = p.full
	}
	widgets.SetChildren(p.room, widgets.Grow(o, 1))
}

func (p *snapshots) showNote() {
	text := words.T("snapshots.all_shown")
	switch {
	case p.vm.Err() != nil:
		_, text = words.Error(p.vm.Err())
	case p.vm.Loading():
		text = words.T("snapshots.loading")
	case len(p.vm.IDs()) == 0:
		text = words.T("snapshots.no_match")
	case !p.vm.Complete():
		text = words.T("jobs.scroll_on")
	}
	p.note.Set(text)
}

// reached asks for older snapshots when the end of the list is near.
func (p *snapshots) reached() {
	if nearTheEnd(p.table.VisibleIDs(), p.vm.IDs()) {
		p.more()
	}
}

// nearTheEnd tells whether the last visible row is one of the last.
func nearTheEnd(visible, all []string) bool {
	if len(visible) == 0 {
		return false
	}
	for _, id := range all[max(0, len(all)-nearEnd):] {
		if id == visible[len(visible)-1] {
			return true
		}
	}
	return false
}

func (p *snapshots) more() {
	q, any := p.vm.More()
	if !any {
		return
	}
	p.showNote()
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (api.Page[fleet.Snapshot], error) {
		return p.d.Daemon.Snapshots(ctx, q.Filter)
	}, func(page api.Page[fleet.Snapshot], err error) {
		if p.vm.Took(q, page, err) != vm.Nothing {
			p.show()
		}
	})
}

// restore asks what to restore of a snapshot.
func (p *snapshots) restore(key string) {
	if s, ok := p.vm.Row(key); ok {
		restoreSnapshot(p.ctx, p.d, s)
	}
}

// restoreSnapshot asks what to restore of a snapshot, and where, and goes to the job.
func restoreSnapshot(ctx context.Context, d *Deps, s vm.SnapshotRow) {
	if !d.Fleet.May(fleet.RoleOperator) {
		return
	}
	hosts := holders(d.Fleet, s.RepositoryID)
	dialogs.OpenRestore(dialogs.RestoreConfig{Canvas: d.Window.Canvas(), Snapshot: s.Short, Taken: words.Moment(s.Time, d.Now()), Paths: s.Paths, Hosts: hosts, Home: s.HostID,
		Start: func(r dialogs.RestoreRequest, done func(error)) {
			feed.Call(ctx, d.Calls, func(ctx context.Context) (fleet.Job, error) {
				return d.Daemon.StartJob(ctx, string(r.Host), api.JobRequest{Kind: fleet.KindRestore, Repository: string(s.RepositoryID), Snapshot: string(s.ID), Includes: r.Includes, Folder: r.Folder}, "")
			}, func(j fleet.Job, err error) {
				done(err)
				if err == nil {
					d.Navigate(nav.Route{Page: nav.Job, ID: string(j.ID)})
				}
			})
		}})
}

// snapshotRow is a line of the list.
type snapshotRow struct {
	p      *snapshots
	key    string
	labels [7]*widgets.Label
	more   *widgets.IconButton
	cells  []fyne.CanvasObject
}

func newSnapshotRow(p *snapshots) *snapshotRow {
	r := &snapshotRow{p: p}
	for i := range r.labels {
		r.labels[i] = widgets.NewLabel("", widgets.Cell)
		r.cells = append(r.cells, r.labels[i])
	}
	r.labels[0].SetStyle(widgets.Mono)
	r.labels[0].SetColor(theme.Accent)
	r.labels[1].SetStyle(widgets.CellText)
	r.labels[3].SetStyle(widgets.MonoSmall)
	r.labels[5].AlignRight()
	r.labels[6].AlignRight()
	r.more = widgets.NewIconButton(icons.Ellipsis, words.T("repositories.more"), r.menu)
	r.cells = append(r.cells, r.more)
	return r
}

func (r *snapshotRow) Cells() []fyne.CanvasObject { return r.cells }

func (r *snapshotRow) Bind(key string) {
	r.key = key
	s, ok := r.p.vm.Row(key)
	if !ok {
		return
	}
	for i, text := range [...]string{s.Short, words.Moment(s.Time, r.p.d.Now()), s.Hostname, strings.Join(s.Paths, "  "), s.Repository, sizeOrNone(s.Bytes), sizeOrNone(s.Added)} {
		r.labels[i].Set(text)
	}
}

func (r *snapshotRow) menu() {
	s, ok := r.p.vm.Row(r.key)
	if !ok {
		return
	}
	p := r.p
	items := []widgets.MenuItem{
		{Icon: icons.Restore, Label: words.T("snapshots.restore"), Disabled: !p.d.Fleet.May(fleet.RoleOperator), OnTap: func() { p.restore(r.key) }},
		{Icon: icons.Copy, Label: words.T("snapshots.copy_id"), OnTap: func() { p.d.Copy(string(s.ID)) }},
	}
	if s.JobID != "" {
		items = append(items, widgets.MenuItem{Icon: icons.Job, Label: words.T("snapshots.see_job"), OnTap: func() { p.d.Navigate(nav.Route{Page: nav.Job, ID: string(s.JobID)}) }})
	}
	if s.HostID != "" {
		items = append(items, widgets.MenuItem{Icon: icons.Host, Label: words.T("snapshots.see_host"), OnTap: func() { p.d.Navigate(nav.Route{Page: nav.Host, ID: string(s.HostID)}) }})
	}
	widgets.ShowMenu(r.more, items)
}
