package pages

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

// hostSnapshots are the snapshots of a host.
type hostSnapshots struct {
	p      *host
	reader reader[vm.SnapshotsQuery, fleet.Snapshot]
	room   *fyne.Container
	table  *widgets.Table
	all    *widgets.Button // leads to the page of snapshots
	face   vm.Face
}

func newHostSnapshots(p *host) *hostSnapshots {
	s := &hostSnapshots{p: p, reader: newSnapshotsReader(p.ctx, p.d, p.vm.Snapshots), room: widgets.VFlex(0)}
	s.reader.took = s.show
	s.table = widgets.NewTable(widgets.TableConfig{Columns: hostSnapshotColumns(), RowHeight: theme.RowSingleH, NewRow: func() widgets.Row { return newHostSnapshotRow(p) },
		OnOpen: func(key string) {
			if r, ok := p.vm.Snapshots.Row(key); ok {
				restoreSnapshot(p.ctx, p.d, r)
			}
		}})
	return s
}

func hostSnapshotColumns() []widgets.Column {
	return []widgets.Column{
		{ID: "id", Title: words.T("snapshots.col.id"), Width: 88},
		{ID: "taken", Title: words.T("snapshots.col.taken"), Width: 146, Grow: 0.1},
		{ID: "paths", Title: words.T("snapshots.col.paths"), Width: 110, Grow: 1, MinTable: 560},
		{ID: "size", Title: words.T("snapshots.col.size"), Width: 98, Grow: 0.1, Right: true},
		{ID: "added", Title: words.T("snapshots.col.added"), Width: 98, Grow: 0.1, Right: true},
		{ID: "files", Title: words.T("host.col.files"), Width: 80, Right: true, MinTable: 640},
	}
}

// show shows the rows that the view model has, and asks for more where they are few or the end is near.
func (s *hostSnapshots) show() {
	v := s.p.vm.Snapshots
	s.reader.need(s.table.VisibleIDs())
	s.table.SetIDs(v.IDs())
	s.table.RefreshVisible()
	face := v.Face()
	if face == s.face {
		return
	}
	s.face = face
	shown(s.all, face == vm.Full)
	var o fyne.CanvasObject
	switch face {
	case vm.Loading:
		o = widgets.SkeletonTable(hostSnapshotColumns(), 5)
	case vm.Failed:
		o = s.reader.failure(widgets.Secondary)
	case vm.Full:
		o = s.table
	default:
		text := words.T("host.no_snapshots_text")
		if !s.p.vm.Row().Revoked.IsZero() {
			text = words.T("host.no_snapshots_ever")
		}
		o = widgets.Empty(icons.Snapshot, words.T("snapshots.empty"), text, nil)
	}
	widgets.SetChildren(s.room, widgets.Grow(o, 1))
}

// hostSnapshotRow is one line of them.
type hostSnapshotRow struct {
	p     *host
	text  [6]*widgets.Label
	cells []fyne.CanvasObject
}

func newHostSnapshotRow(p *host) *hostSnapshotRow {
	r := &hostSnapshotRow{p: p}
	for i, style := range []widgets.Style{widgets.Mono, widgets.CellText, widgets.MonoSmall, widgets.Cell, widgets.Cell, widgets.Cell} {
		r.text[i] = widgets.NewLabel("", style)
		if i > 2 {
			r.text[i].AlignRight()
		}
		r.cells = append(r.cells, r.text[i])
	}
	r.text[0].SetColor(theme.Accent)
	return r
}

// Cells implements widgets.Row.
func (r *hostSnapshotRow) Cells() []fyne.CanvasObject { return r.cells }

// Bind implements widgets.Row.
func (r *hostSnapshotRow) Bind(key string) {
	s, ok := r.p.vm.Snapshots.Row(key)
	if !ok {
		return
	}
	files := words.T("job.none")
	if s.Files > 0 {
		files = words.Number(s.Files)
	}
	for i, text := range [...]string{s.Short, words.Moment(s.Time, r.p.d.Now()), strings.Join(s.Paths, "  "), sizeOrNone(s.Bytes), sizeOrNone(s.Added), files} {
		r.text[i].Set(text)
	}
}
