package shell

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/pages"
	"github.com/backstay/backstay/desktop/internal/widgets"
)

// sections are reached by Ctrl or ⌘ and a digit, in the sidebar's order.
var sections = [...]nav.Name{nav.Overview, nav.Hosts, nav.Jobs, nav.Snapshots, nav.Plans, nav.Repositories, nav.Access, nav.Settings}

// listenToKeys takes what nothing focused wanted.
func (s *Shell) listenToKeys() {
	c := s.cfg.Window.Canvas()
	add := func(key fyne.KeyName, mod fyne.KeyModifier, do func()) {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: mod}, func(fyne.Shortcut) { do() })
	}
	add(fyne.KeyK, fyne.KeyModifierShortcutDefault, s.showPalette)
	for i, page := range sections {
		add(fyne.KeyName(rune('1'+i)), fyne.KeyModifierShortcutDefault, func() { s.Navigate(nav.Route{Page: page}) })
	}
	add(fyne.KeyLeft, fyne.KeyModifierAlt, s.Back)
	for _, key := range []fyne.KeyName{fyne.KeyF, fyne.KeyR, fyne.KeyS, fyne.KeyN, fyne.KeyG} {
		add(key, fyne.KeyModifierShortcutDefault, func() { s.pageKey(pages.Key{Name: key, Super: true}) })
	}
	c.AddShortcut(&fyne.ShortcutCopy{}, func(fyne.Shortcut) { s.pageKey(pages.Key{Name: fyne.KeyC, Super: true}) })
	c.AddShortcut(&fyne.ShortcutSelectAll{}, func(fyne.Shortcut) { s.pageKey(pages.Key{Name: fyne.KeyA, Super: true}) })
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyEscape && widgets.Escape(c) {
			return
		}
		if s.pageKey(pages.Key{Name: e.Name}) {
			return
		}
		if e.Name == fyne.KeyEscape && s.route.Page != nav.Connect {
			s.Back()
		}
	})
}

func (s *Shell) pageKey(k pages.Key) bool { return s.page != nil && s.page.Key(k) }
