package dialogs

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// PlanConfig is what OpenPlan needs.
type PlanConfig struct {
	Canvas       fyne.Canvas
	Plan         *fleet.Plan // nil: a new one
	Repositories []*fleet.Repository
	Hosts        []*fleet.Host
	MayEdit      bool
	Zone         string // IANA name of this computer's time zone, "" where it cannot be told
	Now          func() time.Time
	Save         func(r api.PlanRequest, done func(error)) // done is called on failure and on success
	Delete       func()                                    // nil: cannot be deleted here
}

// plan is the dialog of a plan: what is backed up, where from, where to, and when.
type plan struct {
	cfg    PlanConfig
	dialog *widgets.Dialog
	ok     *widgets.Button

	name, paths, excludes, tags       *widgets.TextEntry
	nameField, pathsField, hostsField *widgets.Field
	repositoryField                   *widgets.Field
	repository                        *widgets.Select
	hosts                             []*widgets.Checkbox
	caches, oneFileSystem, verbose    *widgets.Checkbox
	when                              *planWhen
	trouble                           *fyne.Container
}

const planWidth = 620

// OpenPlan opens the dialog.
func OpenPlan(cfg PlanConfig) *widgets.Dialog {
	p := &plan{cfg: cfg, trouble: widgets.Slot()}
	was := fleet.Plan{}
	title := words.T("plan.new")
	if cfg.Plan != nil {
		was = *cfg.Plan
		title = words.T("plan.edit", "Plan", plaintext.Field(was.Name))
	}
	p.makeFields(was)
	p.setEnabled(cfg.MayEdit)
	cancel := widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { p.dialog.Close() })
	p.ok = widgets.NewButton(widgets.Primary, "", words.T("dialog.save"), p.save)
	buttons := []*widgets.Button{cancel, p.ok}
	if !cfg.MayEdit {
		cancel.SetLabel(words.T("dialog.close"))
		buttons = buttons[:1]
	}
	var left fyne.CanvasObject
	if cfg.Plan != nil && cfg.Delete != nil && cfg.MayEdit {
		left = widgets.NewButton(widgets.Danger, icons.Trash, words.T("plan.delete"), func() {
			p.dialog.Close()
			cfg.Delete()
		})
	}
	focus := p.name
	if !cfg.MayEdit {
		focus = nil
	}
	p.dialog = widgets.NewDialog(widgets.DialogConfig{Title: title, Body: p.body(), Width: planWidth, Buttons: buttons, Left: left, Focus: focus})
	p.dialog.Open(cfg.Canvas)
	return p.dialog
}

func (p *plan) makeFields(was fleet.Plan) {
	p.name = widgets.NewEntry(words.T("plan.name_hint"), nil)
	p.name.SetText(was.Name)
	p.nameField = widgets.NewField(words.T("plan.name"), p.name, "")
	names, at := make([]string, len(p.cfg.Repositories)), -1
	for i, r := range p.cfg.Repositories {
		names[i] = plaintext.Field(r.Name)
		if r.ID == was.RepositoryID {
			at = i
		}
	}
	if at < 0 && len(names) == 1 {
		at = 0
	}
	p.repository = widgets.NewSelect(words.T("plan.repository_hint"), names, at, nil)
	p.repositoryField = widgets.NewField(words.T("plan.repository"), p.repository, "")
	var boxes []fyne.CanvasObject
	for _, h := range p.cfg.Hosts {
		on := false
		for _, id := range was.Hosts {
			on = on || id == h.ID
		}
		box := widgets.NewCheckbox(plaintext.Field(h.Name), on, nil)
		p.hosts = append(p.hosts, box)
		boxes = append(boxes, box)
	}
	list := fyne.CanvasObject(widgets.Grid(2, 8, boxes...))
	if len(boxes) > 10 {
		list = widgets.Fixed(widgets.NewScroll(widgets.Pad(list, 2, 12, 2, 4)), 150)
	}
	p.hostsField = widgets.NewField(words.T("plan.hosts"), list, "")
	p.paths = widgets.NewTextArea(words.T("plan.paths_hint"), 4, nil).Mono()
	p.paths.SetText(strings.Join(was.Backup.Paths, "\n"))
	p.pathsField = widgets.NewField(words.T("plan.paths"), p.paths, words.T("plan.paths_help"))
	p.excludes = widgets.NewTextArea(words.T("plan.excludes_hint"), 3, nil).Mono()
	p.excludes.SetText(strings.Join(was.Backup.Excludes, "\n"))
	p.tags = widgets.NewEntry("", nil)
	p.tags.SetText(strings.Join(was.Backup.Tags, ", "))
	p.caches = widgets.NewCheckbox(words.T("plan.exclude_caches"), was.Backup.ExcludeCaches || p.cfg.Plan == nil, nil)
	p.oneFileSystem = widgets.NewCheckbox(words.T("plan.one_file_system"), was.Backup.OneFileSystem, nil)
	p.verbose = widgets.NewCheckbox(words.T("plan.verbose"), was.Backup.Verbose, nil)
	p.when = newPlanWhen(was.Schedule, p.cfg.Plan == nil, p.cfg.Zone, p.cfg.Now)
}

