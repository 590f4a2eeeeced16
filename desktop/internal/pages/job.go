package pages

import (
	"context"
	"errors"
	"os"
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

// logTail is how many lines before the end the page begins with; older ones come when a person scrolls up to them.
const logTail = 20_000

// job is the live page of one job: what it is, how far it is, what it does, and its log, line by line, while it runs and ever after.
type job struct {
	base
	ctx  context.Context
	d    *Deps
	id   fleet.JobID
	vm   *vm.Job
	feed *feed.JobFeed

	room    *fyne.Container // one of the faces
	face    vm.Face
	head    *jobHead
	panel   *jobPanel
	steps   *widgets.Steps
	log     *jobLog
	chart   *widgets.Area
	noChart *fyne.Container // in its place while there is nothing to draw
	side    *fyne.Container // the steps, and the chart below them
	cards   [2]fyne.CanvasObject
}

func newJob(ctx context.Context, d *Deps, r nav.Route, _ any) Page {
	p := &job{ctx: ctx, d: d, id: fleet.JobID(r.ID), vm: vm.NewJob(d.Fleet, fleet.JobID(r.ID)), room: widgets.VFlex(0)}
	p.head, p.panel, p.steps, p.log = newJobHead(p), newJobPanel(p), widgets.NewSteps(), newJobLog(p)
	p.chart = widgets.NewArea(theme.RunningFill, 2)
	p.chart.OnHover(p.speedAt)
	p.noChart = widgets.Center(widgets.NewParagraph(words.T("job.no_throughput"), widgets.Caption).Centered().Wrapped(170))
	p.cards = [2]fyne.CanvasObject{widgets.CardWith(words.T("job.steps"), "", nil, p.steps),
		widgets.CardWith(words.T("job.throughput"), words.T("job.throughput_span"), nil, widgets.Stack(p.chart, p.noChart))}
	p.side = widgets.VFlex(theme.Gap)
	p.feed = d.Session.Follow(feed.FollowConfig{Job: p.id, Tail: logTail, Apply: p.take})
	p.showFace(true)
	p.refresh(vm.JobChange{Row: true, Figures: true, Steps: true, Link: true, Log: true})
	return p
}

func (p *job) Content() fyne.CanvasObject { return p.room }

func (p *job) Crumbs() []Crumb {
	return []Crumb{{Text: words.T("page.jobs"), Route: nav.Route{Page: nav.Jobs}}, {Text: p.name()}}
}

// name is what the job is called where there is little room.
func (p *job) name() string {
	if p.vm.Row() == nil {
		return string(p.id)
	}
	h := p.vm.Header()
	return words.T("job.name", "Kind", words.Kind(h.Kind), "Host", h.Host, "Time", words.Moment(h.Created, p.d.Now()))
}

// showFace puts the face that fits into the room.
func (p *job) showFace(force bool) {
	f := p.vm.Face()
	if f == p.face && !force {
		return
	}
	p.face = f
	switch f {
	case vm.Loading:
		p.fill(widgets.VFlex(theme.Gap, widgets.SkeletonBlock(320, 26), widgets.Card(widgets.SkeletonLines(4)), widgets.Grow(widgets.Card(widgets.SkeletonLines(9)), 1)))
	case vm.Failed, vm.Empty:
		title, why := words.T("job.gone"), words.T("job.gone_text")
		if err := p.vm.Err(); err != nil && !p.vm.Unknown() {
			title, why = words.Error(err)
		}
		back := widgets.NewButton(widgets.Primary, icons.ArrowLeft, words.T("job.to_jobs"), func() { p.d.Navigate(nav.Route{Page: nav.Jobs}) })
		p.fill(widgets.Grow(widgets.FlatCard(widgets.Failure(title, why, back)), 1))
	default:
		body := widgets.Columns(theme.Gap, widgets.Fixed(p.side, 250), widgets.Grow(p.log.root, 1))
		p.fill(widgets.VFlex(theme.Gap, p.head.root, p.panel.root, widgets.Grow(body, 1)))
	}
}

func (p *job) fill(o fyne.CanvasObject) {
	widgets.SetChildren(p.room, widgets.Grow(widgets.Pad(o, theme.PagePadY, theme.PagePadX, theme.PagePadY, theme.PagePadX), 1))
	p.room.Refresh()
}

// take is told of the job's stream.
func (p *job) take(b model.JobBatch) {
	c := p.vm.Take(b, p.d.Now())
	p.log.take(b)
	p.refresh(c)
}

func (p *job) Update(c model.Change) { p.refresh(p.vm.Update(c)) }

func (p *job) Tick(time.Time) {
	if p.face == vm.Full && p.vm.Life() != vm.LifeDone && p.vm.Life() != vm.LifeFailed {
		p.refresh(vm.JobChange{Figures: true, Steps: true, Log: true})
	}
}

// refresh shows what changed.
func (p *job) refresh(c vm.JobChange) {
	p.showFace(false)
	if p.face != vm.Full {
		return
	}
	now := p.d.Now()
	if c.Row {
		p.head.show(now)
	}
	if c.Row || c.Figures || c.Link {
		p.panel.show(now)
		p.showThroughput()
	}
	if c.Row || c.Steps {
		p.steps.Set(stepWords(p.vm.Steps(now)))
	}
	if c.Row || c.Log {
		p.log.show()
	}
}

func (p *job) Key(k Key) bool { return p.face == vm.Full && p.log.key(k) }

func (p *job) Leave() {
	p.log.close()
	p.feed.Close()
}

// cancel asks the person, then the daemon.
func (p *job) cancel() {
	h := p.vm.Header()
	text := words.T("job.cancel_text")
	if h.Kind == fleet.KindBackup {
		text = words.T("job.cancel_backup_text")
	}
	if !h.HostOnline {
		text = words.T("job.cancel_offline_text", "Host", h.Host)
	}
	widgets.Confirm(p.d.Window.Canvas(), widgets.ConfirmConfig{Title: words.T("job.cancel_title", "Kind", words.Kind(h.Kind), "Host", h.Host), Text: text,
		Cancel: words.T("job.keep_running"), Action: words.T("job.cancel"), Kind: widgets.Danger, OnYes: func() {
			p.head.cancel.SetBusy(true)
			feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (fleet.Job, error) { return p.d.Daemon.CancelJob(ctx, p.id) }, func(_ fleet.Job, err error) {
				p.head.cancel.SetBusy(false)
				p.complain(err)
			})
		}})
}

