package pages

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// hostJobs are the jobs of a host: the table of the tab, and what the cards of the overview are made of.
type hostJobs struct {
	ctx     context.Context
	d       *Deps
	vm      *vm.Jobs
	root    fyne.CanvasObject
	room    *fyne.Container
	table   *widgets.Table
	face    vm.Face
	changed func() // older jobs have come; may be nil
}

func newHostJobs(ctx context.Context, d *Deps, jobs *vm.Jobs) *hostJobs {
	j := &hostJobs{ctx: ctx, d: d, vm: jobs, room: widgets.VFlex(0)}
	j.table = widgets.NewTable(widgets.TableConfig{Columns: jobColumns(), NewRow: func() widgets.Row { return newJobRow(d, j.vm.Row) },
		OnOpen: func(id string) { d.Navigate(nav.Route{Page: nav.Job, ID: id}) }})
	j.root = widgets.FlatCard(widgets.Pad(j.room, 6, 0, 0, 0))
	j.more()
	j.show()
	return j
}

// refresh shows a change that the view model has taken already.
func (j *hostJobs) refresh(r vm.Refresh) {
	if r == vm.Rows {
		j.more() // the list has come, perhaps
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
		j.more()
	}
}

func (j *hostJobs) more() {
	q, any := j.vm.More()
	if !any {
		return
	}
	feed.Call(j.ctx, j.d.Calls, func(ctx context.Context) (api.Page[fleet.Job], error) { return j.d.Daemon.Jobs(ctx, q.Filter) }, func(page api.Page[fleet.Job], err error) {
		if j.vm.Took(q, page, err) != vm.Nothing {
			j.show()
			if j.changed != nil {
				j.changed()
			}
		}
	})
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
		title, why := words.Error(j.vm.Err())
		o = widgets.Failure(title, why, widgets.NewButton(widgets.Secondary, icons.Refresh, words.T("jobs.retry"), func() {
			j.vm.Retry()
			j.more()
		}))
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
