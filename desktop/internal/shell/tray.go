package shell

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/words"
)

// maxProblems bounds the problems in the tray's menu.
const maxProblems = 5

// tray is the console's place among the desktop's icons, where the desktop has such a place: how the fleet is, and the last problems.
// It is never the only way back to the window.
type tray struct {
	app   desktop.App
	shown string // what the menu says, so that it is set only when that changes
}

func (s *Shell) startTray() {
	app, ok := s.cfg.App.(desktop.App)
	if !ok || s.cfg.NoTray {
		return
	}
	s.tray = &tray{app: app}
	s.updateTray() // its icon is the app's own
}

func (s *Shell) updateTray() {
	if s.tray == nil {
		return
	}
	state := s.trayState()
	problems := s.trayProblems()
	key := state
	for _, p := range problems {
		key += "\n" + p.Label
	}
	if key == s.tray.shown {
		return
	}
	s.tray.shown = key
	first := fyne.NewMenuItem(state, nil)
	first.Disabled = true
	items := append([]*fyne.MenuItem{first, fyne.NewMenuItemSeparator()}, problems...)
	if len(problems) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	items = append(items, fyne.NewMenuItem(words.T("tray.open"), s.raise))
	s.tray.app.SetSystemTrayMenu(fyne.NewMenu(words.T("app.name"), items...))
}

func (s *Shell) trayState() string {
	t := s.fleet.Totals()
	switch {
	case s.session == nil:
		return words.T("tray.signed_out")
	case s.fleet.Connection().Link != model.Live:
		return words.T("tray.no_contact")
	case t.Attention > 0:
		return words.N("tray.attention", int64(t.Attention))
	case t.Running > 0:
		return words.N("tray.running", int64(t.Running))
	}
	return words.T("tray.well")
}

func (s *Shell) trayProblems() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	if s.session == nil {
		return nil
	}
	for _, a := range s.fleet.Attention() {
		if len(items) == maxProblems {
			break
		}
		id := a.HostID
		label := words.T("tray.problem", "Host", harmless(s.hostName(id)), "What", words.T("issue."+string(a.Worst().Kind)))
		items = append(items, fyne.NewMenuItem(label, func() {
			s.raise()
			s.Navigate(nav.Route{Page: nav.Host, ID: string(id)})
		}))
	}
	return items
}

func (s *Shell) raise() {
	s.cfg.Window.Show()
	s.cfg.Window.RequestFocus()
}
