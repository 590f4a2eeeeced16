package pages

import (
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

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
	check := func() (*widgets.Field, func(context.Context) error) {
		nameField.SetError("")
		passwordField.SetError("")
		r := api.UserRequest{Name: strings.TrimSpace(name.Text()), Password: password.Text(), Role: role()}
		switch {
		case r.Name == "":
			nameField.SetError(words.T("access.name_missing"))
			return nil, nil
		case len([]rune(r.Password)) < minPassword:
			passwordField.SetError(words.T("access.password_short"))
			return nil, nil
		}
		return nameField, func(ctx context.Context) error {
			_, err := p.d.Daemon.CreateUser(ctx, r)
			return err
		}
	}
	newForm(p.ctx, p.d, formConfig{title: words.T("access.add.users"), action: words.T("access.add.users"), fields: []fyne.CanvasObject{nameField, passwordField, roleField},
		entries: []*widgets.TextEntry{name, password}, check: check, done: p.users.reload})
}

// Lives of tokens that are offered.
var tokenLives = [...]time.Duration{0, 30 * 24 * time.Hour, 365 * 24 * time.Hour}

func (p *access) addToken() {
	name := widgets.NewEntry(words.T("access.token_name_hint"), nil)
	nameField := widgets.NewField(words.T("access.col.name"), name, "")
	roleField, role := p.roleChoice(fleet.RoleViewer)
	life := 1
	lives := widgets.NewSegmented([]string{words.T("access.no_end"), words.T("access.days_30"), words.T("access.days_365")}, life, func(i int) { life = i })
	lifeField := widgets.NewField(words.T("access.valid_for"), widgets.HFlex(0, lives, widgets.Spacer()), "")
	var made api.Token
	check := func() (*widgets.Field, func(context.Context) error) {
		nameField.SetError("")
		r := api.TokenRequest{Name: strings.TrimSpace(name.Text()), Role: role(), ValidForMS: tokenLives[life].Milliseconds()}
		if r.Name == "" {
			nameField.SetError(words.T("access.name_missing"))
			return nil, nil
		}
		return nameField, func(ctx context.Context) (err error) {
			made, err = p.d.Daemon.CreateToken(ctx, r)
			return err
		}
	}
	newForm(p.ctx, p.d, formConfig{title: words.T("access.add.tokens"), action: words.T("access.add.tokens"), fields: []fyne.CanvasObject{nameField, roleField, lifeField},
		entries: []*widgets.TextEntry{name}, check: check, done: func() {
			p.tokens.reload()
			p.showToken(made)
		}})
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
