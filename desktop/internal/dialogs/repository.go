package dialogs

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
	"github.com/backstay/backstay/shared/secret"
)

// RepositoryRequest is what a person filled in.
type RepositoryRequest struct {
	Repository  api.RepositoryRequest
	Host        *fleet.Host        // that is given the password, and tests it; nil when no password was typed
	Credentials secret.Credentials // for Host
	Keep        bool               // also in the keyring of this computer
	Create      bool               // create the repository at its place
}

// RepositoryConfig is what OpenRepository needs.
type RepositoryConfig struct {
	Canvas       fyne.Canvas
	Repository   *fleet.Repository // nil: a new one
	Hosts        []*fleet.Host     // that may be given the password
	PasswordOnly bool              // of a known repository: give its password to a host
	MayEdit      bool              // else it can only be looked at
	// Save does it all, tells how it goes on, and ends with done.
	Save   func(r RepositoryRequest, step func(string), done func(error))
	Delete func() // nil: cannot be deleted
}

// repository is the dialog of a repository: where it is, and the password that a host is given.
type repository struct {
	cfg    RepositoryConfig
	dialog *widgets.Dialog
	ok     *widgets.Button
	step   *widgets.Label

	name, url, caCert, password, user, userPassword *widgets.TextEntry
	nameField, urlField, hostField, passwordField   *widgets.Field
	host                                            *widgets.Select
	access                                          *fyne.Container // credentials of the backend, by its scheme
	keep, create                                    *widgets.Checkbox
	trouble                                         *fyne.Container
}

const repositoryWidth = 580

// OpenRepository opens the dialog.
func OpenRepository(cfg RepositoryConfig) *widgets.Dialog {
	d := &repository{cfg: cfg, trouble: widgets.Slot(), access: widgets.Slot(), step: widgets.NewLabel("", widgets.Caption)}
	was := fleet.Repository{}
	title := words.T("repository.new")
	if cfg.Repository != nil {
		was = *cfg.Repository
		title = words.T("repository.edit", "Repository", plaintext.Field(was.Name))
	}
	if cfg.PasswordOnly {
		title = words.T("repository.give_password", "Repository", plaintext.Field(was.Name))
	}
	d.makeFields(was)
	cancel := widgets.NewButton(widgets.Secondary, "", words.T("dialog.cancel"), func() { d.dialog.Close() })
	d.ok = widgets.NewButton(widgets.Primary, "", words.T("repository.save"), d.save)
	left := fyne.CanvasObject(d.step)
	if cfg.Delete != nil && !cfg.PasswordOnly {
		left = widgets.NewButton(widgets.Danger, icons.Trash, words.T("repository.delete"), func() {
			d.dialog.Close()
			cfg.Delete()
		})
	}
	focus := d.name
	if cfg.PasswordOnly {
		focus = d.password
	}
	buttons := []*widgets.Button{cancel, d.ok}
	if !cfg.MayEdit {
		cancel.SetLabel(words.T("dialog.close"))
		left, focus, buttons = nil, nil, buttons[:1]
	}
	d.dialog = widgets.NewDialog(widgets.DialogConfig{Title: title, Body: d.body(), Width: repositoryWidth, Left: left, Buttons: buttons, Focus: focus})
	d.dialog.Open(cfg.Canvas)
	return d.dialog
}

func password() *widgets.TextEntry {
	return widgets.NewPasswordEntry("", words.T("connect.show_password"), words.T("connect.hide_password"), nil)
}

func (d *repository) makeFields(was fleet.Repository) {
	d.name, d.url, d.caCert = widgets.NewEntry(words.T("repository.name_hint"), nil), widgets.NewEntry("rest:https://backup.example/offsite/", func(string) { d.showAccess() }), widgets.NewTextArea("", 3, nil).Mono()
	d.password, d.user, d.userPassword = password(), widgets.NewEntry("", nil), password()
	d.name.SetText(was.Name)
	d.url.Mono().SetText(was.URL)
	d.caCert.SetText(was.CACert)
	d.nameField = widgets.NewField(words.T("repository.name"), d.name, "")
	d.urlField = widgets.NewField(words.T("repository.url"), d.url, words.T("repository.url_help"))
	names := make([]string, len(d.cfg.Hosts))
	at := -1
	for i, h := range d.cfg.Hosts {
		names[i] = plaintext.Field(h.Name)
		if h.Online && at < 0 {
			at = i
		}
	}
	d.host = widgets.NewSelect(words.T("repository.host_hint"), names, at, nil)
	d.hostField = widgets.NewField(words.T("repository.host"), d.host, words.T("repository.host_help"))
	help := words.T("repository.password_help")
	if d.cfg.Repository != nil && !d.cfg.PasswordOnly {
		help = words.T("repository.password_unchanged")
	}
	d.passwordField = widgets.NewField(words.T("repository.password"), d.password, help)
	d.keep = widgets.NewCheckbox(words.T("repository.keep"), false, nil)
	d.create = widgets.NewCheckbox(words.T("repository.create"), false, nil)
	d.showAccess()
}

