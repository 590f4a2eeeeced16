package pages

import (
	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
)

// sheetConfig says what a sheet shows.
type sheetConfig struct {
	deps   *Deps
	title  string
	table  widgets.TableConfig
	tools  []fyne.CanvasObject      // right of the title
	search *widgets.TextEntry       // one of the tools, which Ctrl F leads to; nil: there is none
	foot   fyne.CanvasObject        // below the rows; nil: nothing
	rows   int                      // of the skeleton
	empty  func() fyne.CanvasObject // the face where there is nothing at all
	failed func() fyne.CanvasObject // the face where it cannot be told
	none   func() fyne.CanvasObject // what stands in place of the rows where the filter leaves none; nil: there is no filter
}

// sheet is the body of a page that is one table in a card: a title with a count, tools, the rows. In place of the card it shows that it
// loads, that there is nothing, or why it cannot be told; where the filter alone leaves nothing, the tools stay at hand.
type sheet struct {
	cfg   sheetConfig
	root  fyne.CanvasObject
	table *widgets.Table
	count *widgets.Badge

	room *fyne.Container // the card, or another face
	card fyne.CanvasObject
	body *fyne.Container // of the card
	foot *fyne.Container
	face vm.Face
	keys bool // the rows are to have the keyboard, once there are some
}

func newSheet(cfg sheetConfig) *sheet {
	s := &sheet{cfg: cfg, table: widgets.NewTable(cfg.table), count: widgets.NewBadge(""), room: widgets.VFlex(0), body: widgets.VFlex(0), foot: widgets.VFlex(0)}
	head := append([]fyne.CanvasObject{widgets.NewLabel(cfg.title, widgets.CardTitle), s.count, widgets.Spacer()}, cfg.tools...)
	if cfg.foot != nil {
		widgets.SetChildren(s.foot, widgets.Divider(), widgets.Pad(cfg.foot, 7, theme.CardPad, 7, theme.CardPad))
	}
	s.card = widgets.FlatCard(widgets.VFlex(0, cardHead(head...), widgets.Grow(s.body, 1), s.foot))
	s.root = page(s.room)
	return s
}

// cardHead is what stands above the rows of a card: as high with controls as without.
func cardHead(objects ...fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Pad(widgets.Fix(widgets.HFlex(10, objects...), fyne.NewSize(0, theme.ControlH)), 10, theme.CardPad, 8, theme.CardPad)
}

// show shows a face, the rows, and how many there are.
func (s *sheet) show(face vm.Face, ids []string, count string) {
	s.count.Set(count)
	shown(s.count, face == vm.Full || face == vm.NoMatch)
	s.table.SetIDs(ids)
	s.table.RefreshVisible()
	if face == s.face {
		return
	}
	s.face = face
	o := s.card
	switch face {
	case vm.Loading:
		o = widgets.FlatCard(widgets.SkeletonTable(s.cfg.table.Columns, s.cfg.rows))
	case vm.Empty:
		o = widgets.FlatCard(s.cfg.empty())
	case vm.Failed:
		o = widgets.FlatCard(s.cfg.failed())
	case vm.NoMatch:
		s.fill(s.cfg.none())
	default:
		s.fill(s.table)
	}
	shown(s.foot, face == vm.Full)
	widgets.SetChildren(s.room, widgets.Grow(o, 1))
	if s.keys && s.cfg.deps.Window.Canvas().Focused() == nil {
		s.takeKeys()
	}
}

func (s *sheet) fill(o fyne.CanvasObject) { widgets.SetChildren(s.body, widgets.Grow(o, 1)) }

// again makes the face anew the next time it is shown: who is signed in may do something else on it.
func (s *sheet) again() { s.face = "" }

// takeKeys gives the keyboard to the rows, at the latest when they come and nothing else has it.
func (s *sheet) takeKeys() {
	s.keys = s.face != vm.Full
	if !s.keys {
		s.cfg.deps.Window.Canvas().Focus(s.table)
	}
}

// key takes a key that nothing focused wanted.
func (s *sheet) key(k Key) bool {
	if s.cfg.search == nil || !k.Super || k.Name != fyne.KeyF {
		return false
	}
	s.cfg.search.Focus()
	return true
}

// noMatch says that a filter leaves nothing, and offers to drop it.
func noMatch(title, text, button string, clear func()) fyne.CanvasObject {
	return widgets.Empty(icons.Search, title, text, widgets.NewButton(widgets.Secondary, "", button, clear))
}
