package logview

import (
	"image"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
)

// Config is what a View needs and whom it tells. Only Post and FollowText are needed; a nil function is not told.
type Config struct {
	Fonts    *Fonts          // shared by the views of a window; nil makes its own
	Limits   logstore.Limits // zero means logstore.DefaultLimits
	Location *time.Location  // of the times shown; nil means UTC
	Corner   float32         // radius of the lower corners, where the view ends a card

	Post       func(func())           // runs a function on the UI goroutine soon, and returns at once
	FollowText func(newer int) string // of the button that goes to the end

	OnFollow func(following bool)
	OnSearch func(SearchState)
	OnCopied func(Copied)
	OnFind   func() // Ctrl or ⌘ F
	OnEscape func() // Escape, when there is no selection to drop

	OnOlder func(before int64) // lines before this number are wanted: answer with Prepend, once
	OnNewer func(after int64)  // lines after this number are wanted again: answer with Continue, once
	OnTail  func()             // the newest lines are wanted: answer with Reset and Append
}

// View shows a log. Make it with New and end it with Close.
type View struct {
	widget.BaseWidget
	cfg    Config
	raster *canvas.Raster
	pill   *pill

	store *logstore.Store
	win   logstore.Window
	wrap  bool
	shift int // pixels that text is moved to the left, where it does not wrap
	live  bool
	newer newer

	fonts    *Fonts
	atlas    *atlas
	geo      geometry
	colours  palette
	recolour bool
	img      *image.RGBA
	buf      []byte
	cells    []logstore.Cell
	found    []hit
	marks    []logstore.Mark
	index    map[logstore.ID][]logstore.Cell

	sel    selection
	mouse  mouse
	search search
	paints painting
	fetch  fetching
	closed bool
}

var _ fyne.Widget = (*View)(nil)