// setEnabled lets people change the plan, or only look at it.
func (p *plan) setEnabled(enabled bool) {
	for _, e := range []*widgets.TextEntry{p.name, p.paths, p.excludes, p.tags} {
		e.SetEnabled(enabled)
	}
	p.repository.SetEnabled(enabled)
	for _, box := range append([]*widgets.Checkbox{p.caches, p.oneFileSystem, p.verbose}, p.hosts...) {
		box.SetEnabled(enabled)
	}
	if !enabled {
		widgets.FillSlot(p.trouble, widgets.NewBanner(widgets.Muted, words.T("dialog.look_only"), words.T("dialog.ask_operator"), nil))
	}
}

func (p *plan) body() fyne.CanvasObject {
	when := fyne.CanvasObject(p.when.root)
	if !p.cfg.MayEdit && p.cfg.Plan != nil {
		when = newPlanWhenView(p.cfg.Plan.Schedule, p.cfg.Now())
	}
	return widgets.VFlex(16, p.trouble, p.nameField, p.repositoryField, p.hostsField, p.pathsField, widgets.Divider(), when, widgets.Divider(),
		widgets.NewField(words.T("plan.excludes"), p.excludes, words.T("plan.excludes_help")),
		widgets.NewField(words.T("plan.tags"), p.tags, words.T("plan.tags_help")),
		widgets.VFlex(10, p.caches, p.oneFileSystem, p.verbose))
}

// lines splits what stands on lines of its own.
func lines(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// request checks what was filled in; ok is false where something is missing, and the field says so.
func (p *plan) request() (r api.PlanRequest, ok bool) {
	ok = true
	wrong := func(f *widgets.Field, bad bool, key string) {
		f.SetError("")
		if bad {
			f.SetError(words.T(key))
			ok = false
		}
	}
	r.Name = strings.TrimSpace(p.name.Text())
	r.Backup = fleet.BackupSpec{Paths: lines(p.paths.Text()), Excludes: lines(p.excludes.Text()), ExcludeCaches: p.caches.Checked(), OneFileSystem: p.oneFileSystem.Checked(), Verbose: p.verbose.Checked()}
	for _, t := range strings.Split(p.tags.Text(), ",") {
		if t = strings.TrimSpace(t); t != "" {
			r.Backup.Tags = append(r.Backup.Tags, t)
		}
	}
	for i, box := range p.hosts {
		if box.Checked() {
			r.Hosts = append(r.Hosts, p.cfg.Hosts[i].ID)
		}
	}
	schedule, timely := p.when.schedule()
	r.Schedule = api.ScheduleRequestOf(schedule)
	ok = ok && timely
	wrong(p.nameField, r.Name == "", "plan.name_missing")
	wrong(p.pathsField, len(r.Backup.Paths) == 0, "plan.paths_missing")
	wrong(p.hostsField, len(r.Hosts) == 0, "plan.hosts_missing")
	wrong(p.repositoryField, p.repository.Selected() < 0, "plan.repository_missing")
	if ok {
		r.RepositoryID = p.cfg.Repositories[p.repository.Selected()].ID
	}
	return r, ok
}

func (p *plan) save() {
	r, ok := p.request()
	if !ok {
		return
	}
	p.ok.SetBusy(true)
	p.cfg.Save(r, func(err error) {
		p.ok.SetBusy(false)
		if err != nil {
			title, text := words.Error(err)
			widgets.FillSlot(p.trouble, widgets.NewBanner(widgets.Error, title, text, nil))
			return
		}
		p.dialog.Close()
	})
}
