package pages

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// enrolmentTokens lists what agents may enrol with, and did in the last days.
func (p *access) enrolmentTokens(empty func() fyne.CanvasObject) listingConfig[api.Enrolment] {
	now := p.d.Now
	return listingConfig[api.Enrolment]{columns: []widgets.Column{{Title: words.T("access.col.host"), Width: 180, Grow: 2}, {Title: words.T("access.col.state"), Width: 190, Grow: 1},
		{Title: words.T("access.col.by"), Width: 120, MinTable: 640}, {Title: words.T("access.col.created"), Width: 160, MinTable: 720}, {Title: words.T("access.col.expires"), Width: 160}},
		load: p.d.Daemon.EnrolmentTokens, id: func(e api.Enrolment) string { return e.ID }, empty: empty, tip: words.T("access.revoke"), remove: p.revokeEnrolment,
		texts: func(e api.Enrolment) []string {
			host := words.T("access.any_host")
			if h := p.d.Fleet.Host(e.HostID); h != nil {
				host = plaintext.Field(h.Name)
			} else if e.HostID != "" {
				host = plaintext.Field(string(e.HostID))
			}
			return []string{host, enrolmentWords(e, now()), plaintext.Field(e.CreatedBy), words.Moment(e.CreatedAt, now()), words.Moment(e.ExpiresAt, now())}
		},
		can: func(e api.Enrolment) bool { return e.UsedAt == nil && e.ExpiresAt.After(now()) }}
}

func enrolmentWords(e api.Enrolment, now time.Time) string {
	switch {
	case e.UsedAt != nil:
		return words.T("access.enrolment_used", "Time", words.Moment(*e.UsedAt, now))
	case !e.ExpiresAt.After(now):
		return words.T("access.enrolment_expired")
	}
	return words.T("access.enrolment_open")
}

func (p *access) revokeEnrolment(e api.Enrolment) {
	p.confirm(words.T("access.revoke_enrolment_title"), words.T("access.revoke_enrolment_text"), words.T("access.revoke"),
		func(ctx context.Context) error { return p.d.Daemon.RevokeEnrolmentToken(ctx, e.ID) }, p.enrolment.reload)
}

// openUser lets an administrator change a user; of oneself the password only.
func (p *access) openUser(u api.User) {
	switch {
	case u.Name == p.d.Fleet.Identity().User:
		p.changePassword()
	case p.d.Fleet.May(fleet.RoleAdmin):
		p.changeUser(u)
	}
}

// changeUser gives a user another role or password.
func (p *access) changeUser(u api.User) {
	password := newPassword()
	field := widgets.NewField(words.T("access.new_password"), password, words.T("access.keep_password_hint"))
	roleField, role := p.roleChoice(u.Role)
	check := func() (*widgets.Field, func(context.Context) error) {
		field.SetError("")
		r := api.UserChange{Password: password.Text()}
		if n := len([]rune(r.Password)); n > 0 && n < minPassword {
			field.SetError(words.T("access.password_short"))
			return nil, nil
		}
		if chosen := role(); chosen != u.Role {
			r.Role = chosen
		}
		return field, func(ctx context.Context) error {
			if r == (api.UserChange{}) {
				return nil
			}
			_, err := p.d.Daemon.ChangeUser(ctx, string(u.ID), r)
			return err
		}
	}
	newForm(p.ctx, p.d, formConfig{title: words.T("access.change_user", "Name", plaintext.Field(u.Name)), action: words.T("access.save"), fields: []fyne.CanvasObject{roleField, field},
		entries: []*widgets.TextEntry{password}, check: check, done: p.users.reload})
}

// changePassword changes the password of who is signed in.
func (p *access) changePassword() {
	old, password := newPassword(), newPassword()
	oldField := widgets.NewField(words.T("access.old_password"), old, "")
	field := widgets.NewField(words.T("access.new_password"), password, words.T("access.own_password_hint"))
	check := func() (*widgets.Field, func(context.Context) error) {
		oldField.SetError("")
		field.SetError("")
		r := api.PasswordChange{Old: old.Text(), New: password.Text()}
		switch {
		case r.Old == "":
			oldField.SetError(words.T("access.old_password_missing"))
			return nil, nil
		case len([]rune(r.New)) < minPassword:
			field.SetError(words.T("access.password_short"))
			return nil, nil
		}
		return oldField, func(ctx context.Context) error { return p.d.Daemon.ChangePassword(ctx, r) }
	}
	newForm(p.ctx, p.d, formConfig{title: words.T("access.change_password"), action: words.T("access.save"), fields: []fyne.CanvasObject{oldField, field},
		entries: []*widgets.TextEntry{old, password}, check: check, done: func() { p.d.Toast(widgets.Ok, words.T("access.password_changed"), "") }})
}
