package pages

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
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
	d      *Deps
	vm     *vm.Jobs
	sheet  *pagedSheet[vm.JobsQuery, fleet.Job]
	scopes *widgets.Segmented
	kind   *widgets.Select
	search *widgets.TextEntry
}

// jobsState is what the list wants back.
type jobsState struct {
	filter   vm.JobsFilter
	offset   float32
	selected string
}

var jobScopes = [...]vm.JobScope{vm.JobsAll, vm.JobsOpen, vm.JobsFailed, vm.JobsWarning, vm.JobsSucceeded, vm.JobsCancelled}

func newJobs(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	old, back := state.(jobsState)
	if !back {
		old.filter = vm.JobsFilter{Host: fleet.HostID(r.ID), Scope: vm.JobScope(r.Tab)}
	}
	p := &jobs{d: d, vm: vm.NewJobs(d.Fleet, old.filter)}
	p.makeTools(old.filter)
	p.sheet = newPagedSheet("jobs", newJobsReader(ctx, d, p.vm), sheetConfig{deps: d, title: words.T("page.jobs"), rows: 12, search: p.search,
		tools: []fyne.CanvasObject{p.scopes, widgets.Fixed(p.kind, 150), widgets.Fixed(p.search, 230)},
		table: widgets.TableConfig{Columns: jobColumns(), NewRow: func() widgets.Row { return newJobRow(d, p.vm.Row) }, OnOpen: func(id string) { d.Navigate(nav.Route{Page: nav.Job, ID: id}) }},
		empty: func() fyne.CanvasObject {
			b := widgets.NewButton(widgets.Primary, icons.Host, words.T("jobs.to_hosts"), func() { d.Navigate(nav.Route{Page: nav.Hosts}) })
			return widgets.Empty(icons.Job, words.T("jobs.empty"), words.T("jobs.empty_text"), b)
		},
		none: func() fyne.CanvasObject {
			return noMatch(words.T("jobs.no_match"), words.T("jobs.no_match_text"), words.T("jobs.show_all"), p.clear)
		}})
	p.sheet.refresh()
	p.sheet.table.SetOffset(old.offset)
	p.sheet.table.Select(old.selected)
	return p
}

// newJobsReader reads jobs on.
func newJobsReader(ctx context.Context, d *Deps, v *vm.Jobs) reader[vm.JobsQuery, fleet.Job] {
	return reader[vm.JobsQuery, fleet.Job]{ctx: ctx, d: d, rows: v, ask: func(ctx context.Context, q vm.JobsQuery) (api.Page[fleet.Job], error) {
		return d.Daemon.Jobs(ctx, q.Filter)
	}}
}

func (p *jobs) makeTools(f vm.JobsFilter) {
	labels := make([]string, len(jobScopes))
	for i, s := range jobScopes {
		labels[i] = words.T("jobs.scope." + string(s))
	}
	p.scopes = widgets.NewSegmented(labels, max(slices.Index(jobScopes[:], f.Scope), 0), func(i int) { p.filter(func(f *vm.JobsFilter) { f.Scope = jobScopes[i] }) })
	p.search = widgets.NewSearchField(words.T("jobs.search"), words.Shortcut("F"), func(text string) { p.filter(func(f *vm.JobsFilter) { f.Text = text }) })
	p.search.SetText(f.Text)
	kinds := []string{words.T("jobs.every_kind")}
	for _, k := range fleet.JobKinds {
		kinds = append(kinds, words.Kind(k))
	}
	p.kind = widgets.NewSelect("", kinds, slices.Index(fleet.JobKinds[:], f.Kind)+1, func(i int) {
		p.filter(func(f *vm.JobsFilter) {
			f.Kind = ""
			if i > 0 {
				f.Kind = fleet.JobKinds[i-1]
			}
		})
	})
}

func (p *jobs) Content() fyne.CanvasObject { return p.sheet.root }
func (p *jobs) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.jobs")}} }
func (p *jobs) Key(k Key) bool             { return p.sheet.key(k) }
func (p *jobs) State() any {
	return jobsState{filter: p.vm.Filter(), offset: p.sheet.table.Offset(), selected: p.sheet.table.Selected()}
}

func (p *jobs) Update(c model.Change) {
	switch p.vm.Update(c) {
	case vm.Rows:
		p.sheet.refresh()
	case vm.Cells:
		p.sheet.table.RefreshVisible()
	}
}

func (p *jobs) Tick(time.Time) {
	p.sheet.table.RefreshVisible()
	p.sheet.reached()
}

// Shown gives the keyboard to the list.
func (p *jobs) Shown() { p.sheet.takeKeys() }

func (p *jobs) filter(change func(*vm.JobsFilter)) {
	f := p.vm.Filter()
	change(&f)
	if p.sheet == nil || f == p.vm.Filter() {
		return
	}
	p.vm.SetFilter(f)
	p.sheet.refresh()
	p.sheet.table.SetOffset(0)
}

// clear shows all jobs.
func (p *jobs) clear() {
	p.scopes.Select(0)
	p.kind.Select(0)
	p.search.SetText("")
	p.filter(func(f *vm.JobsFilter) { *f = vm.JobsFilter{Scope: vm.JobsAll} })
}
