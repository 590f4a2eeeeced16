package pages

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fleet"
)

// hostColumns are the columns of the table of hosts, on its own page and on the overview.
func hostColumns() []widgets.Column {
	return []widgets.Column{
		{ID: string(vm.HostByName), Title: words.T("hosts.column.host"), Width: 150, Grow: 1, Sortable: true},
		{ID: string(vm.HostByStatus), Title: words.T("hosts.column.status"), Width: 126, Sortable: true},
		{ID: "strip", Title: words.T("hosts.column.strip", "N", words.Number(model.MaxMarks)), Width: 124, Grow: 0.1},
		{ID: string(vm.HostByPlan), Title: words.T("hosts.column.plan"), Width: 120, Grow: 0.35, Sortable: true, MinTable: 880},
		{ID: string(vm.HostByBackup), Title: words.T("hosts.column.backup"), Width: 92, Grow: 0.1, Sortable: true},
		{ID: string(vm.HostBySize), Title: words.T("hosts.column.size"), Width: 92, Sortable: true, Right: true},
		{ID: "now", Title: words.T("hosts.column.now"), Width: 124, Grow: 0.4},
	}
}

// hostRow is one line of the table of hosts.
type hostRow struct {
	v   *vm.Hosts
	now func() time.Time

	name, facts, plan, saved, size *widgets.Label
	pill                           *widgets.Pill
	strip                          *widgets.Strip
	doing                          *doing
	cells                          []fyne.CanvasObject
}

func newHostRow(v *vm.Hosts, now func() time.Time) *hostRow {
	cell := func(style widgets.Style) *widgets.Label { return widgets.NewLabel("", style) }
	r := &hostRow{v: v, now: now, name: cell(widgets.BodyMedium), facts: cell(widgets.Caption), plan: cell(widgets.Cell), saved: cell(widgets.Cell),
		size: cell(widgets.Cell).AlignRight(), pill: widgets.NewPill(widgets.Muted, ""), strip: widgets.NewStrip(model.MaxMarks), doing: newDoing()}
	r.cells = []fyne.CanvasObject{widgets.VFlex(1, r.name, r.facts), r.pill, r.strip, r.plan, r.saved, r.size, r.doing.root}
	return r
}

// Cells implements widgets.Row.
func (r *hostRow) Cells() []fyne.CanvasObject { return r.cells }

// Bind implements widgets.Row.
func (r *hostRow) Bind(id string) {
	h, ok := r.v.Row(id)
	if !ok {
		return
	}
	r.name.Set(h.Name)
	r.facts.Set(system(h.OS, h.Arch))
	r.pill.Set(statusLook(h.Status))
	r.strip.Set(markTones(h.Marks))
	r.plan.Set(strings.Join(h.Plans, ", "))
	r.saved.Set(agoOf(h.Saved, r.now()))
	size := ""
	if h.Size > 0 {
		size = words.Bytes(h.Size)
	}
	r.size.Set(size)
	r.doing.set(h, r.v.Next(id, r.now()), r.now())
}

// doing is the cell that says what a host does: a live bar, or when it runs next by itself, or in a word why it does not.
type doing struct {
	root    *fyne.Container
	text    *widgets.Label
	bar     *widgets.Progress
	percent *widgets.Label
	live    *fyne.Container
}

func newDoing() *doing {
	c := &doing{text: widgets.NewLabel("", widgets.Cell), bar: widgets.NewProgress(4), percent: widgets.NewLabel("", widgets.Cell).AlignRight()}
	c.live = widgets.HFlex(8, widgets.Grow(c.bar, 1), widgets.Fixed(c.percent, 38))
	c.live.Hide()
	c.root = widgets.Stack(c.text, c.live)
	return c
}

func (c *doing) set(h vm.HostRow, next vm.HostNext, now time.Time) {
	bar := h.Job != nil && h.Job.Counted && h.Job.State == fleet.StateRunning
	if bar {
		c.bar.Set(h.Job.Percent)
		c.percent.Set(words.Percent(h.Job.Percent, 0))
	} else {
		text, color := quiet(h, next, now)
		c.text.Set(text)
		c.text.SetColor(color)
	}
	if bar == c.live.Visible() {
		return
	}
	if bar {
		c.live.Show()
		c.text.Hide()
	} else {
		c.live.Hide()
		c.text.Show()
	}
	c.root.Refresh()
}

// quiet says what a host without figures does. What will keep its next run from going well comes before when that is.
func quiet(h vm.HostRow, next vm.HostNext, now time.Time) (string, fyne.ThemeColorName) {
	switch {
	case h.Job != nil && h.Job.Phase != "" && h.Job.State == fleet.StateRunning:
		return words.Phase(h.Job.Phase), theme.Text2
	case h.Job != nil:
		return words.State(h.Job.State, false), theme.Text2
	case !h.Revoked.IsZero():
		return agoOf(h.Revoked, now), theme.Text3
	case h.Issue != nil && (h.Issue.Kind == model.IssueNoRestic || h.Issue.Kind == model.IssueNoSecret):
		return issueText(*h.Issue), theme.Text2
	case !h.Online && h.LastSeen.IsZero():
		return words.T("hosts.never_seen"), theme.Text3
	case !h.Online:
		return words.T("hosts.offline_since", "Span", words.Span(now.Sub(h.LastSeen))), theme.Text2
	case !next.At.IsZero():
		return words.Moment(next.At, now), theme.Text
	case next.Paused:
		return words.T("hosts.paused"), theme.Warn
	case h.Issue != nil:
		return issueText(*h.Issue), theme.Text2
	case len(h.Plans) > 0:
		return words.T("hosts.by_hand"), theme.Text3
	}
	return words.T("job.none"), theme.Text3
}
