package pages

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/buildinfo"
)

// settingsWidth keeps the settings' lines short enough to read.
const settingsWidth = 720

// settings is what a person chooses for this computer: look, language, notifications; and who is signed in where.
type settings struct {
	base
	d      *Deps
	root   fyne.CanvasObject
	scroll *widgets.Scroll
	daemon *fyne.Container
}

func newSettings(_ context.Context, d *Deps, _ nav.Route, state any) Page {
	s := &settings{d: d, daemon: widgets.VFlex(0)}
	s.showDaemon()
	column := widgets.VFlex(theme.Gap, s.look(), s.notifications(), s.daemon, s.about())
	s.scroll = widgets.NewScroll(widgets.Pad(widgets.MaxWidth(column, settingsWidth), theme.PagePadY, theme.PagePadX, theme.PagePadY, theme.PagePadX))
	if at, ok := state.(float32); ok {
		s.scroll.SetOffset(at)
	}
	s.root = s.scroll
	return s
}

func (s *settings) Content() fyne.CanvasObject { return s.root }
func (s *settings) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.settings")}} }
func (s *settings) State() any                 { return s.scroll.Offset() }

func (s *settings) Update(c model.Change) {
	if c.Identity || c.Connection {
		s.showDaemon()
	}
}

// option is one of the answers to a question of the settings.
type option struct{ value, label string }

// choose makes a question with a few answers.
func choose(title, help string, options []option, now string, chosen func(string)) fyne.CanvasObject {
	labels := make([]string, len(options))
	at := 0
	for i, o := range options {
		labels[i] = o.label
		if o.value == now {
			at = i
		}
	}
	control := widgets.NewSegmented(labels, at, func(i int) { chosen(options[i].value) })
	return question(title, help, control)
}

// question is a row of the settings: what it is about at the left, the answer at the right.
func question(title, help string, control fyne.CanvasObject) fyne.CanvasObject {
	return widgets.HFlex(20, widgets.Grow(widgets.VFlex(2, widgets.NewLabel(title, widgets.BodyMedium), widgets.NewParagraph(help, widgets.Caption)), 1), control)
}

func (s *settings) look() fyne.CanvasObject {
	p := s.d.Prefs.Get()
	restyle := func(change func(*prefs.Data)) {
		s.d.Prefs.Change(change)
		s.d.Restyle()
	}
	languages := []option{{"", words.T("settings.language_system")}}
	for _, l := range words.Languages() {
		languages = append(languages, option{l, words.T("settings.language." + l)})
	}
	return widgets.CardWith(words.T("settings.look"), "", nil, widgets.VFlex(18,
		choose(words.T("settings.theme"), words.T("settings.theme_help"), []option{{"", words.T("settings.theme_system")}, {string(theme.Light), words.T("settings.theme_light")}, {string(theme.Dark), words.T("settings.theme_dark")}},
			p.Theme, func(v string) { restyle(func(d *prefs.Data) { d.Theme = v }) }),
		choose(words.T("settings.density"), words.T("settings.density_help"), []option{{"", words.T("settings.density_comfortable")}, {string(theme.Compact), words.T("settings.density_compact")}},
			p.Density, func(v string) { restyle(func(d *prefs.Data) { d.Density = v }) }),
		choose(words.T("settings.language"), words.T("settings.language_help"), languages, p.Language, func(v string) { restyle(func(d *prefs.Data) { d.Language = v }) }),
	))
}

func (s *settings) notifications() fyne.CanvasObject {
	now := "on"
	if s.d.Prefs.Get().Quiet {
		now = "off"
	}
	return widgets.CardWith(words.T("settings.notifications"), "", nil, choose(words.T("settings.failures"), words.T("settings.failures_help"),
		[]option{{"on", words.T("settings.on")}, {"off", words.T("settings.off")}}, now, func(v string) { s.d.Prefs.Change(func(d *prefs.Data) { d.Quiet = v == "off" }) }))
}

// showDaemon shows where one is signed in, and as whom.
func (s *settings) showDaemon() {
	id := s.d.Fleet.Identity()
	address := ""
	if s.d.Daemon != nil {
		address = s.d.Daemon.Address()
	}
	p, _ := s.d.Prefs.Profile(address)
	rows := []widgets.KV{{Key: words.T("settings.address"), Value: address}, {Key: words.T("settings.version"), Value: id.Daemon.Version}, {Key: words.T("settings.pin"), Object: widgets.NewLabel(p.Pin, widgets.Mono)},
		{Key: words.T("settings.user"), Value: id.User}}
	if id.Role != "" {
		rows = append(rows, widgets.KV{Key: words.T("settings.role"), Value: words.Role(id.Role)})
	}
	if id.ExpiresAt != nil {
		rows = append(rows, widgets.KV{Key: words.T("settings.session"), Value: words.T("settings.session_until", "Time", words.Moment(*id.ExpiresAt, s.d.Now()))})
	}
	out := widgets.NewButton(widgets.Secondary, icons.LogOut, words.T("shell.sign_out"), s.d.Gate.SignOut)
	widgets.SetChildren(s.daemon, widgets.CardWith(words.T("settings.daemon"), "", nil, widgets.VFlex(16, widgets.NewKeyValues(rows...), widgets.HFlex(0, out, widgets.Spacer()))))
}

func (s *settings) about() fyne.CanvasObject {
	return widgets.CardWith(words.T("settings.about"), "", nil, widgets.VFlex(10,
		widgets.NewKeyValues(widgets.KV{Key: words.T("settings.console"), Value: buildinfo.Version()}),
		widgets.NewParagraph(words.T("settings.about_text"), widgets.Body2)))
}
