package shell

import (
	"strings"
	"time"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
)

// sidebar is the console's navigation: the daemon in use at the top, the pages, and at the bottom the connection and the person.
type sidebar struct {
	s    *Shell
	root *fyne.Container
	slim bool

	daemon  *widgets.Label
	version *widgets.Label
	items   []*navItem
	words   []fyne.CanvasObject // what a slim sidebar hides

	dot     *widgets.Dot
	address *widgets.Label
	link    *widgets.Label
	avatar  *widgets.Avatar
	person  *widgets.Label
	theme   *widgets.IconButton
}

// navItem leads to a page.
type navItem struct {
	page  nav.Name
	press *widgets.Pressable
	icon  *widgets.Icon
	name  icons.Name
	label *widgets.Label
	badge *widgets.Badge
}

func newSidebar(s *Shell) *sidebar {
	b := &sidebar{s: s, daemon: widgets.NewLabel("", widgets.BodyStrong), version: widgets.NewLabel("", widgets.Caption),
		dot: widgets.NewDot(widgets.Muted), address: widgets.NewLabel("", widgets.CaptionMedium).Colored(theme.Text),
		link: widgets.NewLabel("", widgets.Caption), avatar: widgets.NewAvatar(""), person: widgets.NewLabel("", widgets.BodyMedium)}
	b.theme = widgets.NewIconButton(icons.Moon, "", b.otherTheme)
	main := b.list([]navItem{{page: nav.Overview, name: icons.Overview}, {page: nav.Hosts, name: icons.Host}, {page: nav.Jobs, name: icons.Job},
		{page: nav.Snapshots, name: icons.Snapshot}, {page: nav.Plans, name: icons.Clock}, {page: nav.Repositories, name: icons.Repository}})
	section := widgets.Pad(widgets.NewLabel(words.T("shell.operations"), widgets.Caption), 12, 0, 4, 10)
	rest := b.list([]navItem{{page: nav.Access, name: icons.Access}, {page: nav.Settings, name: icons.Settings}})
	b.words = append(b.words, section)
	head := b.head()
	foot := b.foot()
	column := widgets.VFlex(0, head, main, section, rest, widgets.Spacer(), foot)
	line := widgets.VDivider()
	b.root = container.New(&sideLayout{line}, widgets.Backdrop(theme.Sidebar, 0, widgets.Pad(column, 10, 10, 10, 10)), line)
	return b
}

// sideLayout draws a hairline at the right edge.
type sideLayout struct{ line fyne.CanvasObject }

func (l *sideLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(slimWidth, 100) }

func (l *sideLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	place(objects[0], 0, 0, size.Width, size.Height)
	place(l.line, size.Width-theme.Hairline, 0, theme.Hairline, size.Height)
}

func (b *sidebar) head() fyne.CanvasObject {
	logo := widgets.NewLogo(30)
	names := widgets.VFlex(1, b.daemon, b.version)
	more := widgets.NewIcon(icons.ChevronDown, theme.Text2, theme.IconSize)
	b.words = append(b.words, names, more)
	row := widgets.HFlex(10, logo, widgets.Grow(names, 1), more)
	var press *widgets.Pressable
	press = widgets.NewPressable(widgets.Pad(row, 4, 6, 4, 2), theme.RadiusControl, func() { b.s.showDaemons(press) })
	return widgets.Pad(press, 0, 0, 14, 0)
}

func (b *sidebar) list(items []navItem) fyne.CanvasObject {
	rows := make([]fyne.CanvasObject, len(items))
	for i := range items {
		it := &items[i]
		title := words.T("page." + string(it.page))
		it.icon, it.label, it.badge = widgets.NewIcon(it.name, theme.Text2, theme.IconSize), widgets.NewLabel(title, widgets.BodyMedium), widgets.NewBadge("").Round()
		it.label.SetColor(theme.Text2)
		it.badge.Hide()
		row := widgets.HFlex(10, it.icon, widgets.Grow(it.label, 1), it.badge)
		page := it.page
		it.press = widgets.NewPressable(widgets.Pad(row, 0, 8, 0, 10), theme.RadiusControl, func() { b.s.Navigate(nav.Route{Page: page}) }).Tooltip("")
		b.items = append(b.items, it)
		b.words = append(b.words, it.label)
		rows[i] = widgets.Fixed(it.press, theme.NavItemH)
	}
	return widgets.VFlex(2, rows...)
}

