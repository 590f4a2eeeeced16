package pages

import (
	"context"
	"strings"
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

// jobs is the list of jobs: what runs or waits on top, then the past, as far back as the daemon remembers.
type jobs struct {
	base
	ctx    context.Context
	d      *Deps
	vm     *vm.Jobs
	table  *widgets.Table
	scopes *widgets.Segmented
	search *widgets.TextEntry
	count  *widgets.Badge
	note   *widgets.Label
	retry  *widgets.Button
	room   *fyne.Container
	full   fyne.CanvasObject
	face   vm.Face
}

// jobsState is what the list wants back.
type jobsState struct {
	filter   vm.JobsFilter
	offset   float32
	selected string
}

var jobScopes = [...]vm.JobScope{vm.JobsAll, vm.JobsOpen, vm.JobsFailed, vm.JobsWarning, vm.JobsSucceeded, vm.JobsCancelled}

// nearEnd is how many rows before the last visible one the next page is asked for.
const nearEnd = 30

func newJobs(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	old, back := state.(jobsState)
	if !back {
		old.filter = vm.JobsFilter{Host: fleet.HostID(r.ID), Scope: vm.JobScope(r.Tab)}
	}
	p := &jobs{ctx: ctx, d: d, vm: vm.NewJobs(d.Fleet, old.filter), room: widgets.VFlex(0), count: widgets.NewBadge(""), note: widgets.NewLabel("", widgets.Caption)}
	p.retry = widgets.NewButton(widgets.Link, "", words.T("jobs.retry"), func() {
		p.vm.Retry()
		p.more()
	})
	p.build(old.filter)
	p.show()
	p.table.SetOffset(old.offset)
	p.table.Select(old.selected)
	return p
}

func (p *jobs) build(f vm.JobsFilter) {
	labels, at := make([]string, len(jobScopes)), 0
	for i, s := range jobScopes {
		labels[i] = words.T("jobs.scope." + string(s))
		if s == f.Scope {
			at = i
		}
	}
	p.scopes = widgets.NewSegmented(labels, at, func(i int) { p.filter(func(f *vm.JobsFilter) { f.Scope = jobScopes[i] }) })
	p.search = widgets.NewSearchField(words.T("jobs.search"), shortcutHint("F"), func(text string) { p.filter(func(f *vm.JobsFilter) { f.Text = text }) })
	p.search.SetText(f.Text)
	kinds := []string{words.T("jobs.every_kind")}
	chosen := 0
	for i, k := range fleet.JobKinds {
		kinds = append(kinds, words.Kind(k))
		if k == f.Kind {
			chosen = i + 1
		}
	}
	kind := widgets.NewSelect("", kinds, chosen, func(i int) {
		p.filter(func(f *vm.JobsFilter) {
			f.Kind = ""
			if i > 0 {
				f.Kind = fleet.JobKinds[i-1]
			}
		})
	})
	p.table = widgets.NewTable(widgets.TableConfig{Columns: jobColumns(), NewRow: func() widgets.Row { return newJobRow(p.d, p.vm.Row) },
		OnOpen: func(id string) { p.d.Navigate(nav.Route{Page: nav.Job, ID: id}) }, OnSelect: func(string) { p.reached() }})
	tools := widgets.HFlex(10, widgets.NewLabel(words.T("page.jobs"), widgets.CardTitle), p.count, widgets.Spacer(), p.scopes, widgets.Fixed(kind, 150), widgets.Fixed(p.search, 230))
	foot := widgets.HFlex(8, p.note, p.retry, widgets.Spacer())
	p.full = widgets.FlatCard(widgets.VFlex(0, widgets.Pad(tools, 10, theme.CardPad, 8, theme.CardPad), widgets.Grow(p.table, 1), widgets.Divider(), widgets.Pad(foot, 7, theme.CardPad, 7, theme.CardPad)))
}

// jobColumns are the columns of lists of jobs.
func jobColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "job", Title: words.T("jobs.col.job"), Width: 200, Grow: 2},
		{ID: "state", Title: words.T("jobs.col.state"), Width: 190},
		{ID: "where", Title: words.T("jobs.col.repository"), Width: 130, Grow: 1, MinTable: 860},
		{ID: "started", Title: words.T("jobs.col.started"), Width: 140},
		{ID: "took", Title: words.T("jobs.col.took"), Width: 120, MinTable: 700},
		{ID: "read", Title: words.T("jobs.col.read"), Width: 92, Right: true},
		{ID: "added", Title: words.T("jobs.col.added"), Width: 92, Right: true, MinTable: 780},
	}
}