func (p *job) complain(err error) {
	if err == nil {
		return
	}
	title, text := words.Error(err)
	p.d.Toast(widgets.Error, title, text)
}

// runAgain starts the same job once more, and goes to its page.
func (p *job) runAgain() {
	row := p.vm.Row()
	if row == nil {
		return
	}
	p.start(p.head.again, row.HostID, again(row))
}

// start starts a job and goes to its page.
func (p *job) start(b *widgets.Button, host fleet.HostID, r api.JobRequest) {
	b.SetBusy(true)
	feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (fleet.Job, error) { return p.d.Daemon.StartJob(ctx, string(host), r, "") }, func(j fleet.Job, err error) {
		b.SetBusy(false)
		if err != nil {
			p.complain(err)
			return
		}
		p.d.Navigate(nav.Route{Page: nav.Job, ID: string(j.ID)})
	})
}

// again is the request that a job came from.
func again(j *fleet.Job) api.JobRequest {
	r := api.JobRequest{Kind: j.Kind, Repository: string(j.RepositoryID)}
	switch {
	case j.Kind == fleet.KindBackup && j.PlanID != "":
		return api.JobRequest{Kind: j.Kind, Plan: string(j.PlanID)}
	case j.Spec.Backup != nil:
		b := j.Spec.Backup
		r.Paths, r.Excludes, r.Tags, r.ExcludeCaches, r.OneFileSystem, r.Verbose = b.Paths, b.Excludes, b.Tags, b.ExcludeCaches, b.OneFileSystem, b.Verbose
	case j.Spec.Restore != nil: // into a fresh folder, as every restore
		r.Snapshot, r.Includes = string(j.Spec.Restore.SnapshotID), j.Spec.Restore.Includes
	case j.Spec.Check != nil:
		r.ReadData = j.Spec.Check.ReadData
	}
	return r
}

// saveLog writes the whole log as restic printed it.
func (p *job) saveLog() {
	h := p.vm.Header()
	name := words.T("job.log_file", "Kind", string(h.Kind), "Time", h.Created.Local().Format("2006-01-02-1504"))
	id, d := p.id, p.d.Daemon
	p.d.SaveFile(p.ctx, name, func(ctx context.Context, path string) (err error) {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := d.LogText(ctx, id, 0, f); err != nil {
			return errors.Join(err, f.Close())
		}
		return f.Close()
	})
}

// showThroughput draws the last minutes' speed.
func (p *job) showThroughput() {
	values := p.vm.Throughput()
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	shown(p.chart, top > 0)
	shown(p.noChart, top == 0)
	p.showSide(top > 0 || p.vm.Life() == vm.LifeQueued || p.vm.Life() == vm.LifeRunning)
	top = widgets.NiceTop(top)
	p.chart.Set(values, top)
	scale := ""
	if top > 0 {
		scale = words.Speed(top)
	}
	p.chart.SetScale(scale)
}

// showSide leaves the chart out where it would stay empty for good.
func (p *job) showSide(chart bool) {
	n := 1
	if chart {
		n = 2
	}
	if len(p.side.Objects) == n {
		return
	}
	if chart {
		widgets.SetChildren(p.side, p.cards[0], widgets.Grow(p.cards[1], 1))
	} else {
		widgets.SetChildren(p.side, widgets.Grow(p.cards[0], 1))
	}
}

func (p *job) speedAt(i int) string {
	values := p.vm.Throughput()
	if i < 0 || i >= len(values) {
		return ""
	}
	return words.Speed(values[i])
}

var stepStates = map[vm.StepState]widgets.StepState{vm.StepPending: widgets.StepWaiting, vm.StepActive: widgets.StepRunning, vm.StepDone: widgets.StepDone, vm.StepWarned: widgets.StepWarned,
	vm.StepFailed: widgets.StepFailed, vm.StepCancelled: widgets.StepFailed, vm.StepSkipped: widgets.StepSkipped}

// stepWords says what the steps of a job are called, and how long they took.
func stepWords(steps []vm.Step) []widgets.Step {
	out := make([]widgets.Step, len(steps))
	for i, s := range steps {
		out[i] = widgets.Step{State: stepStates[s.State], Name: words.T("step." + string(s.Name))}
		switch {
		case s.State == vm.StepSkipped:
			out[i].Right = words.T("step.state.skipped")
		case s.State == vm.StepCancelled:
			out[i].Right = words.T("step.state.cancelled")
		case s.Known:
			out[i].Right = words.Duration(s.Duration)
		}
	}
	return out
}
