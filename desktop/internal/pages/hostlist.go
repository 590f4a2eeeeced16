package pages

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

// ageEvery is how often texts such as "6 h ago" are written anew.
const ageEvery = 15 * time.Second

// hostList is the card with the table of hosts and its filters.
type hostList struct {
	d      *Deps
	v      *vm.Hosts
	scopes []vm.HostScope
	add    func()
	faced  func(vm.Face)

	root   fyne.CanvasObject
	room   *fyne.Container // table, or another face
	table  *widgets.Table
	count  *widgets.Badge
	scope  *widgets.Segmented
	search *widgets.TextEntry
	face   vm.Face
	aged   time.Time
}

// hostListState is what a person finds as it was on coming back.
type hostListState struct {
	scope    vm.HostScope
	text     string
	column   vm.HostColumn
	desc     bool
	offset   float32
	selected string
}

// hostListConfig is what newHostList needs.
type hostListConfig struct {
	deps   *Deps
	vm     *vm.Hosts
	scopes []vm.HostScope
	was    *hostListState // nil: as a page is opened for the first time
	add    func()         // adds a host, for the empty face
	faced  func(vm.Face)  // hears of another face; may be nil
}

func newHostList(cfg hostListConfig) *hostList {
	d, scopes, was := cfg.deps, cfg.scopes, cfg.was
	l := &hostList{d: d, v: cfg.vm, scopes: scopes, add: cfg.add, faced: cfg.faced, count: widgets.NewBadge(""), room: widgets.VFlex(0)}
	l.table = widgets.NewTable(widgets.TableConfig{Columns: hostColumns(), NewRow: func() widgets.Row { return newHostRow(l.v, d.Now) },
		OnOpen: func(id string) { d.Navigate(nav.Route{Page: nav.Host, ID: id}) }, OnSort: l.sort})
	labels := make([]string, len(scopes))
	for i, s := range scopes {
		labels[i] = words.T("hosts.scope." + string(s))
	}
	l.scope = widgets.NewSegmented(labels, 0, func(i int) { l.setScope(scopes[i]) })
	l.search = widgets.NewSearchField(words.T("hosts.filter"), "", func(s string) {
		l.v.SetText(s)
		l.show()
	})
	l.search.OnKey(l.searchKey)
	head := cardHead(widgets.NewLabel(words.T("page.hosts"), widgets.CardTitle), l.count, widgets.Spacer(), l.scope, widgets.Fixed(l.search, 190))
	l.root = widgets.FlatCard(widgets.VFlex(0, head, widgets.Grow(l.room, 1)))
	if was != nil {
		l.restore(*was)
	}
	l.table.SetSort(l.sorted())
	l.show()
	return l
}

func (l *hostList) restore(was hostListState) {
	l.v.SetScope(was.scope)
	l.v.SetSort(was.column, was.desc)
	l.scope.Select(slices.Index(l.scopes, was.scope))
	l.search.SetText(was.text)
	l.v.SetText(was.text)
	l.show()
	l.table.Select(was.selected)
	l.table.SetOffset(was.offset)
}

func (l *hostList) state() hostListState {
	column, desc := l.v.Sort()
	return hostListState{scope: l.v.Scope(), text: l.v.Text(), column: column, desc: desc, offset: l.table.Offset(), selected: l.table.Selected()}
}

func (l *hostList) sorted() (string, bool) {
	column, desc := l.v.Sort()
	return string(column), desc
}

func (l *hostList) sort(column string, desc bool) {
	l.v.SetSort(vm.HostColumn(column), desc)
	l.table.SetSort(column, desc)
	l.show()
}

// setScope shows the hosts of a scope.
func (l *hostList) setScope(s vm.HostScope) {
	l.scope.Select(slices.Index(l.scopes, s))
	l.v.SetScope(s)
	l.table.SetOffset(0)
	l.show()
}

// searchKey goes from the filter into the rows, and clears the filter.
func (l *hostList) searchKey(e *fyne.KeyEvent) bool {
	switch name := e.Name; {
	case name == fyne.KeyDown && l.face == vm.Full:
		l.step(name)
		return true
	case name == fyne.KeyEscape && l.search.Text() != "":
		l.clear()
		return true
	}
	return false
}

