package shell

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
)

// topBar says where one is, opens the palette, and holds the page's own buttons.
type topBar struct {
	s       *Shell
	root    *fyne.Container
	row     *fyne.Container
	search  fyne.CanvasObject
	crumbs  []pageCrumb
	actions fyne.CanvasObject
}

type pageCrumb struct {
	text  string
	route nav.Route
}

func newTopBar(s *Shell) *topBar {
	b := &topBar{s: s}
	b.search = widgets.Fixed(widgets.NewSearchButton(words.T("shell.search"), words.Shortcut("K"), s.showPalette), 300)
	b.row = widgets.HFlex(10)
	line := widgets.Divider()
	b.root = container.New(&topLayout{line}, widgets.Backdrop(theme.Bg, 0, widgets.Pad(b.row, 0, theme.PagePadX, 0, theme.PagePadX)), line)
	return b
}

type topLayout struct{ line fyne.CanvasObject }

func (l *topLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, theme.TopBarH) }

func (l *topLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	place(objects[0], 0, 0, size.Width, size.Height)
	place(l.line, 0, size.Height-theme.Hairline, size.Width, theme.Hairline)
}

func (b *topBar) pageChanged() {
	b.actions = b.s.page.Actions()
	b.crumbs = nil
	b.update()
}

// linkPad is the room that a link has at its sides.
const linkPad = 4

// update shows the page's crumbs when they are others than before: a host may have been renamed.
func (b *topBar) update() {
	if b.s.page == nil {
		return
	}
	var now []pageCrumb
	for _, c := range b.s.page.Crumbs() {
		now = append(now, pageCrumb{c.Text, c.Route})
	}
	if len(now) == len(b.crumbs) {
		same := true
		for i := range now {
			same = same && now[i] == b.crumbs[i]
		}
		if same {
			return
		}
	}
	b.crumbs = now
	var row []fyne.CanvasObject
	for i, c := range now {
		if i > 0 {
			row = append(row, widgets.NewIcon(icons.ChevronRight, theme.Text3, 14))
		}
		if i < len(now)-1 && c.route.Valid() {
			link := fyne.CanvasObject(widgets.NewLink(c.text, func() { b.s.Navigate(c.route) }))
			if i == 0 {
				link = widgets.Pad(link, 0, 0, 0, -linkPad) // its text stands where the page's margin is
			}
			row = append(row, link)
			continue
		}
		row = append(row, widgets.NewLabel(c.text, widgets.BodyMedium))
	}
	row = append(row, widgets.Spacer(), b.search)
	if b.actions != nil {
		row = append(row, b.actions)
	}
	widgets.SetChildren(b.row, row...)
}

// linkStrip says that what is shown is not how it is, and what to do.
type linkStrip struct {
	s     *Shell
	root  *fyne.Container
	icon  *widgets.Icon
	text  *widgets.Label
	retry *widgets.Button
	sign  *widgets.Button
}

func newLinkStrip(s *Shell) *linkStrip {
	l := &linkStrip{s: s, icon: widgets.NewIcon(icons.WifiOff, theme.Warn, theme.IconSize), text: widgets.NewLabel("", widgets.BodyMedium)}
	l.retry = widgets.NewButton(widgets.Secondary, icons.Refresh, words.T("link.try_now"), func() {
		if s.session != nil {
			s.session.Reconnect()
		}
	})
	l.sign = widgets.NewButton(widgets.Primary, "", words.T("link.sign_in"), s.signInAgain)
	row := widgets.HFlex(10, l.icon, widgets.Grow(l.text, 1), l.retry, l.sign)
	l.root = container.NewStack(widgets.Backdrop(theme.WarnSoft, 0, widgets.Pad(row, 0, theme.PagePadX, 0, theme.PagePadX)))
	l.root.Hide()
	return l
}

// show writes what there is to say: whether there is anything, and whether the page is out of date.
func (l *linkStrip) show() (shown, grey bool) {
	c := l.s.fleet.Connection()
	setShown(l.retry, c.Link == model.Lost)
	setShown(l.sign, c.Link == model.SignedOut)
	l.write(c, l.s.cfg.Now())
	return c.Link == model.Lost || c.Link == model.SignedOut, (c.Link == model.Lost || c.Link == model.SignedOut) && !c.AsOf.IsZero()
}

func (l *linkStrip) tick(now time.Time) {
	if l.root.Visible() {
		l.write(l.s.fleet.Connection(), now)
	}
}

func (l *linkStrip) write(c model.Connection, now time.Time) {
	asOf := ""
	if !c.AsOf.IsZero() {
		asOf = words.Clock(c.AsOf)
	}
	left := c.RetryAt.Sub(now).Round(time.Second)
	switch {
	case c.Link == model.SignedOut && asOf != "":
		l.text.Set(words.T("link.signed_out_as_of", "Time", asOf))
	case c.Link == model.SignedOut:
		l.text.Set(words.T("link.signed_out_text"))
	case c.Link != model.Lost:
	case c.RetryAt.IsZero():
		_, why := words.Error(c.Err)
		l.text.Set(why)
	case left <= 0 && asOf != "":
		l.text.Set(words.T("link.lost_trying", "Time", asOf))
	case left <= 0:
		l.text.Set(words.T("link.unreachable_trying"))
	case asOf != "":
		l.text.Set(words.T("link.lost_as_of", "Time", asOf, "Left", words.Span(left)))
	default:
		l.text.Set(words.T("link.unreachable", "Left", words.Span(left)))
	}
}
