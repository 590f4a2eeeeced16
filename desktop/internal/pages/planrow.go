package pages

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

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
	run        *widgets.IconButton
	cells      []fyne.CanvasObject
}

func newPlanRow(p *plans) *planRow {
	r := &planRow{p: p, name: widgets.NewLabel("", widgets.CellText), paths: widgets.NewLabel("", widgets.Caption), repository: widgets.NewLabel("", widgets.Cell),
		hosts: widgets.NewLabel("", widgets.Cell), pill: widgets.NewPill(widgets.Muted, ""), newest: widgets.NewLabel("", widgets.Cell)}
	r.run = widgets.NewIconButton(icons.Play, words.T("plans.run"), func() { p.run(r.id) })
	r.cells = []fyne.CanvasObject{widgets.VFlex(1, r.name, r.paths), r.repository, r.hosts, widgets.HFlex(0, r.pill, widgets.Spacer()), r.newest, r.run}
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
	tone, text, at := planState(f, v)
	r.pill.Set(tone, text)
	r.newest.Set(words.Ago(at, r.p.d.Now()))
	shown(r.run, f.May(fleet.RoleOperator))
}

func hostName(f *model.Fleet, id fleet.HostID) string {
	if h := f.Host(id); h != nil {
		return h.Name
	}
	return string(id)
}

// planState tells how the newest backups of a plan's hosts stand, the worst first, and when the newest of them ended.
func planState(f *model.Fleet, v *fleet.Plan) (widgets.Tone, string, *time.Time) {
	running, bad, warned, good := 0, 0, 0, 0
	var newest *time.Time
	for _, h := range v.Hosts {
		if j := f.Active(h); j != nil && j.PlanID == v.ID {
			running++
		}
		var last *model.Mark
		for _, m := range f.Marks(h) {
			if m.PlanID == v.ID {
				last = &m
			}
		}
		if host := f.Host(h); last == nil || host != nil && host.RevokedAt != nil {
			continue
		}
		if newest == nil || last.At.After(*newest) {
			newest = &last.At
		}
		switch last.State {
		case fleet.StateSucceeded:
			good++
		case fleet.StateWarning:
			warned++
		case fleet.StateCancelled: // somebody wanted it so
		default:
			bad++
		}
	}
	all := int64(len(v.Hosts))
	switch {
	case running > 0:
		return widgets.Running, words.State(fleet.StateRunning, false), newest
	case bad > 0 && all > 1:
		return widgets.Error, words.T("plans.bad_of", "Bad", words.Number(int64(bad)), "All", words.Number(all)), newest
	case bad > 0:
		return widgets.Error, words.State(fleet.StateFailed, false), newest
	case warned > 0:
		return widgets.Warn, words.State(fleet.StateWarning, false), newest
	case good > 0:
		return widgets.Ok, words.State(fleet.StateSucceeded, false), newest
	}
	return widgets.Muted, words.T("plans.never"), newest
}
