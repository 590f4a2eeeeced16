package pages

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// connectWidth is the width of the card of the way in.
const connectWidth = 440

// connect is the way in: the daemons that are known, a new one by its address and the pin that a person compares, and signing in.
// It goes in steps, each with one question, and every step can be answered by the keyboard alone.
type connect struct {
	base
	ctx  context.Context
	d    *Deps
	root *fyne.Container
	room *fyne.Container // holds the step
	p    prefs.Profile   // the daemon that is being entered

	reachable bool   // the page is on the screen
	focus     func() // gives the keyboard to where the step asks
}

func newConnect(ctx context.Context, d *Deps, r nav.Route, _ any) Page {
	c := &connect{ctx: ctx, d: d, room: widgets.VFlex(0)}
	head := widgets.HFlex(12, widgets.NewLogo(36), widgets.VFlex(2, widgets.NewLabel(words.T("app.name"), widgets.Title), widgets.NewLabel(words.T("connect.claim"), widgets.Body2)))
	card := widgets.FlatCard(widgets.PadAll(widgets.VFlex(22, head, c.room), 28))
	c.root = widgets.Center(widgets.MaxWidth(widgets.Fix(card, fyne.NewSize(connectWidth, 0)), connectWidth)) // every step as wide as the others
	address, refused := d.Gate.Refused()
	p, known := d.Prefs.Profile(r.ID)
	switch {
	case known && r.Tab == "waiting":
		c.p = p
		c.askWaiting()
	case known:
		c.p = p
		c.askPassword(reasonOf(address == r.ID, refused))
	case len(d.Prefs.Get().Profiles) > 0 && r.Tab != "new":
		c.askWhich()
	default:
		c.askAddress("", nil)
	}
	return c
}

func reasonOf(fits bool, err error) error {
	if fits {
		return err
	}
	return nil
}

func (c *connect) Content() fyne.CanvasObject { return c.root }
func (c *connect) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.connect")}} }
func (c *connect) Update(model.Change)        {}

// show puts a step into the card, and the keyboard where it asks.
func (c *connect) show(focus func(), objects ...fyne.CanvasObject) {
	widgets.SetChildren(c.room, widgets.VFlex(16, objects...))
	c.root.Refresh()
	c.focus = focus
	c.reach()
}

// Shown implements Shown: only what is on the screen can have the keyboard.
func (c *connect) Shown() {
	c.reachable = true
	c.reach()
}

func (c *connect) reach() {
	if c.reachable && c.focus != nil {
		c.focus()
	}
}

// field gives the keyboard to a field.
func (c *connect) field(e *widgets.TextEntry) func() {
	return func() { e.FocusIn(c.d.Window.Canvas()) }
}

// button gives the keyboard to a button.
func (c *connect) button(b *widgets.Button) func() { return func() { c.d.Window.Canvas().Focus(b) } }

func newPassword() *widgets.TextEntry {
	return widgets.NewPasswordEntry("", words.T("connect.show_password"), words.T("connect.hide_password"), nil)
}

// askWhich lists the daemons that are known.
func (c *connect) askWhich() {
	var rows []fyne.CanvasObject
	for _, p := range c.d.Prefs.Get().Profiles {
		names := widgets.VFlex(1, widgets.NewLabel(p.Name, widgets.BodyMedium), widgets.NewLabel(bare(p.Address), widgets.Caption))
		forget := widgets.NewIconButton(icons.Trash, words.T("connect.forget"), func() {
			c.d.Gate.Forget(p.Address)
			if len(c.d.Prefs.Get().Profiles) == 0 {
				c.askAddress("", nil)
				return
			}
			c.askWhich()
		})
		row := widgets.HFlex(12, widgets.NewIcon(icons.Host, theme.Text2, theme.IconSize), widgets.Grow(names, 1), widgets.NewIcon(icons.ChevronRight, theme.Text3, theme.IconSize))
		press := widgets.NewPressable(widgets.Pad(row, 8, 10, 8, 10), theme.RadiusControl, func() { c.d.Gate.Open(p.Address) })
		rows = append(rows, widgets.HFlex(6, widgets.Grow(press, 1), forget))
	}
	add := widgets.NewButton(widgets.Secondary, icons.Plus, words.T("shell.add_daemon"), func() { c.askAddress("", nil) })
	c.show(nil, widgets.NewLabel(words.T("connect.which"), widgets.CardTitle), widgets.VFlex(4, rows...), widgets.HFlex(0, add, widgets.Spacer()))
}