func (p *jobs) Content() fyne.CanvasObject { return p.room }
func (p *jobs) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.jobs")}} }
func (p *jobs) State() any {
	return jobsState{filter: p.vm.Filter(), offset: p.table.Offset(), selected: p.table.Selected()}
}

func (p *jobs) Update(c model.Change) {
	switch p.vm.Update(c) {
	case vm.Rows:
		p.show()
	case vm.Cells:
		p.table.RefreshVisible()
	}
}

func (p *jobs) Tick(time.Time) {
	p.table.RefreshVisible()
	p.reached()
}

// Shown gives the keyboard to the list.
func (p *jobs) Shown() {
	if p.face == vm.Full {
		p.d.Window.Canvas().Focus(p.table)
	}
}

func (p *jobs) Key(k Key) bool {
	if k.Super && k.Name == fyne.KeyF {
		p.search.Focus()
		return true
	}
	return false
}

func (p *jobs) filter(change func(*vm.JobsFilter)) {
	f := p.vm.Filter()
	change(&f)
	if f == p.vm.Filter() {
		return
	}
	p.vm.SetFilter(f)
	p.show()
	p.table.SetOffset(0)
}

// show puts the face that fits into the room, and the rows into the table.
func (p *jobs) show() {
	if p.vm.Short() {
		p.more()
	}
	p.table.SetIDs(p.vm.IDs())
	p.table.RefreshVisible()
	p.count.Set(p.counted())
	p.showNote()
	f := p.vm.Face()
	if f == p.face {
		return
	}
	p.face = f
	switch f {
	case vm.Loading:
		p.fill(widgets.FlatCard(widgets.Pad(widgets.SkeletonTable(jobColumns(), 12), 0, 0, 0, 0)))
	case vm.Empty:
		b := widgets.NewButton(widgets.Primary, icons.Host, words.T("jobs.to_hosts"), func() { p.d.Navigate(nav.Route{Page: nav.Hosts}) })
		p.fill(widgets.FlatCard(widgets.Empty(icons.Job, words.T("jobs.empty"), words.T("jobs.empty_text"), b)))
	case vm.Failed:
		title, why := words.Error(p.vm.Err())
		b := widgets.NewButton(widgets.Primary, icons.Refresh, words.T("jobs.retry"), func() {
			p.vm.Retry()
			p.more()
		})
		p.fill(widgets.FlatCard(widgets.Failure(title, why, b)))
	default: // also where the filter leaves nothing: the note says so, and the filter stays at hand
		p.fill(p.full)
	}
}

func (p *jobs) fill(o fyne.CanvasObject) {
	widgets.SetChildren(p.room, widgets.Grow(widgets.Pad(o, theme.PagePadY, theme.PagePadX, theme.PagePadY, theme.PagePadX), 1))
	p.room.Refresh()
}

func (p *jobs) showNote() {
	var text string
	switch {
	case p.vm.Err() != nil:
		_, text = words.Error(p.vm.Err())
	case p.vm.Loading():
		text = words.T("jobs.loading")
	case len(p.vm.IDs()) == 0:
		text = words.T("jobs.no_match")
	case p.vm.Complete():
		text = words.T("jobs.all_shown")
	default:
		text = words.T("jobs.scroll_on")
	}
	p.note.Set(text)
	shown(p.retry, p.vm.Err() != nil)
}

// reached asks for older jobs when the end of the list is near.
func (p *jobs) reached() {
	ids, visible := p.vm.IDs(), p.table.VisibleIDs()
	if len(visible) == 0 || len(ids) == 0 {
		return
	}
	for i := max(0, len(ids)-nearEnd); i < len(ids); i++ {
		if ids[i] == visible[len(visible)-1] {
			p.more()
			return
		}
	}
}

