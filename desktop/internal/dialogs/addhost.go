package dialogs

import (
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// AddHostConfig is what OpenAddHost needs.
type AddHostConfig struct {
	Canvas fyne.Canvas
	Fleet  *model.Fleet
	Again  fleet.HostID // a known host that enrols anew; "": a new one
	Now    func() time.Time
	Create func(done func(api.EnrolmentToken, error)) // makes an enrolment token
	Copy   func(text string)
	Open   func(fleet.HostID) // shows a host that has arrived
	// OnClose says that the dialog is gone.
	OnClose func()
}

// AddHost gives the command that enrols a host, and waits for the host to arrive.
type AddHost struct {
	cfg    AddHostConfig
	dialog *widgets.Dialog
	main   *widgets.Button // copies the command; opens the host once it is there

	command *fyne.Container
	expiry  *widgets.Label
	arrival *fyne.Container

	token   *api.EnrolmentToken // nil: not here yet
	expired bool
	copied  time.Time
	before  map[fleet.HostID]fleet.AgentID // the agents that were known when the dialog was opened
	arrived fleet.HostID                   // the newest; "": none yet
	facts   string                         // what is said of it
}

const addHostWidth = 600

// OpenAddHost opens the dialog and asks for a token at once.
func OpenAddHost(cfg AddHostConfig) *AddHost {
	a := &AddHost{cfg: cfg, before: map[fleet.HostID]fleet.AgentID{}, command: widgets.VFlex(10), arrival: widgets.VFlex(8), expiry: widgets.NewLabel("", widgets.Caption2)}
	for _, h := range cfg.Fleet.Hosts() {
		a.before[h.ID] = h.AgentID
	}
	title, text := words.T("addhost.title"), words.T("addhost.text")
	if h := cfg.Fleet.Host(cfg.Again); h != nil {
		name := plaintext.Field(h.Name)
		title, text = words.T("addhost.again", "Host", name), words.T("addhost.again_text", "Host", name)
	}
	a.main = widgets.NewButton(widgets.Primary, icons.Copy, words.T("addhost.copy"), a.copy)
	done := widgets.NewButton(widgets.Secondary, "", words.T("dialog.close"), a.Close)
	body := widgets.VFlex(14, widgets.NewParagraph(text, widgets.Body2), a.command, widgets.Divider(), a.arrival)
	a.dialog = widgets.NewDialog(widgets.DialogConfig{Title: title, Body: body, Buttons: []*widgets.Button{done, a.main}, Width: addHostWidth, OnEnter: a.enter, OnClose: cfg.OnClose})
	a.showWaiting()
	a.create()
	a.dialog.Open(cfg.Canvas)
	return a
}

// Close takes the dialog away. A token that nobody used ends by itself.
func (a *AddHost) Close() { a.dialog.Close() }

func (a *AddHost) create() {
	a.token, a.expired = nil, false
	a.main.SetEnabled(false)
	widgets.SetChildren(a.command, box(widgets.SkeletonLines(2)))
	if a.dialog.IsOpen() { // the button that was pressed is gone, and with it what has the keyboard
		a.cfg.Canvas.Focus(a.dialog)
	}
	a.cfg.Create(func(t api.EnrolmentToken, err error) {
		if err != nil {
			title, why := words.Error(err)
			widgets.SetChildren(a.command, widgets.NewBanner(widgets.Error, title, why, widgets.NewButton(widgets.Secondary, icons.Refresh, words.T("addhost.retry"), a.create)))
			return
		}
		a.token = &t
		a.main.SetEnabled(true)
		a.showCommand()
	})
}

func box(o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Backdrop(theme.Raised, theme.RadiusControl, widgets.Pad(o, 12, 12, 12, 14))
}

func (a *AddHost) showCommand() {
	command := widgets.NewParagraph(plaintext.Field(a.token.Command), widgets.Mono)
	widgets.SetChildren(a.command, box(command), widgets.HFlex(6, widgets.NewIcon(icons.Clock, theme.Text3, 14), widgets.Grow(a.expiry, 1)))
	a.Tick(a.cfg.Now())
}

func (a *AddHost) copy() {
	if a.token == nil || a.expired {
		return
	}
	a.cfg.Copy(a.token.Command)
	a.copied = a.cfg.Now()
	a.main.SetIcon(icons.Check)
	a.main.SetLabel(words.T("addhost.copied"))
}

// copiedFor is how long the button says that the command was copied.
const copiedFor = 2 * time.Second

// enter does what the main button does.
func (a *AddHost) enter() {
	if a.arrived != "" {
		a.open()
		return
	}
	a.copy()
}

func (a *AddHost) open() {
	id := a.arrived
	a.Close()
	a.cfg.Open(id)
}

// Tick says how long the command works still.
func (a *AddHost) Tick(now time.Time) {
	if !a.copied.IsZero() && now.Sub(a.copied) >= copiedFor && a.arrived == "" {
		a.copied = time.Time{}
		a.main.SetIcon(icons.Copy)
		a.main.SetLabel(words.T("addhost.copy"))
	}
	if a.token == nil || a.expired {
		return
	}
	left := a.token.ExpiresAt.Sub(now)
	if left > 0 {
		a.expiry.Set(words.T("addhost.expires", "Time", words.Moment(a.token.ExpiresAt, now), "Left", words.Span(left)))
		return
	}
	a.expired = true
	if a.arrived == "" {
		a.main.SetEnabled(false)
	}
	widgets.SetChildren(a.command, widgets.NewBanner(widgets.Warn, words.T("addhost.expired"), words.T("addhost.expired_text"),
		widgets.NewButton(widgets.Secondary, icons.Refresh, words.T("addhost.new_command"), a.create)))
}

// Update looks for a host that has arrived.
func (a *AddHost) Update(c model.Change) {
	if !c.Rows() {
		return
	}
	for _, h := range a.cfg.Fleet.Hosts() {
		agent, known := a.before[h.ID]
		switch {
		case h.RevokedAt != nil, known && agent == h.AgentID, a.cfg.Again != "" && h.ID != a.cfg.Again:
			continue
		}
		a.before[h.ID] = h.AgentID
		a.arrived, a.facts = h.ID, ""
	}
	if h := a.cfg.Fleet.Host(a.arrived); h != nil {
		a.showArrived(h)
	}
}

func (a *AddHost) showWaiting() {
	widgets.SetChildren(a.arrival, widgets.HFlex(10, widgets.NewToneTile(icons.Loader, widgets.Running), widgets.Grow(
		widgets.VFlex(1, widgets.NewLabel(words.T("addhost.waiting"), widgets.BodyMedium), widgets.NewLabel(words.T("addhost.waiting_text"), widgets.Caption2)), 1)))
}

func (a *AddHost) showArrived(h *fleet.Host) {
	name := plaintext.Field(h.Name)
	facts := words.T("addhost.facts", "System", words.System(plaintext.Field(h.OS)), "Arch", plaintext.Field(h.Arch), "Agent", plaintext.Field(h.AgentVersion))
	if facts+name == a.facts {
		return
	}
	a.facts = facts + name
	widgets.SetChildren(a.arrival, widgets.NewBanner(widgets.Ok, words.T("addhost.arrived", "Host", name), facts, nil))
	a.main.SetIcon(icons.ArrowRight)
	a.main.SetLabel(words.T("addhost.open"))
	a.main.SetOnTap(a.open)
	a.main.SetEnabled(true)
}
