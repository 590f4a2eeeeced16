package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
)

// AppendAudit adds a row to the chain; its head and length are in meta when the transaction ends.
func (w *writer) AppendAudit(ctx context.Context, e control.AuditEntry) error {
	row := api.AuditRow{Seq: w.meta.auditCount + 1, At: stored(e.At), Actor: e.Actor, Action: e.Action, Object: e.Object, Detail: e.Detail}
	row.Hash = chain(w.meta.auditHead, row)
	err := w.exec(ctx, "write audit row", "INSERT INTO audit (seq, at, actor, action, object, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
		row.Seq, micros(row.At), row.Actor, row.Action, row.Object, row.Detail, row.Hash)
	if err != nil {
		return err
	}
	w.meta.auditCount, w.meta.auditHead = row.Seq, row.Hash
	return nil
}

// chain is the hash of a row: SHA-256 over the former row's hash and the row's fields, each with its length before it, so that
// no two rows have the same input.
func chain(former string, row api.AuditRow) string {
	h := sha256.New()
	var number [8]byte
	put := func(s string) {
		binary.BigEndian.PutUint64(number[:], uint64(len(s)))
		h.Write(number[:])
		h.Write([]byte(s))
	}
	put(former)
	for _, n := range []int64{row.Seq, micros(row.At)} {
		binary.BigEndian.PutUint64(number[:], uint64(n))
		h.Write(number[:])
	}
	for _, s := range []string{row.Actor, row.Action, row.Object, row.Detail} {
		put(s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func scanAudit(s scanner) (api.AuditRow, error) {
	var a api.AuditRow
	return a, s.Scan(&a.Seq, when{&a.At}, &a.Actor, &a.Action, &a.Object, &a.Detail, &a.Hash)
}

func (r *reader) Audit(ctx context.Context, after int64, limit int) ([]api.AuditRow, error) {
	return many(ctx, r.q, "read audit", scanAudit,
		"SELECT seq, at, actor, action, object, detail, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
}

func (r *reader) AuditBefore(ctx context.Context, before int64, limit int) ([]api.AuditRow, error) {
	return many(ctx, r.q, "read audit", scanAudit,
		"SELECT seq, at, actor, action, object, detail, hash FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit)
}

// auditPage is how many rows VerifyAudit holds at once.
const auditPage = 1000

// VerifyAudit walks the chain from its first row to the head that meta names.
func (r *reader) VerifyAudit(ctx context.Context) (int64, error) {
	var count int64
	var head string
	err := r.q.QueryRowContext(ctx, "SELECT audit_count, audit_head FROM meta WHERE id = 1").Scan(&count, &head)
	if err != nil {
		return 0, fmt.Errorf("read head of audit: %w", err)
	}
	former, seq := "", int64(0)
	for after := int64(math.MinInt64); ; after = seq {
		rows, err := r.Audit(ctx, after, auditPage)
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			seq++
			switch {
			case row.Seq != seq: // a row before it is missing
				return seq, nil
			case seq > count: // added behind the head
				return seq, nil
			case row.Hash != chain(former, row):
				return seq, nil
			}
			former = row.Hash
		}
		if len(rows) < auditPage {
			break
		}
	}
	switch {
	case seq < count: // cut off
		return seq + 1, nil
	case former != head:
		return max(seq, 1), nil
	}
	return 0, nil
}
