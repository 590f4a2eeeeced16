package pages

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

// hostJobs are the jobs of a host: the table of the tab, and what the cards of the overview are made of.
type hostJobs struct {
	reader  reader[vm.JobsQuery, fleet.Job]
	d       *Deps
	vm      *vm.Jobs
	root    fyne.CanvasObject
	room    *fyne.Container
	table   *widgets.Table
	face    vm.Face
	changed func() // older jobs have come; may be nil
}

func newHostJobs(ctx context.Context, d *Deps, jobs *vm.Jobs) *hostJobs {
	j := &hostJobs{reader: newJobsReader(ctx, d, jobs), d: d, vm: jobs, room: widgets.VFlex(0)}
	j.reader.took = j.came
	j.table = widgets.NewTable(widgets.TableConfig{Columns: jobColumns(), NewRow: func() widgets.Row { return newJobRow(d, j.vm.Row) },
		OnOpen: func(id string) { d.Navigate(nav.Route{Page: nav.Job, ID: id}) }})
	j.root = widgets.FlatCard(widgets.Pad(j.room, 6, 0, 0, 0))
	j.reader.more()
	j.show()
	return j
}

// refresh shows a change that the view model has taken already.
func (j *hostJobs) refresh(r vm.Refresh) {
	if r == vm.Rows {
		j.reader.more() // the list has come, perhaps
		j.show()
	}
	if r != vm.Nothing {
		j.table.RefreshVisible()
	}
}

// tick writes texts that age anew, and asks for older jobs when the end of the table is near.
func (j *hostJobs) tick() {
	j.table.RefreshVisible()
	if nearTheEnd(j.table.VisibleIDs(), j.vm.IDs()) {
		j.reader.more()
	}
}

// came shows what has come.
func (j *hostJobs) came() {
	j.show()
	if j.changed != nil {
		j.changed()
	}
}

func (j *hostJobs) show() {
	j.table.SetIDs(j.vm.IDs())
	face := j.vm.Face()
	if face == j.face && face != vm.Failed {
		return
	}
	j.face = face
	var o fyne.CanvasObject
	switch face {
	case vm.Loading:
		o = widgets.SkeletonTable(jobColumns(), 8)
	case vm.Empty, vm.NoMatch:
		o = widgets.Empty(icons.Job, words.T("jobs.empty"), words.T("host.no_jobs_text"), nil)
	case vm.Failed:
		o = j.reader.failure(widgets.Secondary)
	default:
		o = j.table
	}
	widgets.SetChildren(j.room, widgets.Grow(o, 1))
}

// backups gives the backups that have ended, oldest first: all that were read so far.
func (j *hostJobs) backups() []vm.JobRow {
	past := j.vm.Past()
	out := make([]vm.JobRow, 0, len(past))
	for i := len(past) - 1; i >= 0; i-- {
		if r, ok := j.vm.Row(past[i]); ok && r.Kind == fleet.KindBackup {
			out = append(out, r)
		}
	}
	return out
}
