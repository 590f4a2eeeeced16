package dialogs

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// RestoreRequest is what a person wants back, and where.
type RestoreRequest struct {
	Host     fleet.HostID
	Includes []string // paths in the snapshot; none means all
	Folder   string   // name of the fresh folder; "" lets the job's id be its name
}

// RestoreConfig is what OpenRestore needs.
type RestoreConfig struct {
	Canvas   fyne.Canvas
	Snapshot string // its short id
	Taken    string // when, in words
	Paths    []string
	Hosts    []*fleet.Host // that hold the repository's password
	Home     fleet.HostID  // where the snapshot is from
	Start    func(r RestoreRequest, done func(error))
}

// OpenRestore asks what is to be restored, and onto which host. A restore always goes into a fresh folder.
func OpenRestore(cfg RestoreConfig) *widgets.Dialog {
	names, at := make([]string, len(cfg.Hosts)), -1
	for i, h := range cfg.Hosts {
		names[i] = plaintext.Field(h.Name)
		if h.ID == cfg.Home || at < 0 && len(cfg.Hosts) == 1 {
			at = i
		}
	}
	where := widgets.NewLabel("", widgets.Caption)
	show := func(i int) {
		if i >= 0 {
			where.Set(words.T("restore.below", "Folder", plaintext.Field(cfg.Hosts[i].RestoreRoot)))
		}
	}
	show(at)
	host := widgets.NewSelect(words.T("repository.host_hint"), names, at, show)
	hostField := widgets.NewField(words.T("restore.host"), widgets.VFlex(5, host, where), "")
	includes := widgets.NewTextArea(words.T("restore.includes_hint"), 4, nil).Mono()
	folder := widgets.NewEntry(words.T("restore.folder_hint"), nil)
	trouble := widgets.Slot()
	body := widgets.VFlex(16, trouble, widgets.NewParagraph(words.T("restore.text", "Taken", cfg.Taken, "Paths", strings.Join(cfg.Paths, ", ")), widgets.Body2), hostField,
		widgets.NewField(words.T("restore.includes"), includes, words.T("restore.includes_help")), widgets.NewField(words.T("restore.folder"), folder, words.T("restore.folder_help")))
	var d *widgets.Dialog
	var ok *widgets.Button
	ok = widgets.NewButton(widgets.Primary, icons.Restore, words.T("snapshots.restore"), func() {
		if host.Selected() < 0 {
			hostField.SetError(words.T("restore.host_missing"))
			return
		}
		ok.SetBusy(true)
		cfg.Start(RestoreRequest{Host: cfg.Hosts[host.Selected()].ID, Includes: lines(includes.Text()), Folder: strings.TrimSpace(folder.Text())}, func(err error) {
			ok.SetBusy(false)
			if err != nil {
				title, text := words.Error(err)
				widgets.FillSlot(trouble, widgets.NewBanner(widgets.Error, title, text, nil))
				return
			}
			d.Close()
		})
	})
	cancel := widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { d.Close() })
	d = widgets.NewDialog(widgets.DialogConfig{Title: words.T("restore.title", "Snapshot", cfg.Snapshot), Body: body, Width: 560, Buttons: []*widgets.Button{cancel, ok}})
	d.Open(cfg.Canvas)
	return d
}
