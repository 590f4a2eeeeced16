package shell

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

// showDaemons opens the list of the known daemons below the sidebar's head.
func (s *Shell) showDaemons(below fyne.CanvasObject) {
	var items []widgets.MenuItem
	current := s.prefs.Get().Current
	for _, p := range s.prefs.Get().Profiles {
		items = append(items, widgets.MenuItem{Icon: icons.Host, Label: p.Name, Checked: p.Address == current, OnTap: func() {
			if p.Address != current || s.session == nil {
				gate{s}.Open(p.Address)
			}
		}})
	}
	items = append(items, widgets.MenuItem{Icon: icons.Plus, Label: words.T("shell.add_daemon"), OnTap: func() {
		s.leaveSession()
		s.showConnect("", nil)
	}})
	widgets.ShowMenu(below, items)
}

// showPerson opens what a person may do about being signed in.
func (s *Shell) showPerson(below fyne.CanvasObject) {
	widgets.ShowMenu(below, []widgets.MenuItem{
		{Icon: icons.Settings, Label: words.T("page.settings"), OnTap: func() { s.Navigate(nav.Route{Page: nav.Settings}) }},
		{Icon: icons.LogOut, Label: words.T("shell.sign_out"), OnTap: gate{s}.SignOut},
	})
}

// showWaiting shows that a daemon is being asked.
func (s *Shell) showWaiting(p prefs.Profile) {
	s.open(nav.Route{Page: nav.Connect, ID: p.Address, Tab: "waiting"}, nil)
}

// signInAgain asks for the password in place: the page stays as it is behind the dialog, and goes on afterwards.
func (s *Shell) signInAgain() {
	p, known := s.prefs.Profile(s.prefs.Get().Current)
	if !known || s.fleet.Connection().Link != model.SignedOut {
		s.showConnect(p.Address, nil)
		return
	}
	password := widgets.NewPasswordEntry("", words.T("connect.show_password"), words.T("connect.hide_password"), nil)
	field := widgets.NewField(words.T("connect.password"), password, "")
	text := widgets.NewParagraph(words.T("link.sign_in_text", "User", p.User, "Daemon", p.Name), widgets.Body2)
	var d *widgets.Dialog
	var in *widgets.Button
	try := func() {
		if password.Text() == "" {
			field.SetError(words.T("connect.password_missing"))
			return
		}
		in.SetBusy(true)
		gate{s}.SignIn(context.Background(), p, secret.New(password.Text()), s.prefs.Get().RememberLogin, func(err error) {
			in.SetBusy(false)
			_, why := words.Error(err)
			if fault.CodeOf(err) == fault.Unauthenticated {
				why = words.T("connect.wrong")
			}
			field.SetError(why)
		})
	}
	in = widgets.NewButton(widgets.Primary, "", words.T("link.sign_in"), try)
	password.OnSubmit(func(string) { try() })
	d = widgets.NewDialog(widgets.DialogConfig{Title: words.T("link.sign_in_title"), Body: widgets.VFlex(14, text, field), Focus: password,
		Buttons: []*widgets.Button{widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { d.Close() }), in}})
	s.onEnter = d.Close
	d.Open(s.cfg.Window.Canvas())
}
