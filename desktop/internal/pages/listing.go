package pages

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
)

// listingConfig says what a listing shows.
type listingConfig[T any] struct {
	columns []widgets.Column
	load    func(context.Context) ([]T, error)
	have    func() []T // instead of load: what is at hand already
	id      func(T) string
	texts   func(T) []string         // one for each column but the last when there is a remove
	remove  func(T)                  // nil: nothing can be removed by this person
	can     func(T) bool             // which can; nil: all
	tip     string                   // of the button that removes
	open    func(T)                  // nil: rows do not open
	empty   func() fyne.CanvasObject // the empty face
}

// listing is a table of what one request gives, with all four faces. It is read anew by reload.
type listing[T any] struct {
	ctx   context.Context
	d     *Deps
	cfg   listingConfig[T]
	room  *fyne.Container
	table *widgets.Table
	items []T
	shown bool // the table is in the room
}

func newListing[T any](ctx context.Context, d *Deps, cfg listingConfig[T]) *listing[T] {
	if cfg.remove != nil {
		cfg.columns = append(slices.Clone(cfg.columns), widgets.Column{ID: "remove", Width: 44, Right: true})
	}
	l := &listing[T]{ctx: ctx, d: d, cfg: cfg, room: widgets.VFlex(0)}
	l.table = widgets.NewTable(widgets.TableConfig{Columns: cfg.columns, RowHeight: theme.RowSingleH + 5, NewRow: func() widgets.Row { return l.newRow() }, OnOpen: l.open})
	l.fill(widgets.SkeletonTable(cfg.columns, 8))
	return l
}

func (l *listing[T]) fill(o fyne.CanvasObject) { widgets.SetChildren(l.room, widgets.Grow(o, 1)) }

// reload asks again. What is shown stays until the answer is there.
func (l *listing[T]) reload() {
	if l.cfg.have != nil {
		l.items = l.cfg.have()
		l.show()
		return
	}
	feed.Call(l.ctx, l.d.Calls, l.cfg.load, func(items []T, err error) {
		switch {
		case err != nil && len(l.items) == 0:
			title, why := words.Error(err)
			l.shown = false
			l.fill(widgets.Failure(title, why, widgets.NewButton(widgets.Primary, icons.Refresh, words.T("listing.retry"), l.reload)))
			return
		case err != nil:
			title, why := words.Error(err)
			l.d.Toast(widgets.Error, title, why)
			return
		}
		l.items = items
		l.show()
	})
}

func (l *listing[T]) show() {
	if len(l.items) == 0 {
		l.shown = false
		l.fill(l.cfg.empty())
		return
	}
	ids := make([]string, len(l.items))
	for i, v := range l.items {
		ids[i] = l.cfg.id(v)
	}
	if !l.shown {
		l.shown = true
		l.fill(l.table)
	}
	l.table.SetIDs(ids)
	l.table.RefreshVisible()
}

func (l *listing[T]) find(id string) (v T, ok bool) {
	for _, v := range l.items {
		if l.cfg.id(v) == id {
			return v, true
		}
	}
	return v, false
}

func (l *listing[T]) open(id string) {
	if v, ok := l.find(id); ok && l.cfg.open != nil {
		l.cfg.open(v)
	}
}

// listingRow is a line of a listing.
type listingRow[T any] struct {
	l      *listing[T]
	labels []*widgets.Label
	remove *widgets.IconButton
	cells  []fyne.CanvasObject
	id     string
}

func (l *listing[T]) newRow() *listingRow[T] {
	r := &listingRow[T]{l: l}
	for i, c := range l.cfg.columns {
		if c.ID == "remove" {
			r.remove = widgets.NewIconButton(icons.Trash, l.cfg.tip, func() {
				if v, ok := l.find(r.id); ok {
					l.cfg.remove(v)
				}
			})
			r.cells = append(r.cells, r.remove)
			continue
		}
		style := widgets.Cell
		if i == 0 {
			style = widgets.CellText
		}
		label := widgets.NewLabel("", style)
		if c.Right {
			label.AlignRight()
		}
		r.labels = append(r.labels, label)
		r.cells = append(r.cells, label)
	}
	return r
}

func (r *listingRow[T]) Cells() []fyne.CanvasObject { return r.cells }

func (r *listingRow[T]) Bind(id string) {
	r.id = id
	v, ok := r.l.find(id)
	if !ok {
		return
	}
	for i, text := range r.l.cfg.texts(v) {
		r.labels[i].Set(text)
	}
	if r.remove != nil {
		shown(r.remove, r.l.cfg.can == nil || r.l.cfg.can(v))
	}
}