func (p *jobs) more() {
	q, any := p.vm.More()
	if !any {
		return
	}
	p.showNote()
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (api.Page[fleet.Job], error) { return p.d.Daemon.Jobs(ctx, q.Filter) }, func(page api.Page[fleet.Job], err error) {
		if p.vm.Took(q, page, err) != vm.Nothing {
			p.show()
		}
	})
}

// jobRow is a line of a list of jobs.
type jobRow struct {
	d       *Deps
	find    func(id string) (vm.JobRow, bool)
	title   *widgets.Label
	sub     *widgets.Label
	pill    *widgets.Pill
	where   *widgets.Label
	started *widgets.Label
	took    *widgets.Label
	bar     *widgets.Progress
	barBox  *fyne.Container
	read    *widgets.Label
	added   *widgets.Label
	cells   []fyne.CanvasObject
}

func newJobRow(d *Deps, find func(string) (vm.JobRow, bool)) *jobRow {
	r := &jobRow{d: d, find: find, title: widgets.NewLabel("", widgets.CellText), sub: widgets.NewLabel("", widgets.Caption), pill: widgets.NewPill(widgets.Muted, ""),
		where: widgets.NewLabel("", widgets.Cell), started: widgets.NewLabel("", widgets.Cell), took: widgets.NewLabel("", widgets.Cell), bar: widgets.NewProgress(5),
		read: widgets.NewLabel("", widgets.Cell).AlignRight(), added: widgets.NewLabel("", widgets.Cell).AlignRight()}
	r.barBox = widgets.HFlex(8, widgets.Grow(r.bar, 1), r.took)
	r.cells = []fyne.CanvasObject{widgets.VFlex(1, r.title, r.sub), widgets.HFlex(0, r.pill, widgets.Spacer()), r.where, r.started, r.barBox, r.read, r.added}
	return r
}

func (r *jobRow) Cells() []fyne.CanvasObject { return r.cells }

func (r *jobRow) Bind(id string) {
	j, ok := r.find(id)
	if !ok {
		return
	}
	now := r.d.Now()
	r.title.Set(words.T("job.title", "Kind", words.Kind(j.Kind), "Host", j.Host))
	r.sub.Set(jobSub(j))
	r.pill.Set(jobTone(j.State), words.State(j.State, j.Stopping))
	r.where.Set(j.Repository)
	at := j.Created
	if !j.Started.IsZero() {
		at = j.Started
	}
	r.started.Set(words.Moment(at, now))
	if l := j.Line; l != nil && l.Counted {
		r.bar.Show()
		r.bar.SetTone(widgets.Running)
		r.bar.Set(l.Percent)
		r.took.Set(words.Percent(l.Percent, 0))
	} else {
		r.bar.Hide()
		took := ""
		if j.Duration > 0 {
			took = words.Duration(j.Duration)
		}
		r.took.Set(took)
	}
	r.barBox.Refresh()
	r.read.Set(sizeOrNone(j.Bytes))
	r.added.Set(sizeOrNone(j.Added))
}

// jobSub says what a job is part of, and why it ended as it did.
func jobSub(j vm.JobRow) string {
	var parts []string
	if j.Plan != "" {
		parts = append(parts, j.Plan)
	}
	if j.Reason != fleet.ReasonNone {
		parts = append(parts, words.Reason(j.Reason))
	} else {
		parts = append(parts, words.T("job.by", "Who", j.CreatedBy))
	}
	return strings.Join(parts, " · ")
}

func sizeOrNone(n int64) string {
	if n <= 0 {
		return words.T("job.none")
	}
	return words.Bytes(n)
}

func shortcutHint(key string) string { return words.T("app.shortcut", "Key", key) }

// counted is how many jobs are known so far.
func (p *jobs) counted() string {
	n := words.Number(int64(len(p.vm.IDs())))
	if p.vm.Complete() {
		return n
	}
	return words.T("jobs.and_more", "Count", n)
}
