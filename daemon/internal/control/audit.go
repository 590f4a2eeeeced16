package control

import (
	"context"

	"github.com/backstay/backstay/shared/api"
)

// Audit gives rows of the audit log after a sequence number, oldest first.
func (s *Service) Audit(ctx context.Context, after int64, limit int) ([]api.AuditRow, error) {
	return nil, notBuilt()
}

// VerifyAudit walks the hash chain; badSeq is the first row that was edited, removed or added, 0 when there is none.
func (s *Service) VerifyAudit(ctx context.Context) (badSeq int64, err error) {
	return 0, notBuilt()
}
