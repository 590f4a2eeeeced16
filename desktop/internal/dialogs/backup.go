package dialogs

import (
	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

// PlanChoice is one of the plans that a host can be backed up by.
type PlanChoice struct {
	ID         fleet.PlanID
	Name       string // safe for a label
	Repository string // its name, safe for a label
}

// BackUpConfig is what OpenBackUp needs.
type BackUpConfig struct {
	Canvas fyne.Canvas
	Host   string // its name, safe for a label
	Plans  []PlanChoice
	Start  func(fleet.PlanID)
}

// OpenBackUp asks by which plan a host with several is to be backed up.
func OpenBackUp(cfg BackUpConfig) *widgets.Dialog {
	chosen := 0
	labels := make([]string, len(cfg.Plans))
	for i, p := range cfg.Plans {
		labels[i] = words.T("backup.plan", "Plan", p.Name, "Repository", p.Repository)
	}
	var d *widgets.Dialog
	start := func() {
		d.Close()
		cfg.Start(cfg.Plans[chosen].ID)
	}
	radio := widgets.NewRadio(labels, 0, func(i int) { chosen = i })
	body := widgets.VFlex(14, widgets.NewParagraph(words.T("backup.which", "Host", cfg.Host), widgets.Body2), radio)
	d = widgets.NewDialog(widgets.DialogConfig{Title: words.T("backup.now"), Body: body, OnEnter: start, Buttons: []*widgets.Button{
		widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { d.Close() }),
		widgets.NewButton(widgets.Primary, icons.Play, words.T("backup.now"), start)}})
	d.Open(cfg.Canvas)
	return d
}

// RevokeConfig is what OpenRevoke needs.
type RevokeConfig struct {
	Canvas  fyne.Canvas
	Host    string // its name, safe for a label
	Running bool   // a job runs on it
	Revoke  func()
}

// OpenRevoke says what revoking a host does and does not, and asks.
func OpenRevoke(cfg RevokeConfig) *widgets.Dialog {
	text := words.T("revoke.text", "Host", cfg.Host)
	if cfg.Running {
		text += "\n\n" + words.T("revoke.running")
	}
	return widgets.Confirm(cfg.Canvas, widgets.ConfirmConfig{Title: words.T("revoke.title", "Host", cfg.Host), Text: text, Cancel: words.T("dialog.cancel"), Action: words.T("revoke.do"),
		Kind: widgets.Danger, OnYes: cfg.Revoke})
}
