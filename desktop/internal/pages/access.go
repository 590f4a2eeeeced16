package pages

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// Tabs of the access page.
const (
	tabUsers  = "users"
	tabAgents = "agents"
	tabTokens = "tokens"
	tabEnrol  = "enrolment"
	tabAudit  = "audit"
)

// accessTabs are the tabs that a person may read: users and tokens are an administrator's matter.
func accessTabs(admin bool) []string {
	if admin {
		return []string{tabUsers, tabAgents, tabEnrol, tabTokens, tabAudit}
	}
	return []string{tabAgents, tabAudit}
}

// access is who may do what: people, enrolled agents, tokens of scripts, and what was changed by whom.
type access struct {
	base
	ctx    context.Context
	d      *Deps
	wanted string // the tab that was asked for; it is not there for everybody
	tab    string // the one that is shown
	root   *fyne.Container
	room   *fyne.Container
	add    *widgets.Button

	users  *listing[api.User]
	agents *listing[*fleet.Host]
	tokens *listing[api.Token]
	audit  *listing[api.AuditRow]

	enrolment *listing[api.Enrolment]
}

func newAccess(ctx context.Context, d *Deps, r nav.Route, state any) Page {
	p := &access{ctx: ctx, d: d, wanted: r.Tab, root: widgets.VFlex(0), room: widgets.VFlex(0)}
	if s, ok := state.(string); ok {
		p.wanted = s
	}
	p.add = widgets.NewButton(widgets.Primary, icons.Plus, "", p.addOne)
	p.build()
	return p
}

// build makes the tabs for who is signed in.
func (p *access) build() {
	p.makeListings()
	names := accessTabs(p.admin())
	labels := make([]string, len(names))
	for i, t := range names {
		labels[i] = words.T("access.tab." + t)
	}
	at := max(slices.Index(names, p.wanted), 0)
	tabs := widgets.NewTabs(labels, at, func(i int) {
		p.wanted = names[i]
		p.choose(names[i])
	})
	widgets.SetChildren(p.root, widgets.Grow(page(widgets.VFlex(theme.Gap, tabs, widgets.Grow(p.room, 1))), 1))
	p.choose(names[at])
}

func (p *access) admin() bool { return p.d.Fleet.May(fleet.RoleAdmin) }

func (p *access) Content() fyne.CanvasObject { return p.root }
func (p *access) Crumbs() []Crumb            { return []Crumb{{Text: words.T("page.access")}} }
func (p *access) State() any                 { return p.wanted }

// Actions is the own password's change, which everybody may.
func (p *access) Actions() fyne.CanvasObject {
	return widgets.NewButton(widgets.Secondary, icons.Lock, words.T("access.change_password"), p.changePassword)
}

func (p *access) Update(c model.Change) {
	switch {
	case c.Identity:
		p.build()
	case c.All || len(c.Hosts) > 0:
		p.agents.reload()
	}
}

func (p *access) Tick(time.Time) {
	switch p.tab {
	case tabAgents:
		p.agents.table.RefreshVisible()
	case tabTokens:
		p.tokens.table.RefreshVisible()
	case tabEnrol:
		p.enrolment.table.RefreshVisible()
	}
}

// choose shows a tab and reads what it lists.
func (p *access) choose(tab string) {
	p.tab = tab
	var list *fyne.Container
	switch tab {
	case tabAgents:
		list = p.agents.room
		p.agents.reload()
	case tabTokens:
		list = p.tokens.room
		p.tokens.reload()
	case tabEnrol:
		list = p.enrolment.room
		p.enrolment.reload()
	case tabAudit:
		list = p.audit.room
		p.audit.reload()
	default:
		list = p.users.room
		p.users.reload()
	}
	head := []fyne.CanvasObject{widgets.NewLabel(words.T("access.tab."+tab), widgets.CardTitle), widgets.Grow(widgets.NewLabel(words.T("access.about."+tab), widgets.Caption), 1)}
	if tab != tabAudit && p.admin() {
		p.add.SetLabel(words.T("access.add." + tab))
		head = append(head, p.add)
	}
	card := widgets.FlatCard(widgets.VFlex(0, cardHead(head...), widgets.Grow(list, 1)))
	widgets.SetChildren(p.room, widgets.Grow(card, 1))
	p.room.Refresh()
}

