package pages

import (
	"context"
	"strconv"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// auditRows is how many of the newest rows are shown: as many as the daemon gives at once.
const auditRows = 500

// auditLog lists what was changed by whom, the newest first.
func (p *access) auditLog(empty func() fyne.CanvasObject) listingConfig[api.AuditRow] {
	return listingConfig[api.AuditRow]{columns: []widgets.Column{{Title: words.T("access.col.when"), Width: 170}, {Title: words.T("access.col.who"), Width: 140}, {Title: words.T("access.col.what"), Width: 210},
		{Title: words.T("access.col.object"), Width: 200, Grow: 1}, {Title: words.T("access.col.detail"), Width: 160, Grow: 1, MinTable: 760}},
		load: func(ctx context.Context) ([]api.AuditRow, error) {
			page, err := p.d.Daemon.NewestAudit(ctx, 0, auditRows)
			return page.Items, err
		},
		id: func(r api.AuditRow) string { return strconv.FormatInt(r.Seq, 10) }, empty: empty,
		texts: func(r api.AuditRow) []string {
			return []string{words.Moment(r.At, p.d.Now()), plaintext.Field(r.Actor), actionWords(r.Action), p.objectWords(r.Object), plaintext.Field(r.Detail)}
		}}
}

// actionWords says what was done.
func actionWords(action string) string {
	if key := "access.did." + action; words.Has(key) {
		return words.T(key)
	}
	return plaintext.Field(action)
}

// objectWords names what it was done to, where that is known still; its id else.
func (p *access) objectWords(id string) string {
	f := p.d.Fleet
	switch {
	case f.Host(fleet.HostID(id)) != nil:
		return plaintext.Field(f.Host(fleet.HostID(id)).Name)
	case f.Repository(fleet.RepositoryID(id)) != nil:
		return plaintext.Field(f.Repository(fleet.RepositoryID(id)).Name)
	case f.Plan(fleet.PlanID(id)) != nil:
		return plaintext.Field(f.Plan(fleet.PlanID(id)).Name)
	}
	if j := f.Job(fleet.JobID(id)); j != nil {
		return words.T("job.title", "Kind", words.Kind(j.Kind), "Host", plaintext.Field(hostName(f, j.HostID)))
	}
	return plaintext.Field(id)
}