// New makes a View that follows an empty log.
func New(cfg Config) *View {
	if cfg.Post == nil || cfg.FollowText == nil {
		panic("logview.Config needs Post and FollowText")
	}
	if cfg.Limits == (logstore.Limits{}) {
		cfg.Limits = logstore.DefaultLimits
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Fonts == nil {
		cfg.Fonts = NewFonts()
	}
	v := &View{cfg: cfg, fonts: cfg.Fonts, store: logstore.New(cfg.Limits), recolour: true, index: map[logstore.ID][]logstore.Cell{}}
	v.win.Follow, v.win.RowH = true, 18
	v.raster = canvas.NewRaster(v.generate)
	v.raster.ScaleMode = canvas.ImageScalePixels
	v.pill = newPill(v.Follow)
	v.ExtendBaseWidget(v)
	return v
}

// Close stops what runs for the view, waits for it and drops the lines: Fyne keeps a widget for a minute after it was last seen.
func (v *View) Close() {
	v.closed = true
	v.search.stop()
	v.search.running.Wait()
	v.paints.stop()
	v.mouse.stopDrag()
	v.store.Reset()
	v.search.hits, v.search.has, v.sel = nil, false, selection{}
	v.img, v.index, v.fonts, v.cfg.Fonts, v.atlas = nil, nil, nil, nil, nil
}

// Append adds the log's newest lines, in order.
func (v *View) Append(lines []logline.Line) {
	if len(lines) == 0 || v.closed {
		return
	}
	from := v.store.End()
	v.store.Append(lines)
	v.newer.came(v, from, len(lines))
	v.added(from, v.store.End())
}

// Prepend answers OnOlder: lines before the oldest, themselves in order; more says that there are lines before them.
func (v *View) Prepend(lines []logline.Line, more bool) {
	if v.closed {
		return
	}
	v.fetch.older = false
	if v.win.Follow && len(lines) > v.store.Room() {
		return // the person went back to the end, which they would push out
	}
	v.fetch.first = !more
	was := v.store.First()
	v.store.Prepend(lines)
	v.added(v.store.First(), was)
}

// Continue answers OnNewer: lines after the newest that is held; more says that there are lines after them.
func (v *View) Continue(lines []logline.Line, more bool) {
	if v.closed {
		return
	}
	v.fetch.newer = false
	from := v.store.End()
	v.store.Continue(lines, !more)
	v.added(from, v.store.End())
}

// added is told of lines from … end-1, which are new in the store.
func (v *View) added(from, end logstore.ID) {
	v.search.added(v, from, end)
	v.win.Settle(v.store)
	v.changed()
}

// Reset drops all lines, to show another log or the end of this one. Wrap, level and the search's text stay.
func (v *View) Reset() {
	v.store.Reset()
	clear(v.index)
	v.setFollow(true)
	v.sel, v.fetch, v.newer, v.shift = selection{}, fetching{}, newer{}, 0
	v.search.again(v)
	v.changed()
}

// SetLevel hides lines below a level; numbers stay as they are.
func (v *View) SetLevel(l logline.Level) {
	if l == v.store.Level() {
		return
	}
	v.store.SetLevel(l)
	v.win.Settle(v.store)
	v.search.changed(v)
	v.changed()
}

// SetWrap wraps long lines, or lets them be scrolled sideways.
func (v *View) SetWrap(wrap bool) {
	if wrap == v.wrap {
		return
	}
	v.wrap, v.shift = wrap, 0
	v.rewrap()
	v.changed()
}

// Wrapped tells what SetWrap was given last.
func (v *View) Wrapped() bool { return v.wrap }

// SetLive says whether lines may still come. The button that goes to the end is for logs that are live, or where lines came that
// were not seen.
func (v *View) SetLive(live bool) {
	if live == v.live {
		return
	}
	v.live = live
	v.changed()
}

// Following tells whether the view stays at the end.
func (v *View) Following() bool { return v.win.Follow }

// Follow goes to the end and stays there.
func (v *View) Follow() {
	if v.store.Cut() && v.cfg.OnTail != nil {
		v.cfg.OnTail()
		return
	}
	v.win.Follow = true
	v.win.Settle(v.store)
	v.setFollow(true)
	v.refresh()
}

// Lines is how many lines are held, Shown how many of them the level shows.
func (v *View) Lines() int { return v.store.Len() }

// Shown is how many lines the level shows.
func (v *View) Shown() int64 { return v.store.Shown() }

// FirstSeq and LastSeq are the numbers of the oldest and the newest line held, 0 when there is none.
func (v *View) FirstSeq() int64 { return v.store.FirstSeq() }

// LastSeq is the number of the newest line held, 0 when there is none.
func (v *View) LastSeq() int64 { return v.store.LastSeq() }

// OnScreen gives the numbers of the first and the last line that show in the view, 0 when none does.
func (v *View) OnScreen() (first, last int64) {
	if v.store.Rows() == 0 {
		return 0, 0
	}
	y := v.win.Y(v.store)
	top, _ := v.store.RowAt(int64(y / v.win.RowH))
	end, _ := v.store.RowAt(int64((y + v.win.Height - 1) / v.win.RowH))
	return v.store.At(top.ID).Seq, v.store.At(end.ID).Seq
}

// Reveal shows the line with a number, or the next one that is held.
func (v *View) Reveal(seq int64) {
	id, ok := v.store.Find(seq)
	if !ok || v.atlas == nil {
		return
	}
	v.win.Reveal(v.store, logstore.Pos{ID: id})
	v.setFollow(false)
	v.refresh()
}

// setFollow settles what changes when the view begins or ends to follow.
func (v *View) setFollow(follow bool) {
	v.win.Follow = follow
	if v.newer.away == !follow {
		return
	}
	v.newer = newer{away: !follow, from: v.store.End()}
	if v.cfg.OnFollow != nil {
		v.cfg.OnFollow(follow)
	}
}

// newer counts lines that came while the person was away from the end.
type newer struct {
	away bool
	from logstore.ID // the first of them
	lost int         // those that are not held
}

// came is told that n lines came, of which those from an ID on are held.
func (n *newer) came(v *View, from logstore.ID, lines int) {
	if held := int(v.store.End() - max(from, v.store.First())); n.away && held < lines && v.store.Cut() {
		n.lost += lines - held
	}
}

func (n *newer) count(v *View) int {
	if !n.away {
		return 0
	}
	return int(v.store.ShownFrom(n.from)) + n.lost
}
