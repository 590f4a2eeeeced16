package httpapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

type accountControl interface {
	Users(ctx context.Context) ([]api.User, error)
	CreateUser(ctx context.Context, actor control.Actor, req api.UserRequest) (api.User, error)
	ChangeUser(ctx context.Context, actor control.Actor, idOrName string, change api.UserChange) (api.User, error)
	DeleteUser(ctx context.Context, actor control.Actor, id fleet.UserID) error
	Tokens(ctx context.Context) ([]api.Token, error)
	CreateToken(ctx context.Context, actor control.Actor, req api.TokenRequest) (api.Token, error)
	DeleteToken(ctx context.Context, actor control.Actor, id string) error
}

type auditControl interface {
	Audit(ctx context.Context, after int64, limit int) ([]api.AuditRow, error)
	NewestAudit(ctx context.Context, before int64, limit int) ([]api.AuditRow, error)
}

const defaultAuditPage = 100

type auditInput struct {
	After  int64  `query:"after" minimum:"0" doc:"Begin after this seq, in the order asked for."`
	Cursor int64  `query:"cursor" minimum:"0" doc:"next of the page before: the same as after."`
	Order  string `query:"order" enum:"oldest,newest" doc:"Which rows come first; oldest when not given."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" doc:"100 when not given."`
}

func (s *Server) accountRoutes(h huma.API) {
	c := s.cfg.Control
	register(s, h, operation{id: "listUsers", method: http.MethodGet, path: "/users", summary: "All users by name"},
		func(ctx context.Context, _ control.Actor, _ *none) (*answer[api.Page[api.User]], error) {
			return list(c.Users(ctx))
		})
	register(s, h, operation{id: "createUser", method: http.MethodPost, path: "/users", summary: "Add a person who may sign in", status: http.StatusCreated},
		func(ctx context.Context, actor control.Actor, in *with[api.UserRequest]) (*answer[api.User], error) {
			return ok(c.CreateUser(ctx, actor, in.Body))
		})
	register(s, h, operation{id: "changeUser", method: http.MethodPatch, path: "/users/{id}", summary: "Give a user another role or password",
		detail: "Ends the user's other sessions, the API tokens of theirs that may do more than the new role, and unused enrolment tokens that the new role could not make. One's own password is changed at /session/password."},
		func(ctx context.Context, actor control.Actor, in *byIDWith[api.UserChange]) (*answer[api.User], error) {
			return ok(c.ChangeUser(ctx, actor, in.ID, in.Body))
		})
	register(s, h, operation{id: "deleteUser", method: http.MethodDelete, path: "/users/{id}", summary: "Remove a user with all their sessions, API tokens and unused enrolment tokens", status: http.StatusNoContent},
		func(ctx context.Context, actor control.Actor, in *ByID) (*empty, error) {
			return done(c.DeleteUser(ctx, actor, fleet.UserID(in.ID)))
		})
	register(s, h, operation{id: "listTokens", method: http.MethodGet, path: "/tokens", summary: "All API tokens by name, without their secrets"},
		func(ctx context.Context, _ control.Actor, _ *none) (*answer[api.Page[api.Token]], error) {
			return list(c.Tokens(ctx))
		})
	register(s, h, operation{id: "createToken", method: http.MethodPost, path: "/tokens", summary: "Make an API token; its secret is shown here only", status: http.StatusCreated},
		func(ctx context.Context, actor control.Actor, in *with[api.TokenRequest]) (*answer[api.Token], error) {
			return ok(c.CreateToken(ctx, actor, in.Body))
		})
	register(s, h, operation{id: "deleteToken", method: http.MethodDelete, path: "/tokens/{id}", summary: "Revoke an API token, with the unused enrolment tokens it made", status: http.StatusNoContent},
		func(ctx context.Context, actor control.Actor, in *ByID) (*empty, error) {
			return done(c.DeleteToken(ctx, actor, in.ID))
		})
}

func (s *Server) auditRoutes(h huma.API) {
	register(s, h, operation{id: "listAudit", method: http.MethodGet, path: "/audit", summary: "Every change, oldest first, or newest"},
		func(ctx context.Context, _ control.Actor, in *auditInput) (*answer[api.Page[api.AuditRow]], error) {
			limit := in.Limit
			if limit == 0 {
				limit = defaultAuditPage
			}
			read := s.cfg.Control.Audit
			if in.Order == "newest" {
				read = s.cfg.Control.NewestAudit
			}
			rows, err := read(ctx, max(in.After, in.Cursor), limit)
			p := api.Page[api.AuditRow]{Items: rows}
			if len(rows) == limit {
				p.Next = strconv.FormatInt(rows[limit-1].Seq, 10)
			}
			return page(p, err)
		})
}
