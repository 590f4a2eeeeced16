package pages

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
)

// formConfig says what a form asks.
type formConfig struct {
	title   string
	action  string // on the button that sends
	fields  []fyne.CanvasObject
	entries []*widgets.TextEntry // of the fields: Enter in any of them sends, the first has the keyboard
	// check looks at what was filled in and gives what sends it, and the field that says why it was refused. It gives nil where
	// something is to be mended first, and the field there says so.
	check func() (*widgets.Field, func(context.Context) error)
	done  func() // it was taken
}

// newForm opens a dialog that asks and sends. It stays open until the daemon has taken what it sent.
func newForm(ctx context.Context, d *Deps, cfg formConfig) *widgets.Dialog {
	var dialog *widgets.Dialog
	var ok *widgets.Button
	do := func() {
		field, send := cfg.check()
		if send == nil {
			return
		}
		ok.SetBusy(true)
		feed.Do(ctx, d.Calls, send, func(err error) {
			ok.SetBusy(false)
			if err != nil {
				_, why := words.Error(err)
				field.SetError(why)
				return
			}
			dialog.Close()
			cfg.done()
		})
	}
	ok = widgets.NewButton(widgets.Primary, icons.Check, cfg.action, do)
	for _, e := range cfg.entries {
		e.OnSubmit(func(string) { do() })
	}
	dialog = widgets.NewDialog(widgets.DialogConfig{Title: cfg.title, Body: widgets.VFlex(16, cfg.fields...), Focus: cfg.entries[0],
		Buttons: []*widgets.Button{widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { dialog.Close() }), ok}})
	dialog.Open(d.Window.Canvas())
	return dialog
}
