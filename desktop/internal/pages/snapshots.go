package pages

import (
	"context"
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
	"github.com/backstay/backstay/shared/plaintext"
)

// snapshots is the list of snapshots of all repositories, as the hosts last told of them.
type snapshots struct {
	base
	ctx        context.Context
	d          *Deps
	vm         *vm.Snapshots
	sheet      *pagedSheet[vm.SnapshotsQuery, fleet.Snapshot]
	host       *widgets.Select
	repository *widgets.Select
	search     *widgets.TextEntry
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
	p := &snapshots{ctx: ctx, d: d, vm: vm.NewSnapshots(d.Fleet, old.filter)}
	p.makeTools(old.filter)
	p.sheet = newPagedSheet("snapshots", newSnapshotsReader(ctx, d, p.vm), sheetConfig{deps: d, title: words.T("page.snapshots"), rows: 14, search: p.search,
		tools: []fyne.CanvasObject{widgets.Fixed(p.host, 180), widgets.Fixed(p.repository, 180), widgets.Fixed(p.search, 220)},
		table: widgets.TableConfig{Columns: snapshotColumns(), NewRow: func() widgets.Row { return newSnapshotRow(p) }, OnOpen: p.restore, RowHeight: theme.RowSingleH + 3},
		empty: func() fyne.CanvasObject {
			b := widgets.NewButton(widgets.Primary, icons.Host, words.T("jobs.to_hosts"), func() { d.Navigate(nav.Route{Page: nav.Hosts}) })
			return widgets.Empty(icons.Snapshot, words.T("snapshots.empty"), words.T("snapshots.empty_text"), b)
		},
		none: func() fyne.CanvasObject {
			return noMatch(words.T("snapshots.no_match"), words.T("snapshots.no_match_text"), words.T("snapshots.show_all"), p.clear)
		}})
	p.sheet.refresh()
	p.sheet.table.SetOffset(old.offset)
	return p
}

// newSnapshotsReader reads snapshots on.
func newSnapshotsReader(ctx context.Context, d *Deps, v *vm.Snapshots) reader[vm.SnapshotsQuery, fleet.Snapshot] {
	return reader[vm.SnapshotsQuery, fleet.Snapshot]{ctx: ctx, d: d, rows: v, ask: func(ctx context.Context, q vm.SnapshotsQuery) (api.Page[fleet.Snapshot], error) {
		return d.Daemon.Snapshots(ctx, q.Filter)
	}}
}

func (p *snapshots) makeTools(f vm.SnapshotsFilter) {
	hostNames, hosts, at := []string{words.T("snapshots.every_host")}, []fleet.HostID{""}, 0
	for _, h := range p.d.Fleet.Hosts() {
		if h.ID == f.Host {
			at = len(hosts)
		}
		hostNames, hosts = append(hostNames, plaintext.Field(h.Name)), append(hosts, h.ID)
	}
	p.host = widgets.NewSelect("", hostNames, at, func(i int) { p.filter(func(f *vm.SnapshotsFilter) { f.Host = hosts[i] }) })
	repoNames, repos, chosen := []string{words.T("snapshots.every_repository")}, []fleet.RepositoryID{""}, 0
	for _, r := range p.d.Fleet.Repositories() {
		if r.ID == f.Repository {
			chosen = len(repos)
		}
		repoNames, repos = append(repoNames, plaintext.Field(r.Name)), append(repos, r.ID)
	}
	p.repository = widgets.NewSelect("", repoNames, chosen, func(i int) { p.filter(func(f *vm.SnapshotsFilter) { f.Repository = repos[i] }) })
	p.search = widgets.NewSearchField(words.T("snapshots.search"), words.Shortcut("F"), func(text string) { p.filter(func(f *vm.SnapshotsFilter) { f.Text = text }) })
	p.search.SetText(f.Text)
}

func (p *snapshots) Content() fyne.CanvasObject { return p.sheet.root }
func (p *snapshots) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.snapshots")}} }
func (p *snapshots) Tick(time.Time)             { p.sheet.reached() }
func (p *snapshots) Key(k Key) bool             { return p.sheet.key(k) }
func (p *snapshots) State() any {
	return snapshotsState{filter: p.vm.Filter(), offset: p.sheet.table.Offset()}
}

func (p *snapshots) Update(c model.Change) {
	if p.vm.Update(c) != vm.Nothing {
		p.sheet.refresh()
	}
}

// Shown gives the keyboard to the list.
func (p *snapshots) Shown() { p.sheet.takeKeys() }

func (p *snapshots) filter(change func(*vm.SnapshotsFilter)) {
	f := p.vm.Filter()
	change(&f)
	if p.sheet == nil || f == p.vm.Filter() {
		return
	}
	p.vm.SetFilter(f)
	p.sheet.refresh()
	p.sheet.table.SetOffset(0)
}

// clear shows all snapshots.
func (p *snapshots) clear() {
	p.host.Select(0)
	p.repository.Select(0)
	p.search.SetText("")
	p.filter(func(f *vm.SnapshotsFilter) { *f = vm.SnapshotsFilter{} })
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
