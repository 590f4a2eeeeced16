package pages

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

func snapshotColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "id", Title: words.T("snapshots.col.id"), Width: 96},
		{ID: "taken", Title: words.T("snapshots.col.taken"), Width: 150},
		{ID: "host", Title: words.T("snapshots.col.host"), Width: 150, Grow: 1},
		{ID: "paths", Title: words.T("snapshots.col.paths"), Width: 160, Grow: 2, MinTable: 760},
		{ID: "repository", Title: words.T("snapshots.col.repository"), Width: 120, Grow: 1, MinTable: 900},
		{ID: "size", Title: words.T("snapshots.col.size"), Width: 92, Right: true},
		{ID: "added", Title: words.T("snapshots.col.added"), Width: 92, Right: true, MinTable: 640},
		{ID: "more", Width: 52, Right: true},
	}
}

// snapshotRow is a line of the list.
type snapshotRow struct {
	p      *snapshots
	key    string
	labels [7]*widgets.Label
	more   *widgets.IconButton
	cells  []fyne.CanvasObject
}

func newSnapshotRow(p *snapshots) *snapshotRow {
	r := &snapshotRow{p: p}
	for i := range r.labels {
		r.labels[i] = widgets.NewLabel("", widgets.Cell)
		r.cells = append(r.cells, r.labels[i])
	}
	r.labels[0].SetStyle(widgets.Mono)
	r.labels[0].SetColor(theme.Accent)
	r.labels[1].SetStyle(widgets.CellText)
	r.labels[3].SetStyle(widgets.MonoSmall)
	r.labels[5].AlignRight()
	r.labels[6].AlignRight()
	r.more = widgets.NewIconButton(icons.Ellipsis, words.T("repositories.more"), r.menu)
	r.cells = append(r.cells, r.more)
	return r
}

func (r *snapshotRow) Cells() []fyne.CanvasObject { return r.cells }

func (r *snapshotRow) Bind(key string) {
	r.key = key
	s, ok := r.p.vm.Row(key)
	if !ok {
		return
	}
	for i, text := range [...]string{s.Short, words.Moment(s.Time, r.p.d.Now()), s.Hostname, strings.Join(s.Paths, "  "), s.Repository, sizeOrNone(s.Bytes), sizeOrNone(s.Added)} {
		r.labels[i].Set(text)
	}
}

func (r *snapshotRow) menu() {
	s, ok := r.p.vm.Row(r.key)
	if !ok {
		return
	}
	p := r.p
	var items []widgets.MenuItem
	if p.d.Fleet.May(fleet.RoleOperator) {
		items = append(items, widgets.MenuItem{Icon: icons.Restore, Label: words.T("snapshots.restore"), OnTap: func() { p.restore(r.key) }})
	}
	items = append(items, widgets.MenuItem{Icon: icons.Copy, Label: words.T("snapshots.copy_id"), OnTap: func() { p.d.Copy(string(s.ID)) }})
	if s.JobID != "" {
		items = append(items, widgets.MenuItem{Icon: icons.Job, Label: words.T("snapshots.see_job"), OnTap: func() { p.d.Navigate(nav.Route{Page: nav.Job, ID: string(s.JobID)}) }})
	}
	if s.HostID != "" {
		items = append(items, widgets.MenuItem{Icon: icons.Host, Label: words.T("snapshots.see_host"), OnTap: func() { p.d.Navigate(nav.Route{Page: nav.Host, ID: string(s.HostID)}) }})
	}
	widgets.ShowMenu(r.more, items)
}