func bare(address string) string { return strings.TrimPrefix(address, "https://") }

// askAddress asks where the daemon is.
func (c *connect) askAddress(text string, err error) {
	entry := widgets.NewEntry(words.T("connect.address_hint"), nil)
	entry.SetText(text)
	field := widgets.NewField(words.T("connect.address"), entry, words.T("connect.address_help"))
	if err != nil {
		_, why := words.Error(err)
		field.SetError(why)
	}
	var next *widgets.Button
	try := func() {
		if strings.TrimSpace(entry.Text()) == "" {
			field.SetError(words.T("connect.address_missing"))
			return
		}
		next.SetBusy(true)
		c.d.Gate.Contact(c.ctx, entry.Text(), func(found feed.Contact, err error) {
			next.SetBusy(false)
			if err != nil {
				_, why := words.Error(err)
				field.SetError(why)
				return
			}
			c.met(found)
		})
	}
	next = widgets.NewButton(widgets.Primary, "", words.T("connect.continue"), try)
	entry.OnSubmit(func(string) { try() })
	buttons := []fyne.CanvasObject{widgets.Spacer(), next}
	if len(c.d.Prefs.Get().Profiles) > 0 {
		buttons = append([]fyne.CanvasObject{outdented(widgets.NewButton(widgets.Ghost, icons.ArrowLeft, words.T("connect.back"), c.askWhich))}, buttons...)
	}
	c.show(c.field(entry), widgets.NewLabel(words.T("connect.where"), widgets.CardTitle), field, widgets.HFlex(8, buttons...))
}

// met goes on with a daemon that answered: one that is known by its pin, or one whose pin a person has to look at.
func (c *connect) met(found feed.Contact) {
	known, ok := c.d.Prefs.Profile(found.Address)
	c.p = prefs.Profile{Address: found.Address, Pin: found.Pin, Name: bare(found.Address), User: known.User}
	switch {
	case ok && known.Pin == found.Pin:
		c.p = known
		c.askPassword(nil)
	case ok:
		c.askPin(known.Pin)
	default:
		c.askPin("")
	}
}

// askPin shows the daemon's pin, and stops until a person has compared it. before is another pin that was known until now.
func (c *connect) askPin(before string) {
	title, text := words.T("connect.first"), words.T("connect.first_text", "Daemon", bare(c.p.Address))
	objects := []fyne.CanvasObject{}
	if before != "" {
		title, text = words.T("connect.changed"), words.T("connect.changed_text", "Daemon", bare(c.p.Address))
		objects = append(objects, widgets.NewBanner(widgets.Error, words.T("connect.changed_warning"), words.T("connect.changed_before", "Pin", before), nil))
	}
	pin := widgets.Backdrop(theme.Raised, theme.RadiusControl, widgets.PadAll(widgets.NewParagraph(spaced(c.p.Pin), widgets.Mono), 12))
	yes := widgets.NewButton(widgets.Primary, icons.Check, words.T("connect.same"), func() { c.askPassword(nil) })
	if before != "" {
		yes = widgets.NewButton(widgets.Danger, "", words.T("connect.trust_new"), func() { c.askPassword(nil) })
	}
	no := widgets.NewButton(widgets.Secondary, "", words.T("connect.stop"), func() { c.askAddress(c.p.Address, nil) })
	objects = append([]fyne.CanvasObject{widgets.NewLabel(title, widgets.CardTitle), widgets.NewParagraph(text, widgets.Body2)}, append(objects, pin, widgets.HFlex(8, no, widgets.Spacer(), yes))...)
	focus := c.button(yes)
	if before != "" {
		focus = c.button(no) // never by a stray Enter
	}
	c.show(focus, objects...)
}

