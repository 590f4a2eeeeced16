package httpapi

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

type sessionControl interface {
	SignIn(ctx context.Context, user, password, remote string) (api.Session, error)
	SignOut(ctx context.Context, actor control.Actor) error
	ChangePassword(ctx context.Context, actor control.Actor, change api.PasswordChange) error
	Authenticate(ctx context.Context, bearer string) (control.Actor, error)
	Epoch() string
}

func (s *Server) sessionRoutes(h huma.API) {
	register(s, h, operation{id: "signIn", method: http.MethodPost, path: "/session", summary: "Sign in",
		detail: "An unknown user and a wrong password get the same answer. Limited by address and by user: 429 with Retry-After."}, s.signIn)
	register(s, h, operation{id: "changePassword", method: http.MethodPost, path: "/session/password", summary: "Change one's own password", status: http.StatusNoContent,
		detail: "Ends all other sessions of the user. Limited as signing in is."}, s.changePassword)
	register(s, h, operation{id: "whoAmI", method: http.MethodGet, path: "/session", summary: "Who the token belongs to"}, s.whoAmI)
	register(s, h, operation{id: "signOut", method: http.MethodDelete, path: "/session", summary: "End the session of the token", status: http.StatusNoContent},
		func(ctx context.Context, actor control.Actor, _ *none) (*empty, error) {
			return done(s.cfg.Control.SignOut(ctx, actor))
		})
}

// attempt takes note of an attempt to give a password, and refuses it when there were too many.
func (s *Server) attempt(remote, user string) error {
	wait, free := s.byAddress.Take(auth.AddressKey(remote))
	if free {
		wait, free = s.byUser.Take(user)
	}
	if free {
		return nil
	}
	p := newProblem(http.StatusTooManyRequests, fault.RateLimited, "Too many passwords were tried. Wait a little and try again.")
	p.retryAfter = int(math.Ceil(wait.Seconds()))
	return p
}

func (s *Server) changePassword(ctx context.Context, actor control.Actor, in *with[api.PasswordChange]) (*empty, error) {
	if err := s.attempt(requestOf(ctx).remote, actor.Name); err != nil {
		return nil, err
	}
	return done(s.cfg.Control.ChangePassword(ctx, actor, in.Body))
}

func (s *Server) signIn(ctx context.Context, _ control.Actor, in *with[api.SessionRequest]) (*answer[api.Session], error) {
	req := requestOf(ctx)
	if err := s.attempt(req.remote, in.Body.User); err != nil {
		return nil, err
	}
	return ok(s.cfg.Control.SignIn(ctx, in.Body.User, in.Body.Password, req.remote))
}

func (s *Server) whoAmI(_ context.Context, actor control.Actor, _ *none) (*answer[api.Identity], error) {
	id := api.Identity{User: actor.Name, Role: actor.Role, Daemon: s.cfg.Daemon}
	id.Daemon.Epoch = s.cfg.Control.Epoch()
	if !actor.Expires.IsZero() {
		at := actor.Expires.UTC().Truncate(time.Microsecond)
		id.ExpiresAt = &at
	}
	return ok(id, nil)
}