func (d *repository) body() fyne.CanvasObject {
	secretPart := []fyne.CanvasObject{d.hostField, d.passwordField, d.access, d.keep}
	if d.cfg.PasswordOnly {
		return widgets.VFlex(16, append([]fyne.CanvasObject{d.trouble}, secretPart...)...)
	}
	parts := []fyne.CanvasObject{d.trouble, d.nameField, d.urlField, widgets.NewField(words.T("repository.ca_cert"), d.caCert, words.T("repository.ca_cert_help"))}
	if !d.cfg.MayEdit {
		for _, e := range []*widgets.TextEntry{d.name, d.url, d.caCert} {
			e.SetEnabled(false)
		}
		widgets.FillSlot(d.trouble, widgets.NewBanner(widgets.Muted, words.T("dialog.look_only"), words.T("dialog.ask_operator"), nil))
		return widgets.VFlex(16, parts...)
	}
	parts = append(parts, widgets.Divider())
	parts = append(parts, secretPart...)
	if d.cfg.Repository == nil {
		parts = append(parts, d.create)
	}
	return widgets.VFlex(16, parts...)
}

// scheme of what stands in the field, or "" while it is none.
func (d *repository) scheme() fleet.RepositoryScheme {
	u, err := fleet.ParseRepositoryURL(strings.TrimSpace(d.url.Text()))
	if err != nil {
		return ""
	}
	return u.Scheme
}

// showAccess shows what the backend asks for besides the password.
func (d *repository) showAccess() {
	switch d.scheme() {
	case fleet.SchemeREST:
		widgets.FillSlot(d.access, widgets.VFlex(16, widgets.NewField(words.T("repository.rest_user"), d.user, ""), widgets.NewField(words.T("repository.rest_password"), d.userPassword, "")))
	case fleet.SchemeS3:
		widgets.FillSlot(d.access, widgets.VFlex(16, widgets.NewField(words.T("repository.s3_key"), d.user, ""), widgets.NewField(words.T("repository.s3_secret"), d.userPassword, "")))
	default:
		widgets.FillSlot(d.access, nil)
	}
}

// request checks what was filled in; ok is false where something is missing, and the field says so.
func (d *repository) request() (r RepositoryRequest, ok bool) {
	ok = true
	wrong := func(f *widgets.Field, text string) {
		f.SetError(text)
		ok = ok && text == ""
	}
	r.Repository = api.RepositoryRequest{Name: strings.TrimSpace(d.name.Text()), URL: strings.TrimSpace(d.url.Text()), CACert: strings.TrimSpace(d.caCert.Text())}
	if r.Repository.CACert != "" {
		r.Repository.CACert += "\n"
	}
	if d.cfg.Repository != nil {
		r.Repository.Options = d.cfg.Repository.Options
	}
	r.Keep, r.Create = d.keep.Checked(), d.create.Checked()
	nameWrong, urlWrong := "", ""
	if r.Repository.Name == "" {
		nameWrong = words.T("repository.name_missing")
	}
	if _, err := fleet.ParseRepositoryURL(r.Repository.URL); err != nil {
		_, urlWrong = words.Error(err)
	}
	wrong(d.nameField, nameWrong)
	wrong(d.urlField, urlWrong)
	hostWrong, passwordWrong := "", ""
	if d.password.Text() == "" && (d.cfg.Repository == nil || d.cfg.PasswordOnly) {
		passwordWrong = words.T("repository.password_missing")
	}
	if d.password.Text() != "" || passwordWrong != "" {
		if at := d.host.Selected(); at >= 0 {
			r.Host = d.cfg.Hosts[at]
		} else {
			hostWrong = words.T("repository.host_missing")
		}
		r.Credentials = d.credentials()
	}
	wrong(d.hostField, hostWrong)
	wrong(d.passwordField, passwordWrong)
	return r, ok
}

func (d *repository) credentials() secret.Credentials {
	c := secret.Credentials{Password: secret.New(d.password.Text())}
	if strings.TrimSpace(d.user.Text()) == "" {
		return c
	}
	switch d.scheme() {
	case fleet.SchemeREST:
		c.REST = &secret.RESTCredentials{User: strings.TrimSpace(d.user.Text()), Password: secret.New(d.userPassword.Text())}
	case fleet.SchemeS3:
		c.S3 = &secret.S3Credentials{AccessKeyID: strings.TrimSpace(d.user.Text()), SecretAccessKey: secret.New(d.userPassword.Text())}
	}
	return c
}

func (d *repository) save() {
	r, ok := d.request()
	if !ok {
		return
	}
	d.ok.SetBusy(true)
	d.dialog.SetFixed(true)
	widgets.FillSlot(d.trouble, nil)
	d.cfg.Save(r, d.step.Set, func(err error) {
		d.ok.SetBusy(false)
		d.dialog.SetFixed(false)
		d.step.Set("")
		if err != nil {
			title, text := words.Error(err)
			widgets.FillSlot(d.trouble, widgets.NewBanner(widgets.Error, title, text, nil))
			return
		}
		d.dialog.Close()
	})
}