// spaced breaks a pin into groups that an eye can follow.
func spaced(pin string) string {
	head, rest, ok := strings.Cut(pin, ":")
	if !ok {
		head, rest = "", pin
	}
	var groups []string
	for len(rest) > 8 {
		groups, rest = append(groups, rest[:8]), rest[8:]
	}
	text := strings.Join(append(groups, rest), " ")
	if head != "" {
		text = head + ": " + text
	}
	return text
}

// askPassword asks who signs in. err is why an earlier try failed.
func (c *connect) askPassword(err error) {
	user, password := widgets.NewEntry("", nil), newPassword()
	user.SetText(c.p.User)
	userField, passwordField := widgets.NewField(words.T("connect.user"), user, ""), widgets.NewField(words.T("connect.password"), password, "")
	remember := widgets.NewCheckbox(words.T("connect.remember"), c.d.Prefs.Get().RememberLogin, nil)
	trouble := widgets.Slot()
	tell := func(err error) {
		title, text := words.Error(err)
		if fault.CodeOf(err) == fault.Unauthenticated {
			title, text = words.T("connect.wrong_title"), words.T("connect.wrong")
		}
		widgets.FillSlot(trouble, widgets.NewBanner(widgets.Error, title, text, nil))
		c.root.Refresh()
	}
	var in *widgets.Button
	try := func() {
		userField.SetError("")
		passwordField.SetError("")
		switch {
		case strings.TrimSpace(user.Text()) == "":
			userField.SetError(words.T("connect.user_missing"))
			return
		case password.Text() == "":
			passwordField.SetError(words.T("connect.password_missing"))
			return
		}
		in.SetBusy(true)
		c.p.User = strings.TrimSpace(user.Text())
		c.d.Gate.SignIn(c.ctx, c.p, secret.New(password.Text()), remember.Checked(), func(err error) {
			in.SetBusy(false)
			if fault.CodeOf(err) == fault.PinMismatch {
				c.askAddress(c.p.Address, err)
				return
			}
			tell(err)
		})
	}
	in = widgets.NewButton(widgets.Primary, "", words.T("link.sign_in"), try)
	user.OnSubmit(func(string) { c.field(password)() })
	password.OnSubmit(func(string) { try() })
	back := widgets.NewButton(widgets.Ghost, icons.ArrowLeft, words.T("connect.back"), func() {
		if len(c.d.Prefs.Get().Profiles) > 0 {
			c.askWhich()
			return
		}
		c.askAddress(c.p.Address, nil)
	})
	if err != nil {
		tell(err)
	}
	focus := c.field(user)
	if c.p.User != "" {
		focus = c.field(password)
	}
	title := widgets.VFlex(2, widgets.NewLabel(words.T("connect.sign_in_at", "Daemon", c.p.Name), widgets.CardTitle), widgets.NewLabel(bare(c.p.Address), widgets.Caption))
	c.show(focus, title, trouble, userField, passwordField, remember, widgets.HFlex(8, outdented(back), widgets.Spacer(), in))
}

// outdented lets what is written on a button without a ground stand where the fields above it begin.
func outdented(b *widgets.Button) fyne.CanvasObject { return widgets.Pad(b, 0, 0, 0, -10) }

// askWaiting says that a known daemon is being asked, and lets the person choose another.
func (c *connect) askWaiting() {
	stop := widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { c.d.Navigate(nav.Route{Page: nav.Connect}) })
	c.show(nil, widgets.NewLabel(words.T("connect.waiting", "Daemon", c.p.Name), widgets.CardTitle), widgets.NewLabel(bare(c.p.Address), widgets.Caption), widgets.HFlex(0, widgets.Spacer(), stop))
}