func (l *hostList) clear() {
	l.search.SetText("")
	l.v.SetText("")
	l.setScope(vm.ScopeAll)
}

// takeKeys gives the keyboard to the rows.
func (l *hostList) takeKeys() {
	if l.face == vm.Full {
		l.d.Window.Canvas().Focus(l.table)
	}
}

// step gives a key to the table, and the keyboard with it.
func (l *hostList) step(name fyne.KeyName) {
	l.d.Window.Canvas().Focus(l.table)
	l.table.TypedKey(&fyne.KeyEvent{Name: name})
}

// key takes a key that nothing focused wanted.
func (l *hostList) key(k Key) bool {
	switch {
	case k.Super && k.Name == fyne.KeyF:
		l.search.Focus()
		return true
	case l.face == vm.Full && (k.Name == fyne.KeyDown || k.Name == fyne.KeyUp || k.Name == fyne.KeyPageDown || k.Name == fyne.KeyHome || k.Name == fyne.KeyEnd):
		l.step(k.Name)
		return true
	}
	return false
}

// update takes a change of the model.
func (l *hostList) update(c model.Change) { l.refresh(c, l.v.Update(c)) }

// refresh shows a change that the view model has taken already.
func (l *hostList) refresh(c model.Change, r vm.Refresh) {
	switch {
	case c.Identity:
		l.face = "" // another role may do something else on it
		l.show()
	case c.Connection && l.face == vm.Failed:
		l.face = ""
		l.show()
	}
	if r != vm.Nothing {
		l.show()
		l.table.RefreshVisible()
	}
}

func (l *hostList) tick(now time.Time) {
	if now.Sub(l.aged) < ageEvery {
		return
	}
	l.aged = now
	l.table.RefreshVisible()
}

// show shows the face and the rows that the view model has.
func (l *hostList) show() {
	face := l.v.Face()
	l.count.Set(words.Number(int64(len(l.v.IDs()))))
	shown(l.count, face == vm.Full || face == vm.NoMatch)
	l.table.SetIDs(l.v.IDs())
	if face == l.face {
		return
	}
	l.face = face
	if l.faced != nil {
		l.faced(face)
	}
	widgets.SetChildren(l.room, widgets.Grow(l.faceOf(face), 1))
}

func (l *hostList) faceOf(face vm.Face) fyne.CanvasObject {
	switch face {
	case vm.Loading:
		return widgets.SkeletonTable(hostColumns(), 14)
	case vm.Empty:
		return noHosts(l.d, l.add)
	case vm.Failed:
		return failedLink(l.d)
	case vm.NoMatch:
		text := words.T("hosts.no_match_text")
		if l.v.Text() == "" {
			text = words.T("hosts.none_in." + string(l.v.Scope()))
		}
		return noMatch(words.T("hosts.no_match"), text, words.T("hosts.show_all"), l.clear)
	}
	return l.table
}

// noHosts is the empty face of what is about hosts.
func noHosts(d *Deps, add func()) fyne.CanvasObject {
	if !d.Fleet.May(fleet.RoleAdmin) {
		return widgets.Empty(icons.Host, words.T("hosts.empty"), words.T("hosts.empty_ask"), nil)
	}
	return widgets.Empty(icons.Host, words.T("hosts.empty"), words.T("hosts.empty_text"), widgets.NewButton(widgets.Primary, icons.Plus, words.T("hosts.add"), add))
}

// failedLink is the face of what cannot be shown because the daemon has told nothing yet.
func failedLink(d *Deps) fyne.CanvasObject {
	c := d.Fleet.Connection()
	title, why := words.Error(c.Err)
	if c.Link == model.SignedOut {
		return widgets.Failure(title, why, nil) // the strip above has the button to sign in
	}
	return widgets.Failure(title, why, widgets.NewButton(widgets.Secondary, icons.Refresh, words.T("link.try_now"), func() { d.Session.Reconnect() }))
}
