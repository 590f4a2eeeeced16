package pages

import (
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// jobPanel is how far a job is, or how it ended: what it waits for, the bar, the figures; then what happened, what was lost and the
// next step.
type jobPanel struct {
	p    *job
	root *fyne.Container
	room *fyne.Container

	banner *widgets.Banner
	action *widgets.Button
	do     func()

	percent *widgets.Label
	amount  *widgets.Label
	left    *widgets.Label
	speed   *widgets.Label
	bar     *widgets.Progress
	running *fyne.Container
	stats   [5]*widgets.Stat
}

func newJobPanel(p *job) *jobPanel {
	j := &jobPanel{p: p, room: widgets.VFlex(16), percent: widgets.NewLabel("", widgets.KPI), amount: widgets.NewLabel("", widgets.Body2), left: widgets.NewLabel("", widgets.BodyStrong),
		speed: widgets.NewLabel("", widgets.Body2), bar: widgets.NewProgress(8)}
	j.bar.SetTone(widgets.Running)
	j.action = widgets.NewButton(widgets.Secondary, "", "", func() {
		if j.do != nil {
			j.do()
		}
	})
	j.banner = widgets.NewBanner(widgets.Muted, "", "", j.action)
	j.running = widgets.VFlex(10, widgets.HFlex(10, j.percent, j.amount, widgets.Spacer(), j.left, j.speed), widgets.Fixed(j.bar, 8))
	for i, key := range [...]string{"files", "changed", "added", "speed", "errors"} {
		j.stats[i] = widgets.NewStat(words.T("job.stat."+key), "", "")
	}
	widgets.SetChildren(j.room, j.banner, j.running, widgets.Stats(j.stats[:]...))
	j.root = widgets.VFlex(0, widgets.Card(j.room))
	return j
}

func (j *jobPanel) show(now time.Time) {
	v, ended := j.p.vm.Verdict()
	f := j.p.vm.Figures(now)
	switch {
	case ended:
		j.showVerdict(v, now)
		j.running.Hide()
	default:
		j.showHold()
		j.showBar(f)
	}
	j.showFigures(f)
	j.room.Refresh()
	j.root.Refresh()
}

// showHold says what a job that has not ended waits for.
func (j *jobPanel) showHold() {
	hold, front := j.p.vm.Hold()
	j.do = nil
	j.action.Hide()
	if hold == vm.HoldNone {
		j.banner.Hide()
		return
	}
	tone := widgets.Muted
	switch hold {
	case vm.HoldHost, vm.HoldRetrying, vm.HoldContactLost:
		tone = widgets.Warn
	}
	h := j.p.vm.Header()
	j.banner.Set(tone, words.T("job.hold."+string(hold), "Host", h.Host), words.T("job.hold_text."+string(hold), "Host", h.Host))
	j.banner.Show()
	if front != nil {
		id := front.ID
		j.offer(words.T("job.see_front"), func() { j.p.d.Navigate(nav.Route{Page: nav.Job, ID: string(id)}) })
	}
}

func (j *jobPanel) offer(label string, do func()) {
	j.action.SetLabel(label)
	j.do = do
	j.action.Show()
}

func (j *jobPanel) showBar(f vm.Figures) {
	if !f.Known {
		j.running.Hide()
		return
	}
	j.running.Show()
	if f.Counted {
		j.percent.Set(words.Percent(f.Percent, 1))
		j.amount.Set(words.T("job.of", "Done", words.Bytes(f.BytesDone), "All", words.Bytes(f.BytesAll)))
		j.bar.Set(f.Percent)
	} else {
		j.percent.Set(words.Bytes(f.BytesDone))
		j.amount.Set(words.T("job.read_so_far"))
		j.bar.Set(0)
	}
	left := ""
	if f.Remaining > 0 {
		left = words.T("job.left", "Time", words.Duration(f.Remaining))
	}
	j.left.Set(left)
	speed := ""
	if f.Speed > 0 {
		speed = words.Speed(f.Speed)
	}
	j.speed.Set(speed)
}

func (j *jobPanel) showFigures(f vm.Figures) {
	none := words.T("job.none")
	of := ""
	if f.FilesAll > 0 && !f.Final {
		of = words.T("job.of_files", "All", words.Number(f.FilesAll))
	}
	files := words.Number(f.FilesDone)
	if f.FilesDone == 0 && f.FilesAll == 0 {
		files = none
	}
	j.stats[0].Set(files, of)
	changed, changedShare, added, packed := none, "", none, ""
	if f.Summary != nil && f.Summary.Backup != nil {
		b := f.Summary.Backup
		changed = words.Number(b.FilesNew + b.FilesChanged)
		if b.TotalFilesProcessed > 0 {
			changedShare = words.Percent(float64(b.FilesNew+b.FilesChanged)/float64(b.TotalFilesProcessed), 1)
		}
		added, packed = words.Bytes(b.DataAdded), words.T("job.stored", "Size", words.Bytes(b.DataAddedPacked))
	}
	j.stats[1].Set(changed, changedShare)
	j.stats[2].Set(added, packed)
	speed, peak := none, ""
	if f.Speed > 0 {
		speed = words.Speed(f.Speed)
	}
	switch {
	case f.Peak > 0:
		peak = words.T("job.peak", "Speed", words.Speed(f.Peak))
	case f.Elapsed > 0:
		peak = words.T("job.in", "Time", words.Duration(f.Elapsed))
	}
	j.stats[3].Set(speed, peak)
	j.stats[4].Set(words.Number(f.Errors), "")
	color := theme.Text
	if f.Errors > 0 {
		color = theme.Error
	}
	j.stats[4].SetColor(color)
}

// showVerdict says how the job ended, what is lost by it, and the one thing to do next.
func (j *jobPanel) showVerdict(v vm.Verdict, now time.Time) {
	j.do = nil
	j.action.Hide()
	title := words.State(v.State, false)
	switch {
	case v.State == fleet.StateSucceeded && v.SnapshotID != "":
		title = words.T("job.saved", "Snapshot", short(v.SnapshotID))
	case v.State == fleet.StateSucceeded && v.RestoredTo != "":
		title = words.T("job.restored", "Folder", v.RestoredTo)
	case v.State == fleet.StateWarning && v.SnapshotID != "":
		title = words.N("job.saved_but", v.ItemErrors, "Snapshot", short(v.SnapshotID))
	case v.Reason != fleet.ReasonNone:
		title = words.Reason(v.Reason)
	}
	j.banner.Set(jobTone(v.State), title, j.verdictText(v, now))
	j.banner.Show()
	j.offerNext(v)
}

// verdictText is the daemon's own sentence, and what of the host's backups is still good.
func (j *jobPanel) verdictText(v vm.Verdict, now time.Time) string {
	var parts []string
	if v.Message != "" {
		parts = append(parts, v.Message)
	}
	if v.ExitCode != nil && *v.ExitCode != 0 && v.State == fleet.StateFailed {
		parts = append(parts, words.T("job.exit_code", "Code", strconv.Itoa(*v.ExitCode)))
	}
	bad := v.State != fleet.StateSucceeded && v.State != fleet.StateWarning
	switch {
	case v.Backup && bad && v.LastGood != nil:
		parts = append(parts, words.T("job.last_good", "Snapshot", short(v.LastGood.SnapshotID), "Time", words.Moment(v.LastGood.At, now)))
	case v.Backup && bad:
		parts = append(parts, words.T("job.no_good"))
	}
	if len(v.Unreadable) > 0 {
		parts = append(parts, words.T("job.unreadable", "First", v.Unreadable[0]))
	}
	if !v.LogComplete && v.State != fleet.StateLost {
		parts = append(parts, words.T("job.log_open"))
	}
	return strings.Join(parts, " ")
}

func short(id fleet.SnapshotID) string { return string(id)[:min(8, len(id))] }

// offerNext puts the next step on the panel's button.
func (j *jobPanel) offerNext(v vm.Verdict) {
	p := j.p
	h := p.vm.Header()
	operator := p.d.Fleet.May(fleet.RoleOperator)
	to := func(r nav.Route) func() { return func() { p.d.Navigate(r) } }
	run := func(kind fleet.JobKind) func() {
		return func() { p.start(j.action, h.HostID, api.JobRequest{Kind: kind, Repository: string(h.RepositoryID)}) }
	}
	switch v.Next {
	case vm.NextBrowse:
		j.offer(words.T("job.next.browse"), to(nav.Route{Page: nav.Snapshots, ID: string(h.HostID)}))
	case vm.NextShowFiles:
		j.offer(words.T("job.next.files"), func() { p.showUnreadable(v) })
	case vm.NextGiveSecret, vm.NextCheckAccess:
		if operator {
			j.offer(words.T("job.next."+string(v.Next)), to(nav.Route{Page: nav.Repositories, ID: string(h.RepositoryID), Tab: string(v.Next)}))
		}
	case vm.NextRepository:
		j.offer(words.T("job.next."+string(v.Next)), to(nav.Route{Page: nav.Repositories, ID: string(h.RepositoryID)}))
	case vm.NextPlan:
		j.offer(words.T("job.next.plan"), to(nav.Route{Page: nav.Plans, ID: string(h.PlanID)}))
	case vm.NextHost:
		j.offer(words.T("job.next.host"), to(nav.Route{Page: nav.Host, ID: string(h.HostID)}))
	case vm.NextUnlock:
		if operator {
			j.offer(words.T("job.next.unlock"), run(fleet.KindUnlock))
		}
	case vm.NextInit:
		if operator {
			j.offer(words.T("job.next.init"), run(fleet.KindInit))
		}
	}
}

// showUnreadable lists the files that could not be read.
func (p *job) showUnreadable(v vm.Verdict) {
	var rows []fyne.CanvasObject
	for _, f := range v.Unreadable {
		rows = append(rows, widgets.NewParagraph(f, widgets.Mono))
	}
	if more := v.ItemErrors - int64(len(v.Unreadable)); more > 0 {
		rows = append(rows, widgets.NewLabel(words.N("job.more_in_log", more), widgets.Caption))
	}
	var d *widgets.Dialog
	list := widgets.Fix(widgets.NewScroll(widgets.VFlex(6, rows...)), fyne.NewSize(0, 320))
	done := widgets.NewButton(widgets.Primary, "", words.T("dialog.close"), func() { d.Close() })
	copyAll := widgets.NewButton(widgets.Secondary, "", words.T("job.copy_list"), func() { p.d.Copy(strings.Join(v.Unreadable, "\n")) })
	d = widgets.NewDialog(widgets.DialogConfig{Title: words.N("job.unreadable_title", v.ItemErrors), Body: list, Width: 640, Left: copyAll, Buttons: []*widgets.Button{done}})
	d.Open(p.d.Window.Canvas())
}
