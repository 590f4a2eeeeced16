package pages

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fleet"
)

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
	counted := j.Line != nil && j.Line.Counted
	other := counted != r.bar.Visible()
	if l := j.Line; counted {
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
	if other { // lays out; a line that stays as it is costs nothing
		r.barBox.Refresh()
	}
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
		parts = append(parts, byWhom(j.JobHeader))
	}
	return strings.Join(parts, " · ")
}

func sizeOrNone(n int64) string {
	if n <= 0 {
		return words.T("job.none")
	}
	return words.Bytes(n)
}