func (b *sidebar) foot() fyne.CanvasObject {
	names := widgets.VFlex(1, b.address, b.link)
	state := widgets.Backdrop(theme.Raised, theme.RadiusControl, widgets.Pad(widgets.HFlex(10, b.dot, widgets.Grow(names, 1)), 8, 10, 8, 10))
	row := widgets.HFlex(10, b.avatar, widgets.Grow(b.person, 1), b.theme)
	var press *widgets.Pressable
	press = widgets.NewPressable(widgets.Pad(row, 2, 0, 2, 2), theme.RadiusControl, func() { b.s.showPerson(press) })
	b.words = append(b.words, names, b.person, b.theme)
	return widgets.VFlex(10, state, press)
}

// setSlim shows icons alone, or with their words.
func (b *sidebar) setSlim(slim bool) {
	if slim == b.slim {
		return
	}
	b.slim = slim
	for _, o := range b.words {
		setShown(o, !slim)
	}
	for _, it := range b.items {
		tip := ""
		if slim {
			tip = it.label.Text()
		}
		it.press.Tooltip(tip)
		setShown(it.badge, !slim && it.badge.Text() != "")
	}
}

func (b *sidebar) pageChanged() {
	for _, it := range b.items {
		here := it.page == b.s.route.Section()
		it.press.SetSelected(here)
		color, text := theme.Text2, theme.Text2
		if here {
			color, text = theme.Accent, theme.Text
		}
		it.icon.Set(it.name, color)
		it.label.SetColor(text)
	}
}

// sessionChanged shows which daemon is in use, and who is signed in.
func (b *sidebar) sessionChanged() {
	p, _ := b.s.prefs.Profile(b.s.prefs.Get().Current)
	address := p.Address
	if b.s.daemon != nil {
		address = b.s.daemon.Address()
	}
	host := strings.TrimPrefix(address, "https://")
	name := p.Name
	if name == "" || p.Address != address {
		name = host
	}
	b.daemon.Set(name)
	b.address.Set(host)
	b.theme.SetIcon(b.themeIcon())
	b.theme.SetTooltip(words.T("shell.other_theme"))
	b.who()
	b.counts()
	b.connection()
}

func (b *sidebar) who() {
	id := b.s.fleet.Identity()
	version := words.T("shell.daemon")
	if v := id.Daemon.Version; v != "" {
		version = words.T("shell.daemon_version", "Version", shortVersion(v))
	}
	b.version.Set(version)
	b.person.Set(id.User)
	b.avatar.Set(initials(id.User))
}

// shortVersion leaves out what stands behind a plus sign: which commit it was built from.
func shortVersion(v string) string {
	v, _, _ = strings.Cut(v, "+")
	return v
}

// initials of a name: MK for Mira König, A for admin.
func initials(name string) string {
	out := ""
	for _, w := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		for _, r := range w {
			out += string(unicode.ToUpper(r))
			break
		}
		if len([]rune(out)) == 2 {
			break
		}
	}
	return out
}

func (b *sidebar) update(c model.Change) {
	if c.Identity || c.All {
		b.who()
	}
	if c.Connection || c.All {
		b.connection()
	}
	if c.All || len(c.Hosts) > 0 || len(c.Jobs) > 0 {
		b.counts()
	}
}

func (b *sidebar) counts() {
	t := b.s.fleet.Totals()
	for _, it := range b.items {
		n := 0
		switch it.page {
		case nav.Hosts:
			n = t.Hosts
		case nav.Jobs:
			n = t.Running
		}
		text := ""
		if n > 0 {
			text = words.Number(int64(n))
		}
		it.badge.Set(text)
		setShown(it.badge, text != "" && !b.slim)
	}
}

func (b *sidebar) connection() {
	tone, text := linkWords(b.s.fleet.Connection())
	b.dot.Set(tone)
	b.link.Set(text)
}

func linkWords(c model.Connection) (widgets.Tone, string) {
	switch c.Link {
	case model.Live:
		return widgets.Ok, words.T("link.live")
	case model.Lost:
		return widgets.Error, words.T("link.lost")
	case model.SignedOut:
		return widgets.Warn, words.T("link.signed_out")
	}
	return widgets.Muted, words.T("link.connecting")
}

func (b *sidebar) tick(time.Time) {}

// dark tells whether the console is dark now.
func (b *sidebar) dark() bool { return theme.IsDark() }

func (b *sidebar) themeIcon() icons.Name {
	if b.dark() {
		return icons.Sun
	}
	return icons.Moon
}

// otherTheme goes from light to dark and back; following the system is in the settings.
func (b *sidebar) otherTheme() {
	to := string(theme.Dark)
	if b.dark() {
		to = string(theme.Light)
	}
	b.s.prefs.Change(func(d *prefs.Data) { d.Theme = to })
	b.s.Restyle()
}
