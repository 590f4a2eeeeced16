package pages

import (
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// addOne opens the dialog that belongs to the open tab.
func (p *access) addOne() {
	switch p.tab {
	case tabUsers:
		p.addUser()
	case tabTokens:
		p.addToken()
	case tabAgents, tabEnrol:
		p.d.Navigate(nav.Route{Page: nav.Hosts, Tab: "add"})
	}
}

var roles = [...]fleet.Role{fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin}

// roleChoice lets a person choose one of the roles up to their own, at first the one given; get gives it.
func (p *access) roleChoice(now fleet.Role) (field fyne.CanvasObject, get func() fleet.Role) {
	var names []string
	var may []fleet.Role
	for _, r := range roles {
		if p.d.Fleet.May(r) {
			names, may = append(names, words.T("access.role."+string(r))), append(may, r)
		}
	}
	chosen := max(slices.Index(may, now), 0)
	radio := widgets.NewRadio(names, chosen, func(i int) { chosen = i })
	return widgets.NewField(words.T("access.col.role"), radio, ""), func() fleet.Role { return may[chosen] }
}

// minPassword is what the daemon asks of a password, in characters.
const minPassword = 10

func (p *access) addUser() {
	name, password := widgets.NewEntry("", nil), newPassword()
	nameField, passwordField := widgets.NewField(words.T("access.col.name"), name, ""), widgets.NewField(words.T("connect.password"), password, words.T("access.password_hint"))
	roleField, role := p.roleChoice(fleet.RoleViewer)
	var d *widgets.Dialog
	var ok *widgets.Button
	do := func() {
		nameField.SetError("")
		passwordField.SetError("")
		switch {
		case strings.TrimSpace(name.Text()) == "":
			nameField.SetError(words.T("access.name_missing"))
			return
		case len([]rune(password.Text())) < minPassword:
			passwordField.SetError(words.T("access.password_short"))
			return
		}
		r := api.UserRequest{Name: strings.TrimSpace(name.Text()), Password: password.Text(), Role: role()}
		ok.SetBusy(true)
		feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (api.User, error) { return p.d.Daemon.CreateUser(ctx, r) }, func(_ api.User, err error) {
			ok.SetBusy(false)
			if err != nil {
				_, why := words.Error(err)
				nameField.SetError(why)
				return
			}
			d.Close()
			p.users.reload()
		})
	}
	ok = widgets.NewButton(widgets.Primary, "", words.T("access.add.users"), do)
	password.OnSubmit(func(string) { do() })
	d = widgets.NewDialog(widgets.DialogConfig{Title: words.T("access.add.users"), Body: widgets.VFlex(16, nameField, passwordField, roleField), Focus: name,
		Buttons: []*widgets.Button{widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { d.Close() }), ok}})
	d.Open(p.d.Window.Canvas())
}

// Lives of tokens that are offered.
var tokenLives = [...]time.Duration{0, 30 * 24 * time.Hour, 365 * 24 * time.Hour}

func (p *access) addToken() {
	name := widgets.NewEntry(words.T("access.token_name_hint"), nil)
	nameField := widgets.NewField(words.T("access.col.name"), name, "")
	roleField, role := p.roleChoice(fleet.RoleViewer)
	life := 1
	lives := widgets.NewSegmented([]string{words.T("access.no_end"), words.T("access.days_30"), words.T("access.days_365")}, life, func(i int) { life = i })
	var d *widgets.Dialog
	var ok *widgets.Button
	do := func() {
		nameField.SetError("")
		if strings.TrimSpace(name.Text()) == "" {
			nameField.SetError(words.T("access.name_missing"))
			return
		}
		r := api.TokenRequest{Name: strings.TrimSpace(name.Text()), Role: role(), ValidForMS: tokenLives[life].Milliseconds()}
		ok.SetBusy(true)
		feed.Call(p.ctx, p.d.Calls, func(ctx context.Context) (api.Token, error) { return p.d.Daemon.CreateToken(ctx, r) }, func(t api.Token, err error) {
			ok.SetBusy(false)
			if err != nil {
				_, why := words.Error(err)
				nameField.SetError(why)
				return
			}
			d.Close()
			p.tokens.reload()
			p.showToken(t)
		})
	}
	ok = widgets.NewButton(widgets.Primary, "", words.T("access.add.tokens"), do)
	name.OnSubmit(func(string) { do() })
	body := widgets.VFlex(16, nameField, roleField, widgets.NewField(words.T("access.valid_for"), widgets.HFlex(0, lives, widgets.Spacer()), ""))
	d = widgets.NewDialog(widgets.DialogConfig{Title: words.T("access.add.tokens"), Body: body, Focus: name,
		Buttons: []*widgets.Button{widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { d.Close() }), ok}})
	d.Open(p.d.Window.Canvas())
}

// showToken shows a new token's secret, which nobody can show again.
func (p *access) showToken(t api.Token) {
	text := widgets.Backdrop(theme.Raised, theme.RadiusControl, widgets.PadAll(widgets.NewParagraph(t.Secret, widgets.Mono), 12))
	var d *widgets.Dialog
	take := widgets.NewButton(widgets.Primary, icons.Copy, words.T("access.copy_token"), func() {
		p.d.Copy(t.Secret)
		p.d.Toast(widgets.Ok, words.T("log.copied"), "")
	})
	done := widgets.NewButton(widgets.Secondary, "", words.T("dialog.done"), func() { d.Close() })
	d = widgets.NewDialog(widgets.DialogConfig{Title: words.T("access.token_title", "Name", t.Name), Width: 520, Body: widgets.VFlex(14, widgets.NewParagraph(words.T("access.token_text"), widgets.Body2), text),
		Buttons: []*widgets.Button{done, take}})
	d.Open(p.d.Window.Canvas())
}
