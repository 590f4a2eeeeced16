package pages

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

func planColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "plan", Title: words.T("plans.col.plan"), Width: 200, Grow: 2},
		{ID: "repository", Title: words.T("plans.col.repository"), Width: 120, Grow: 1},
		{ID: "hosts", Title: words.T("plans.col.hosts"), Width: 150, Grow: 1, MinTable: 900},
		{ID: "schedule", Title: words.T("plans.col.schedule"), Width: 160, Grow: 1},
		{ID: "state", Title: words.T("plans.col.state"), Width: 190},
		{ID: "newest", Title: words.T("plans.col.newest"), Width: 110, MinTable: 1000},
		{ID: "run", Width: 76, Right: true},
	}
}

// planRow is a line of the plans.
type planRow struct {
	p          *plans
	id         string
	name       *widgets.Label
	paths      *widgets.Label
	repository *widgets.Label
	hosts      *widgets.Label
	pill       *widgets.Pill
	newest     *widgets.Label
	when, next *widgets.Label
	schedule   *widgets.Tipped // the two
	run, more  *widgets.IconButton
	acts       *fyne.Container
	cells      []fyne.CanvasObject
}

func newPlanRow(p *plans) *planRow {
	r := &planRow{p: p, name: widgets.NewLabel("", widgets.CellText), paths: widgets.NewLabel("", widgets.Caption), repository: widgets.NewLabel("", widgets.Cell),
		hosts: widgets.NewLabel("", widgets.Cell), pill: widgets.NewPill(widgets.Muted, ""), newest: widgets.NewLabel("", widgets.Cell),
		when: widgets.NewLabel("", widgets.Cell), next: widgets.NewLabel("", widgets.Caption)}
	r.schedule = widgets.NewTipped(widgets.VFlex(1, r.when, r.next))
	r.run = widgets.NewIconButton(icons.Play, words.T("plans.run"), func() { p.run(r.id) })
	r.more = widgets.NewIconButton(icons.Ellipsis, words.T("plans.more"), func() { widgets.ShowMenu(r.more, p.menu(r.id)) })
	r.acts = widgets.HFlex(2, r.run, r.more)
	r.cells = []fyne.CanvasObject{widgets.VFlex(1, r.name, r.paths), r.repository, r.hosts, r.schedule, widgets.HFlex(0, r.pill, widgets.Spacer()), r.newest, r.acts}
	return r
}

func (r *planRow) Cells() []fyne.CanvasObject { return r.cells }

func (r *planRow) Bind(id string) {
	r.id = id
	f := r.p.d.Fleet
	v := f.Plan(fleet.PlanID(id))
	if v == nil {
		return
	}
	r.name.Set(plaintext.Field(v.Name))
	r.paths.Set(plaintext.Field(strings.Join(v.Backup.Paths, "  ")))
	repository := string(v.RepositoryID)
	if repo := f.Repository(v.RepositoryID); repo != nil {
		repository = repo.Name
	}
	r.repository.Set(plaintext.Field(repository))
	if len(v.Hosts) == 1 {
		r.hosts.Set(plaintext.Field(hostName(f, v.Hosts[0])))
	} else {
		r.hosts.Set(words.N("plans.hosts", int64(len(v.Hosts))))
	}
	standing := r.p.vm.Standing(v)
	r.pill.Set(planLook(standing))
	newest := words.Ago(nil, r.p.d.Now())
	if !standing.Newest.IsZero() {
		newest = words.Ago(&standing.Newest, r.p.d.Now())
	}
	r.newest.Set(newest)
	r.bindSchedule(v)
	shown(r.acts, f.May(fleet.RoleOperator))
}

// bindSchedule says when the plan runs by itself, and when next.
func (r *planRow) bindSchedule(v *fleet.Plan) {
	now, runs := r.p.d.Now(), r.p.vm.Runs
	w := runs.When(v)
	r.when.Set(plaintext.Field(words.Schedule(w)))
	next, color, tip := "", theme.Text3, ""
	switch at := runs.Next(v, now); {
	case v.Schedule != nil && v.Schedule.Paused:
		next, color, tip = words.T("schedule.paused"), theme.Warn, words.T("schedule.tip_paused", "When", words.ScheduleIn(w))
	case !at.IsZero():
		next, tip = words.Until(at, now), words.T("schedule.tip", "When", words.ScheduleIn(w), "Time", words.Moment(at, now))
	}
	r.next.Set(next)
	r.next.SetColor(color)
	shown(r.next, next != "")
	r.schedule.SetTooltip(plaintext.Field(tip))
}

func hostName(f *model.Fleet, id fleet.HostID) string {
	if h := f.Host(id); h != nil {
		return h.Name
	}
	return string(id)
}

// planLook says how a plan stands, the worst first.
func planLook(s vm.PlanStanding) (widgets.Tone, string) {
	switch {
	case s.Running > 0:
		return widgets.Running, words.State(fleet.StateRunning, false)
	case s.Failed > 0 && s.Hosts > 1:
		return widgets.Error, words.T("plans.bad_of", "Bad", words.Number(int64(s.Failed)), "All", words.Number(int64(s.Hosts)))
	case s.Failed > 0:
		return widgets.Error, words.State(fleet.StateFailed, false)
	case s.Warned > 0:
		return widgets.Warn, words.State(fleet.StateWarning, false)
	case s.Good > 0:
		return widgets.Ok, words.State(fleet.StateSucceeded, false)
	}
	return widgets.Muted, words.T("plans.never")
}
