package sample

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// people makes users, tokens and the audit log.
func (d *Daemon) people() {
	for i, u := range []struct {
		name string
		role fleet.Role
	}{{"jürgen", fleet.RoleOperator}, {"lei", fleet.RoleOperator}, {"anna", fleet.RoleViewer}, {"cron", fleet.RoleOperator}} {
		d.users = append(d.users, api.User{ID: fleet.UserID(d.id("U")), Name: u.name, Role: u.role, CreatedAt: d.now.AddDate(0, 0, -80+9*i)})
	}
	ago := func(t time.Duration) *time.Time {
		at := d.now.Add(-t)
		return &at
	}
	d.tokens = []api.Token{
		{ID: d.id("T"), Name: "nightly backups", Role: fleet.RoleOperator, CreatedBy: "mira", CreatedAt: d.now.AddDate(0, 0, -76), LastUsedAt: ago(41 * time.Minute)},
		{ID: d.id("T"), Name: "grafana", Role: fleet.RoleViewer, CreatedBy: "lei", CreatedAt: d.now.AddDate(0, 0, -31), LastUsedAt: ago(12 * time.Second), ExpiresAt: ago(-334 * 24 * time.Hour)},
		{ID: d.id("T"), Name: "migration", Role: fleet.RoleAdmin, CreatedBy: "mira", CreatedAt: d.now.AddDate(0, 0, -9), ExpiresAt: ago(-5 * 24 * time.Hour)},
	}
	d.enrolledLately()
	d.history60()
}

// history60 writes what people did into the audit log.
func (d *Daemon) history60() {
	now := d.now
	defer func() { d.now = now }()
	enrolled := slices.SortedFunc(maps.Values(d.hosts), func(a, b *fleet.Host) int { return cmp.Or(a.EnrolledAt.Compare(b.EnrolledAt), cmp.Compare(a.ID, b.ID)) })
	for _, h := range enrolled {
		d.now = h.EnrolledAt
		d.note("enrolment_token.create", "", "valid for 1h0m0s")
		d.note("host.enrol", string(h.ID), h.Name)
	}
	for _, j := range d.order {
		if j.CreatedBy == "mira" {
			d.now = j.CreatedAt
			d.note("job.create", string(j.ID), string(j.Kind)+" on host "+d.hosts[j.HostID].Name)
		}
	}
	slices.SortStableFunc(d.audit, func(a, b api.AuditRow) int { return a.At.Compare(b.At) })
	for i := range d.audit {
		d.audit[i].Seq = int64(i) + 1
	}
}

// Users gives all users by name.
func (d *Daemon) Users(ctx context.Context) ([]api.User, error) {
	return askAs(ctx, d, fleet.RoleAdmin, func() ([]api.User, error) { return slices.Clone(d.users), nil })
}

// CreateUser adds a user.
func (d *Daemon) CreateUser(ctx context.Context, r api.UserRequest) (api.User, error) {
	return askAs(ctx, d, fleet.RoleAdmin, func() (api.User, error) {
		if slices.ContainsFunc(d.users, func(u api.User) bool { return u.Name == r.Name }) {
			return api.User{}, taken("user", r.Name)
		}
		u := api.User{ID: fleet.UserID(d.id("U")), Name: r.Name, Role: r.Role, CreatedAt: d.now}
		d.users = append(d.users, u)
		d.note("user.create", string(u.ID), u.Name+" as "+string(u.Role))
		return u, nil
	})
}

// ChangeUser gives a user another role or password.
func (d *Daemon) ChangeUser(ctx context.Context, user string, r api.UserChange) (api.User, error) {
	return askAs(ctx, d, fleet.RoleAdmin, func() (api.User, error) {
		i := slices.IndexFunc(d.users, func(u api.User) bool { return string(u.ID) == user || u.Name == user })
		if i < 0 {
			return api.User{}, unknown(fault.NotFound, "user", user)
		}
		if r.Role != "" {
			d.users[i].Role = r.Role
		}
		d.note("user.update", string(d.users[i].ID), "")
		return d.users[i], nil
	})
}

// ChangePassword takes any new password for the one in use, "correct horse battery".
func (d *Daemon) ChangePassword(ctx context.Context, r api.PasswordChange) error {
	return do(ctx, d, func() error {
		if r.Old != "correct horse battery" {
			return fault.New(fault.InvalidInput, "The old password is wrong. Try again.")
		}
		d.note("user.update", "", "password")
		return nil
	})
}

// DeleteUser removes a user.
func (d *Daemon) DeleteUser(ctx context.Context, id fleet.UserID) error {
	return doAs(ctx, d, fleet.RoleAdmin, func() error {
		d.users = slices.DeleteFunc(d.users, func(u api.User) bool { return u.ID == id })
		d.note("user.delete", string(id), "")
		return nil
	})
}

// Tokens gives all API tokens.
func (d *Daemon) Tokens(ctx context.Context) ([]api.Token, error) {
	return askAs(ctx, d, fleet.RoleAdmin, func() ([]api.Token, error) { return slices.Clone(d.tokens), nil })
}

// CreateToken makes an API token.
func (d *Daemon) CreateToken(ctx context.Context, r api.TokenRequest) (api.Token, error) {
	return askAs(ctx, d, fleet.RoleAdmin, func() (api.Token, error) {
		t := api.Token{ID: d.id("T"), Name: r.Name, Role: r.Role, CreatedBy: "mira", CreatedAt: d.now}
		if r.ValidForMS > 0 {
			ends := d.now.Add(time.Duration(r.ValidForMS) * time.Millisecond)
			t.ExpiresAt = &ends
		}
		d.tokens = append(d.tokens, t)
		d.note("token.create", t.ID, t.Name+" as "+string(t.Role))
		t.Secret = "bst_sample_9wQ2"
		return t, nil
	})
}

// DeleteToken revokes an API token.
func (d *Daemon) DeleteToken(ctx context.Context, id string) error {
	return doAs(ctx, d, fleet.RoleAdmin, func() error {
		d.tokens = slices.DeleteFunc(d.tokens, func(t api.Token) bool { return t.ID == id })
		d.note("token.delete", id, "")
		return nil
	})
}

// NewestAudit gives rows of the audit log before one, newest first.
func (d *Daemon) NewestAudit(ctx context.Context, before int64, limit int) (api.Page[api.AuditRow], error) {
	return ask(ctx, d, func() (api.Page[api.AuditRow], error) {
		n := int64(len(d.audit))
		if before > 0 {
			n = min(before-1, n)
		}
		rows := slices.Clone(d.audit[:n])
		slices.Reverse(rows)
		return page(rows, "", limit), nil
	})
}