func (p *access) makeListings() {
	now := p.d.Now
	nothing := func(icon icons.Name, tab string) func() fyne.CanvasObject {
		return func() fyne.CanvasObject {
			return widgets.Empty(icon, words.T("access.empty."+tab), words.T("access.about."+tab), nil)
		}
	}
	users := listingConfig[api.User]{columns: []widgets.Column{{Title: words.T("access.col.name"), Width: 200, Grow: 2}, {Title: words.T("access.col.role"), Width: 160, Grow: 1}, {Title: words.T("access.col.since"), Width: 180}},
		load: p.d.Daemon.Users, id: func(u api.User) string { return string(u.ID) }, empty: nothing(icons.Users, tabUsers), tip: words.T("access.remove_user"),
		texts: func(u api.User) []string {
			return []string{plaintext.Field(u.Name), words.Role(u.Role), words.Day(u.CreatedAt, now())}
		},
		can: func(u api.User) bool { return u.Name != p.d.Fleet.Identity().User }, open: p.openUser}
	agents := listingConfig[*fleet.Host]{columns: []widgets.Column{{Title: words.T("access.col.host"), Width: 180, Grow: 2}, {Title: words.T("access.col.agent"), Width: 130}, {Title: words.T("access.col.secrets"), Width: 150, MinTable: 720},
		{Title: words.T("access.col.enrolled"), Width: 150, MinTable: 620}, {Title: words.T("access.col.seen"), Width: 150}},
		have: p.d.Fleet.Hosts, id: func(h *fleet.Host) string { return string(h.ID) }, empty: nothing(icons.Host, tabAgents), tip: words.T("access.revoke"),
		texts: func(h *fleet.Host) []string {
			return []string{plaintext.Field(h.Name), plaintext.Field(h.AgentVersion), words.SecretStore(h.SecretStore), words.Day(h.EnrolledAt, now()), seenWords(h, now())}
		},
		can:  func(h *fleet.Host) bool { return h.RevokedAt == nil },
		open: func(h *fleet.Host) { p.d.Navigate(nav.Route{Page: nav.Host, ID: string(h.ID)}) }}
	tokens := listingConfig[api.Token]{columns: []widgets.Column{{Title: words.T("access.col.name"), Width: 180, Grow: 2}, {Title: words.T("access.col.role"), Width: 130}, {Title: words.T("access.col.by"), Width: 120, Grow: 1, MinTable: 640},
		{Title: words.T("access.col.expires"), Width: 160}, {Title: words.T("access.col.used"), Width: 140, MinTable: 720}},
		load: p.d.Daemon.Tokens, id: func(t api.Token) string { return t.ID }, empty: nothing(icons.Access, tabTokens), tip: words.T("access.revoke"), remove: p.removeToken,
		texts: func(t api.Token) []string {
			expires := words.T("access.no_end")
			if t.ExpiresAt != nil {
				expires = words.Moment(*t.ExpiresAt, now())
			}
			return []string{plaintext.Field(t.Name), words.Role(t.Role), plaintext.Field(t.CreatedBy), expires, words.Ago(t.LastUsedAt, now())}
		}}
	if p.admin() {
		users.remove, agents.remove = p.removeUser, p.revokeAgent
	}
	p.users, p.tokens, p.audit = newListing(p.ctx, p.d, users), newListing(p.ctx, p.d, tokens), newListing(p.ctx, p.d, p.auditLog(nothing(icons.ScrollText, tabAudit)))
	p.agents = newListing(p.ctx, p.d, agents)
	p.enrolment = newListing(p.ctx, p.d, p.enrolmentTokens(nothing(icons.Access, tabEnrol)))
}

func seenWords(h *fleet.Host, now time.Time) string {
	switch {
	case h.RevokedAt != nil:
		return words.T("access.revoked")
	case h.Online:
		return words.T("access.online")
	}
	return words.Ago(h.LastSeenAt, now)
}

// confirm asks before something is taken away, does it, and reads the list again.
func (p *access) confirm(title, text, action string, do func(context.Context) error, again func()) {
	widgets.Confirm(p.d.Window.Canvas(), widgets.ConfirmConfig{Title: title, Text: text, Cancel: words.T("dialog.cancel"), Action: action, Kind: widgets.Danger, OnYes: func() {
		feed.Do(p.ctx, p.d.Calls, do, func(err error) {
			if err != nil {
				title, text := words.Error(err)
				p.d.Toast(widgets.Error, title, text)
			}
			again()
		})
	}})
}

func (p *access) removeUser(u api.User) {
	p.confirm(words.T("access.remove_user_title", "Name", plaintext.Field(u.Name)), words.T("access.remove_user_text"), words.T("access.remove_user"),
		func(ctx context.Context) error { return p.d.Daemon.DeleteUser(ctx, u.ID) }, p.users.reload)
}

func (p *access) removeToken(t api.Token) {
	p.confirm(words.T("access.revoke_token_title", "Name", plaintext.Field(t.Name)), words.T("access.revoke_token_text"), words.T("access.revoke"),
		func(ctx context.Context) error { return p.d.Daemon.DeleteToken(ctx, t.ID) }, p.tokens.reload)
}

func (p *access) revokeAgent(h *fleet.Host) {
	id := h.ID
	p.confirm(words.T("access.revoke_host_title", "Name", plaintext.Field(h.Name)), words.T("access.revoke_host_text"), words.T("access.revoke"),
		func(ctx context.Context) error { return p.d.Daemon.RevokeHost(ctx, id) }, p.agents.reload)
}
