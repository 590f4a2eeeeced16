package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

// maxTokenLife bounds how long an API token with an end may be good for.
const maxTokenLife = 10 * 365 * 24 * time.Hour

// Tokens gives all API tokens by name, without their secrets.
func (s *Service) Tokens(ctx context.Context) (all []api.Token, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		all, err = r.Tokens(ctx)
		return err
	})
	return all, err
}

// CreateToken makes an API token whose role does not exceed the actor's.
func (s *Service) CreateToken(ctx context.Context, actor Actor, req api.TokenRequest) (api.Token, error) {
	if err := checkName("token", req.Name); err != nil {
		return api.Token{}, err
	}
	if err := checkRole(req.Role); err != nil {
		return api.Token{}, err
	}
	if !actor.Role.Allows(req.Role) {
		return api.Token{}, fault.New(fault.Forbidden, "You are %s and cannot make a token that is %s. Choose a role up to your own.", actor.Role, req.Role)
	}
	if req.ValidForMS < 0 || req.ValidForMS > maxTokenLife.Milliseconds() {
		return api.Token{}, fault.New(fault.InvalidInput, "A token cannot be valid for %d ms. Use at most ten years, or 0 for no end.", req.ValidForMS)
	}
	value, hash := auth.NewToken(auth.PrefixAPI)
	t := TokenRecord{Hash: hash, Token: api.Token{ID: s.newID(), Name: req.Name, Role: req.Role, CreatedAt: s.now()}}
	if req.ValidForMS > 0 {
		end := t.CreatedAt.Add(time.Duration(req.ValidForMS) * time.Millisecond)
		t.ExpiresAt = &end
	}
	err := s.update(ctx, func(w Writer) (err error) {
		if err := stillThere(ctx, w, actor); err != nil {
			return err
		}
		if t.CreatedBy, err = owner(ctx, w, actor); err != nil {
			return err
		}
		if err := w.PutToken(ctx, t); err != nil {
			return taken(err, "token", t.Name)
		}
		return w.AppendAudit(ctx, AuditEntry{t.CreatedAt, actor.Name, "token.create", t.ID, t.Name + " as " + string(t.Role)})
	})
	if err != nil {
		return api.Token{}, err
	}
	t.Secret = value
	return t.Token, nil
}

// owner is whose token an actor makes: the person's, also when that person's own token makes it. Otherwise the token that a token
// made would outlive the user whom DeleteUser removes with all that is theirs.
func owner(ctx context.Context, r AccessReader, actor Actor) (string, error) {
	if !strings.HasPrefix(actor.Name, tokenActor) {
		return actor.Name, nil
	}
	t, err := r.Token(ctx, actor.TokenID)
	return t.CreatedBy, err
}

// stillThere refuses an actor who was taken away, or may do less, since the request came in: its body may have been long on its way,
// and what it makes would outlive its maker.
func stillThere(ctx context.Context, r AccessReader, actor Actor) error {
	var err error
	is := actor.Role
	switch {
	case actor.TokenID == "": // the daemon's own host
	case strings.HasPrefix(actor.Name, tokenActor):
		_, err = r.Token(ctx, actor.TokenID)
	default:
		var u UserRecord
		u, err = r.UserByName(ctx, actor.Name)
		is = u.Role
	}
	if errors.Is(err, ErrNotFound) || err == nil && !is.Allows(actor.Role) {
		return fault.New(fault.Unauthenticated, "Who asked for this is no longer there, or may do less by now. Sign in (`backstay login`) or use another token.")
	}
	return err
}

// DeleteToken revokes an API token, and the unused enrolment tokens that it made.
func (s *Service) DeleteToken(ctx context.Context, actor Actor, id string) error {
	err := s.update(ctx, func(w Writer) error {
		t, err := w.Token(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return fault.New(fault.NotFound, "There is no API token %s. `backstay token ls` lists them.", shown(id))
		}
		if err != nil {
			return err
		}
		if err := w.DeleteToken(ctx, id); err != nil {
			return err
		}
		ended, err := w.EndEnrolments(ctx, tokenActor+t.Name, s.now())
		if err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "token.delete", id, fmt.Sprintf("%s, with %d enrolment tokens", t.Name, ended)})
	})
	if err != nil {
		return err
	}
	s.actors.forget()
	return nil
}
