package vm

import (
	"cmp"
	"slices"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Access is who may do what: people, tokens, enrolled agents, and what was done. Lists are asked for by their own Ask.
type Access struct {
	Users      List[api.User]
	Tokens     List[api.Token]
	Enrolments List[api.Enrolment]
	Agents     *Hosts // with ScopeRevoked for those that are not trusted any more
	Audit      Audit

	m *model.Fleet
}

// NewAccess makes the page.
func NewAccess(m *model.Fleet) *Access { return &Access{m: m, Agents: NewHosts(m)} }

// May tells whether the person may see and change people and tokens. Others see the agents and the audit log.
func (v *Access) May() bool { return v.m.May(fleet.RoleAdmin) }

// Me is the name of who is signed in.
func (v *Access) Me() string { return v.m.Identity().User }

// UserRow is a person who may sign in.
type UserRow struct {
	ID      fleet.UserID
	Name    string
	Role    fleet.Role
	Created time.Time
	Me      bool // who is signed in: cannot remove or demote themself by mistake
	Last    bool // the only administrator: the daemon refuses to lose it
}

// UserRows gives the people, administrators first, then by name.
func (v *Access) UserRows() []UserRow {
	admins := 0
	for _, u := range v.Users.Items() {
		admins += number(u.Role == fleet.RoleAdmin)
	}
	var rows []UserRow
	for _, u := range v.Users.Items() {
		rows = append(rows, UserRow{u.ID, field(u.Name), u.Role, u.CreatedAt, u.Name == v.Me(), u.Role == fleet.RoleAdmin && admins == 1})
	}
	slices.SortStableFunc(rows, func(a, b UserRow) int {
		return cmp.Or(-cmp.Compare(number(a.Role == fleet.RoleAdmin), number(b.Role == fleet.RoleAdmin)), model.CompareNames(a.Name, b.Name))
	})
	return rows
}

// TokenRow is an API token.
type TokenRow struct {
	ID        string
	Name      string
	Role      fleet.Role
	CreatedBy string
	Created   time.Time
	Expires   time.Time // zero: never
	Expired   bool
	LastUsed  time.Time // zero: never
}

// TokenRows gives the tokens by name.
func (v *Access) TokenRows(now time.Time) []TokenRow {
	var rows []TokenRow
	for _, t := range v.Tokens.Items() {
		r := TokenRow{ID: t.ID, Name: field(t.Name), Role: t.Role, CreatedBy: field(t.CreatedBy), Created: t.CreatedAt}
		if t.ExpiresAt != nil {
			r.Expires, r.Expired = *t.ExpiresAt, !t.ExpiresAt.After(now)
		}
		if t.LastUsedAt != nil {
			r.LastUsed = *t.LastUsedAt
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b TokenRow) int { return model.CompareNames(a.Name, b.Name) })
	return rows
}

// EnrolmentState says what became of an enrolment token.
type EnrolmentState string

// The states.
const (
	EnrolmentOpen    EnrolmentState = "open"
	EnrolmentUsed    EnrolmentState = "used"
	EnrolmentExpired EnrolmentState = "expired"
)

// EnrolmentRow is an enrolment token, without what it is spent with.
type EnrolmentRow struct {
	ID        string
	State     EnrolmentState
	HostID    fleet.HostID // that used it, or is to enrol anew with it
	Host      string       // "": none, or one that is gone
	CreatedBy string
	Created   time.Time
	Expires   time.Time
	Used      time.Time // zero: it was not
}

// EnrolmentRows gives the enrolment tokens of the last days, newest first.
func (v *Access) EnrolmentRows(now time.Time) []EnrolmentRow {
	var rows []EnrolmentRow
	for _, e := range v.Enrolments.Items() {
		r := EnrolmentRow{ID: e.ID, State: EnrolmentOpen, HostID: e.HostID, CreatedBy: field(e.CreatedBy), Created: e.CreatedAt, Expires: e.ExpiresAt}
		if h := v.m.Host(e.HostID); h != nil {
			r.Host = field(h.Name)
		}
		switch {
		case e.UsedAt != nil:
			r.State, r.Used = EnrolmentUsed, *e.UsedAt
		case !e.ExpiresAt.After(now):
			r.State = EnrolmentExpired
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b EnrolmentRow) int { return b.Created.Compare(a.Created) })
	return rows
}
