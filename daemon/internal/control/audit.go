package control

import (
	"context"
	"math"

	"github.com/backstay/backstay/shared/api"
)

// Audit gives rows of the audit log after a sequence number, oldest first.
func (s *Service) Audit(ctx context.Context, after int64, limit int) (rows []api.AuditRow, err error) {
	if limit, err = pageLimit(limit); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(r Reader) error {
		rows, err = r.Audit(ctx, after, limit)
		return err
	})
	return rows, err
}

// NewestAudit gives rows of the audit log before a sequence number, newest first; from the newest on with 0.
func (s *Service) NewestAudit(ctx context.Context, before int64, limit int) (rows []api.AuditRow, err error) {
	if limit, err = pageLimit(limit); err != nil {
		return nil, err
	}
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.store.View(ctx, func(r Reader) error {
		rows, err = r.AuditBefore(ctx, before, limit)
		return err
	})
	return rows, err
}

// VerifyAudit walks the hash chain; badSeq is the first row that was edited, removed or added, 0 when there is none.
func (s *Service) VerifyAudit(ctx context.Context) (badSeq int64, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		badSeq, err = r.VerifyAudit(ctx)
		return err
	})
	return badSeq, err
}
