package pages

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
)

// pagedRows are rows that come page by page: Q asks for a page, T is what is on it.
type pagedRows[Q, T any] interface {
	IDs() []string
	Face() vm.Face
	Short() bool
	More() (Q, bool)
	Took(Q, api.Page[T], error) vm.Refresh
	Loading() bool
	Complete() bool
	Err() error
	Retry()
}

// nearEnd is how many rows before the last visible one the next page is asked for.
const nearEnd = 30

// reader reads such rows on: while they are few, and when a person comes near the end of them.
type reader[Q, T any] struct {
	ctx   context.Context
	d     *Deps
	rows  pagedRows[Q, T]
	ask   func(context.Context, Q) (api.Page[T], error)
	asked func() // a page is on its way; may be nil
	took  func() // a page has come, or why it did not
}

// need asks for the next page where what is visible says that it is needed.
func (r *reader[Q, T]) need(visible []string) {
	if r.rows.Short() || nearTheEnd(visible, r.rows.IDs()) {
		r.more()
	}
}

// nearTheEnd tells whether the last visible row is one of the last.
func nearTheEnd(visible, all []string) bool {
	if len(visible) == 0 {
		return false
	}
	for _, id := range all[max(0, len(all)-nearEnd):] {
		if id == visible[len(visible)-1] {
			return true
		}
	}
	return false
}

// more asks for the next page, unless there is none or one is on its way.
func (r *reader[Q, T]) more() {
	q, any := r.rows.More()
	if !any {
		return
	}
	if r.asked != nil {
		r.asked()
	}
	feed.Call(r.ctx, r.d.Calls, func(ctx context.Context) (api.Page[T], error) { return r.ask(ctx, q) }, func(page api.Page[T], err error) {
		if r.rows.Took(q, page, err) != vm.Nothing {
			r.took()
		}
	})
}

// again asks once more for what did not come.
func (r *reader[Q, T]) again() {
	r.rows.Retry()
	r.more()
}

// failure says why nothing came, and offers to ask again.
func (r *reader[Q, T]) failure(kind widgets.Kind) fyne.CanvasObject {
	if !r.d.Fleet.Listed() {
		return failedLink(r.d)
	}
	title, why := words.Error(r.rows.Err())
	return widgets.Failure(title, why, widgets.NewButton(kind, icons.Refresh, words.T("jobs.retry"), r.again))
}

// pagedSheet is a sheet of such rows. A note below them says how far they go.
type pagedSheet[Q, T any] struct {
	*sheet
	reader[Q, T]
	texts string // what the keys of the note's words begin with
	note  *widgets.Label
	retry *widgets.Button
}

// newPagedSheet makes a sheet out of the reader's rows. What cfg lacks is the note, and the face of what did not come.
func newPagedSheet[Q, T any](texts string, r reader[Q, T], cfg sheetConfig) *pagedSheet[Q, T] {
	s := &pagedSheet[Q, T]{reader: r, texts: texts, note: widgets.NewLabel("", widgets.Caption)}
	s.asked, s.took = s.showNote, s.refresh
	s.retry = widgets.NewButton(widgets.Link, "", words.T("jobs.retry"), s.reader.again)
	cfg.foot = widgets.HFlex(8, s.note, s.retry, widgets.Spacer())
	cfg.failed = func() fyne.CanvasObject { return s.failure(widgets.Primary) }
	cfg.table.OnSelect = func(string) { s.reached() }
	s.sheet = newSheet(cfg)
	return s
}

// refresh shows what is there now.
func (s *pagedSheet[Q, T]) refresh() {
	if s.rows.Short() {
		s.more()
	}
	n := words.Number(int64(len(s.rows.IDs())))
	if !s.rows.Complete() {
		n = words.T("jobs.and_more", "Count", n)
	}
	s.show(s.rows.Face(), s.rows.IDs(), n)
	s.showNote()
}

// reached asks for older rows when the end is near.
func (s *pagedSheet[Q, T]) reached() { s.need(s.table.VisibleIDs()) }

func (s *pagedSheet[Q, T]) showNote() {
	var text string
	switch {
	case s.rows.Err() != nil:
		_, text = words.Error(s.rows.Err())
	case s.rows.Loading():
		text = words.T(s.texts + ".loading")
	case s.rows.Complete():
		text = words.T(s.texts + ".all_shown")
	default:
		text = words.T("jobs.scroll_on")
	}
	s.note.Set(text)
	shown(s.retry, s.rows.Err() != nil)
}
