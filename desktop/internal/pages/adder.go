package pages

import (
	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

// adder is a page's button to add something, in the top bar or on its empty face, for those who may.
type adder struct {
	d     *Deps
	need  fleet.Role
	label string
	do    func()
	box   *fyne.Container // for the top bar
	shown bool
}

func newAdder(d *Deps, need fleet.Role, label string, do func()) *adder {
	return &adder{d: d, need: need, label: label, do: do, box: widgets.Slot()}
}

func (a *adder) may() bool { return a.d.Fleet.May(a.need) }

func (a *adder) button() *widgets.Button {
	return widgets.NewButton(widgets.Primary, icons.Plus, a.label, a.do)
}

// show shows the button in the top bar, unless the page itself offers the same: one primary button a page.
func (a *adder) show(offered bool) {
	show := a.may() && !offered
	if show == a.shown {
		return
	}
	a.shown = show
	var button fyne.CanvasObject
	if show {
		button = a.button()
	}
	widgets.FillSlot(a.box, button)
}

// empty is the face of a page that has nothing yet, with the button for those who may.
func (a *adder) empty(icon icons.Name, title, text string) fyne.CanvasObject {
	if !a.may() {
		return widgets.Empty(icon, title, text, nil)
	}
	return widgets.Empty(icon, title, text, a.button())
}

// key adds at Ctrl N.
func (a *adder) key(k Key) bool {
	if !k.Super || k.Name != fyne.KeyN || !a.may() {
		return false
	}
	a.do()
	return true
}
