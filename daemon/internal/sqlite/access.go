package sqlite

import (
	"context"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

const userColumns = "id, name, role, created_at, password"

func scanUser(s scanner) (control.UserRecord, error) {
	var u control.UserRecord
	return u, s.Scan(&u.ID, &u.Name, &u.Role, when{&u.CreatedAt}, &u.Password)
}

func (r *reader) User(ctx context.Context, id fleet.UserID) (control.UserRecord, error) {
	return one(ctx, r.q, "read user", scanUser, "SELECT "+userColumns+" FROM users WHERE id = ?", string(id))
}

func (r *reader) UserByName(ctx context.Context, name string) (control.UserRecord, error) {
	return one(ctx, r.q, "read user", scanUser, "SELECT "+userColumns+" FROM users WHERE name = ?", name)
}

func (r *reader) Users(ctx context.Context) ([]api.User, error) {
	return many(ctx, r.q, "read users", func(s scanner) (api.User, error) {
		u, err := scanUser(s)
		return u.User, err
	}, "SELECT "+userColumns+" FROM users ORDER BY name")
}

// PutUser inserts or replaces a user.
func (w *writer) PutUser(ctx context.Context, u control.UserRecord) error {
	return w.exec(ctx, "write user", `INSERT INTO users (id, name, role, password, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (id) DO UPDATE SET name = ?2, role = ?3, password = ?4`,
		string(u.ID), u.Name, string(u.Role), u.Password, micros(u.CreatedAt))
}

func (w *writer) DeleteUser(ctx context.Context, id fleet.UserID) error {
	if _, err := w.DeleteSessions(ctx, id, ""); err != nil {
		return err
	}
	return w.exec(ctx, "delete user", "DELETE FROM users WHERE id = ?", string(id))
}

func (r *reader) SessionByHash(ctx context.Context, hash string) (control.SessionRecord, error) {
	return one(ctx, r.q, "read session", func(s scanner) (v control.SessionRecord, err error) {
		return v, s.Scan(&v.ID, &v.Hash, &v.UserID, &v.Remote, when{&v.CreatedAt}, when{&v.ExpiresAt})
	}, "SELECT id, hash, user_id, remote, created_at, expires_at FROM sessions WHERE hash = ?", hash)
}

func (w *writer) PutSession(ctx context.Context, s control.SessionRecord) error {
	return w.exec(ctx, "write session", `INSERT INTO sessions (id, hash, user_id, remote, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?)`, s.ID, s.Hash, string(s.UserID), s.Remote, micros(s.CreatedAt), micros(s.ExpiresAt))
}

func (w *writer) DeleteSession(ctx context.Context, id string) error {
	return w.exec(ctx, "delete session", "DELETE FROM sessions WHERE id = ?", id)
}

func (w *writer) DeleteSessions(ctx context.Context, user fleet.UserID, but string) (int64, error) {
	return w.affected(ctx, "delete user's sessions", "DELETE FROM sessions WHERE user_id = ? AND id <> ?", string(user), but)
}

// DropAccess removes what ended before a time.
func (w *writer) DropAccess(ctx context.Context, before time.Time) error {
	for _, query := range []string{
		"DELETE FROM sessions WHERE expires_at < ?",
		"DELETE FROM api_tokens WHERE expires_at < ?",
		"DELETE FROM enrolment_tokens WHERE expires_at < ?",
	} {
		if err := w.exec(ctx, "drop access", query, micros(before)); err != nil {
			return err
		}
	}
	return nil
}

const tokenColumns = "id, hash, name, role, created_by, created_at, expires_at, last_used_at"

func scanToken(s scanner) (control.TokenRecord, error) {
	var t control.TokenRecord
	return t, s.Scan(&t.ID, &t.Hash, &t.Name, &t.Role, &t.CreatedBy, when{&t.CreatedAt}, maybe{&t.ExpiresAt}, maybe{&t.LastUsedAt})
}

func (r *reader) Tokens(ctx context.Context) ([]api.Token, error) {
	return many(ctx, r.q, "read tokens", func(s scanner) (api.Token, error) {
		t, err := scanToken(s)
		return t.Token, err
	}, "SELECT "+tokenColumns+" FROM api_tokens ORDER BY name")
}

func (r *reader) Token(ctx context.Context, id string) (control.TokenRecord, error) {
	return one(ctx, r.q, "read token", scanToken, "SELECT "+tokenColumns+" FROM api_tokens WHERE id = ?", id)
}

func (r *reader) TokenByHash(ctx context.Context, hash string) (control.TokenRecord, error) {
	return one(ctx, r.q, "read token", scanToken, "SELECT "+tokenColumns+" FROM api_tokens WHERE hash = ?", hash)
}

func (w *writer) PutToken(ctx context.Context, t control.TokenRecord) error {
	return w.exec(ctx, "write token", `INSERT INTO api_tokens (id, hash, name, role, created_by, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`,
		t.ID, t.Hash, t.Name, string(t.Role), t.CreatedBy, micros(t.CreatedAt), microsOrNull(t.ExpiresAt))
}

func (w *writer) DeleteToken(ctx context.Context, id string) error {
	return w.exec(ctx, "delete token", "DELETE FROM api_tokens WHERE id = ?", id)
}

func (w *writer) TokenUsed(ctx context.Context, id string, at time.Time) error {
	return w.exec(ctx, "note use of token", "UPDATE api_tokens SET last_used_at = ? WHERE id = ?", micros(at), id)
}

const enrolmentColumns = "id, hash, host_id, created_by, created_at, expires_at, used_at"

func scanEnrolment(s scanner) (e control.EnrolmentRecord, err error) {
	return e, s.Scan(&e.ID, &e.Hash, &e.HostID, &e.CreatedBy, when{&e.CreatedAt}, when{&e.ExpiresAt}, maybe{&e.UsedAt})
}

func (r *reader) Enrolment(ctx context.Context, id string) (control.EnrolmentRecord, error) {
	return one(ctx, r.q, "read enrolment token", scanEnrolment, "SELECT "+enrolmentColumns+" FROM enrolment_tokens WHERE id = ?", id)
}

func (r *reader) EnrolmentByHash(ctx context.Context, hash string) (control.EnrolmentRecord, error) {
	return one(ctx, r.q, "read enrolment token", scanEnrolment, "SELECT "+enrolmentColumns+" FROM enrolment_tokens WHERE hash = ?", hash)
}

// Enrolments reads in the order of ids, which is that of time.
func (r *reader) Enrolments(ctx context.Context, before string, limit int) ([]control.EnrolmentRecord, error) {
	if before == "" {
		before = "\x7f" // behind every id
	}
	return many(ctx, r.q, "read enrolment tokens", scanEnrolment, "SELECT "+enrolmentColumns+
		" FROM enrolment_tokens WHERE id < ? ORDER BY id DESC LIMIT ?", before, limit)
}

// PutEnrolment inserts an enrolment token, or notes its use.
func (w *writer) PutEnrolment(ctx context.Context, e control.EnrolmentRecord) error {
	return w.exec(ctx, "write enrolment token", `INSERT INTO enrolment_tokens (id, hash, host_id, created_by, created_at,
			expires_at, used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET host_id = ?3, used_at = ?7`,
		e.ID, e.Hash, string(e.HostID), e.CreatedBy, micros(e.CreatedAt), micros(e.ExpiresAt), microsOrNull(e.UsedAt))
}

func (w *writer) DeleteEnrolment(ctx context.Context, id string) error {
	return w.exec(ctx, "delete enrolment token", "DELETE FROM enrolment_tokens WHERE id = ?", id)
}

func (w *writer) EndEnrolments(ctx context.Context, createdBy string, now time.Time) (int64, error) {
	return w.affected(ctx, "end enrolment tokens", "DELETE FROM enrolment_tokens WHERE created_by = ? AND used_at IS NULL AND expires_at > ?", createdBy, micros(now))
}
