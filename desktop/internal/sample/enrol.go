package sample

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// enrolledLately makes enrolment tokens of the last days: one of a host that enrolled with it, one that waits, and one that ran out.
func (d *Daemon) enrolledLately() {
	add := func(ago, life time.Duration, host fleet.HostID, used time.Duration) {
		e := api.Enrolment{ID: d.id("E"), HostID: host, CreatedBy: "mira", CreatedAt: d.now.Add(-ago), ExpiresAt: d.now.Add(life - ago)}
		if used > 0 {
			at := d.now.Add(-used)
			e.UsedAt = &at
		}
		d.enrolments = append(d.enrolments, e)
	}
	unplanned, _ := d.traitHost("unplanned")
	add(18*time.Minute, time.Hour, "", 0)
	add(25*time.Minute, time.Hour, unplanned.ID, 9*time.Minute)
	add(52*time.Hour, 24*time.Hour, "", 0)
}

// CreateEnrolmentToken makes a token that nothing can be enrolled with.
func (d *Daemon) CreateEnrolmentToken(ctx context.Context, r api.EnrolmentTokenRequest) (api.EnrolmentToken, error) {
	return askAs(ctx, d, fleet.RoleAdmin, func() (api.EnrolmentToken, error) {
		valid := time.Hour
		if r.ValidForMS > 0 {
			valid = time.Duration(r.ValidForMS) * time.Millisecond
		}
		token, pin := "bse_sample_4Kq8wZt2", "sha256:"+strings.Repeat("9f2c41d0", 8)
		e := api.Enrolment{ID: d.id("E"), HostID: r.HostID, CreatedBy: "mira", CreatedAt: d.now, ExpiresAt: d.now.Add(valid)}
		d.enrolments = append([]api.Enrolment{e}, d.enrolments...)
		d.note("enrolment_token.create", e.ID, "")
		return api.EnrolmentToken{ID: e.ID, Token: token, CAPin: pin, Address: Address, ExpiresAt: e.ExpiresAt,
			Command: "backstay-agent enrol --daemon " + Address + " --pin " + pin + " --token " + token}, nil
	})
}

// EnrolmentTokens gives the enrolment tokens of the last days, newest first.
func (d *Daemon) EnrolmentTokens(ctx context.Context) ([]api.Enrolment, error) {
	return askAs(ctx, d, fleet.RoleAdmin, func() ([]api.Enrolment, error) { return slices.Clone(d.enrolments), nil })
}

// RevokeEnrolmentToken makes a token useless.
func (d *Daemon) RevokeEnrolmentToken(ctx context.Context, id string) error {
	return doAs(ctx, d, fleet.RoleAdmin, func() error {
		i := slices.IndexFunc(d.enrolments, func(e api.Enrolment) bool { return e.ID == id && e.UsedAt == nil })
		if i < 0 {
			return fault.New(fault.NotFound, "There is no such enrolment token that could be used. Look at the list and try again.")
		}
		d.enrolments = slices.Delete(d.enrolments, i, i+1)
		d.note("enrolment_token.revoke", id, "")
		return nil
	})
}
