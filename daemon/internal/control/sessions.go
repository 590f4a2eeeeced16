package control

import (
	"context"
	"errors"
	"strings"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

func wrongPassword() error {
	return fault.New(fault.Unauthenticated, "The user name or the password is wrong. Try again.")
}

func signedOut() error {
	return fault.New(fault.Unauthenticated, "The token is not valid, or no longer. Sign in (`backstay login`) or use another token.")
}

// SignIn exchanges a password for a session. An unknown user and a wrong password get the same answer in the same time.
func (s *Service) SignIn(ctx context.Context, user, password, remote string) (api.Session, error) {
	if len(user) > maxName || len(password) > maxPassword {
		return api.Session{}, wrongPassword()
	}
	u, err := s.userByName(ctx, user)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return api.Session{}, err
	}
	right, err := auth.VerifyPassword(ctx, u.Password, password) // with "" as long as with any other
	if err != nil {
		return api.Session{}, err
	}
	if !right {
		return api.Session{}, wrongPassword()
	}
	value, hash := auth.NewToken(auth.PrefixSession)
	now := s.now()
	session := SessionRecord{ID: s.newID(), Hash: hash, UserID: u.ID, Remote: cut(remote, maxName), CreatedAt: now, ExpiresAt: now.Add(s.cfg.SessionTTL)}
	err = s.update(ctx, func(w Writer) error {
		fresh, err := w.User(ctx, u.ID)
		if errors.Is(err, ErrNotFound) || err == nil && fresh.Password != u.Password { // gone, or changed, while it was looked at
			return wrongPassword()
		}
		if err != nil {
			return err
		}
		u = fresh
		if err := w.PutSession(ctx, session); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{now, u.Name, "session.create", session.ID, session.Remote})
	})
	if err != nil {
		return api.Session{}, err
	}
	return api.Session{Token: value, User: u.Name, Role: u.Role, ExpiresAt: session.ExpiresAt}, nil
}

func (s *Service) userByName(ctx context.Context, name string) (u UserRecord, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		u, err = r.UserByName(ctx, name)
		return err
	})
	return u, err
}

// tokenActor begins the names of actors that came with an API token; no user's name does.
const tokenActor = "token:"

// SignOut ends the actor's session.
func (s *Service) SignOut(ctx context.Context, actor Actor) error {
	if strings.HasPrefix(actor.Name, tokenActor) {
		return fault.New(fault.Conflict, "An API token cannot sign out. Delete the token when it is no longer needed.")
	}
	err := s.update(ctx, func(w Writer) error {
		if err := w.DeleteSession(ctx, actor.TokenID); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "session.delete", actor.TokenID, ""})
	})
	if err != nil {
		return err
	}
	s.actors.forget()
	return nil
}

// maxBearer bounds what is hashed for somebody unknown.
const maxBearer = 256

// Authenticate tells who the bearer of a token is. An answer holds for a second at most, so that a revoked token is of no use
// after that, whoever revoked it.
func (s *Service) Authenticate(ctx context.Context, bearer string) (Actor, error) {
	if len(bearer) > maxBearer {
		return Actor{}, signedOut()
	}
	hash := auth.HashToken(bearer)
	now := s.now()
	if actor, ok := s.actors.get(hash, now); ok {
		return actor, nil
	}
	began := s.actors.begin()
	var actor Actor
	err := s.store.View(ctx, func(r Reader) (err error) {
		switch {
		case strings.HasPrefix(bearer, auth.PrefixSession):
			actor, err = sessionActor(ctx, r, hash)
		case strings.HasPrefix(bearer, auth.PrefixAPI):
			actor, err = apiActor(ctx, r, hash)
		default:
			err = ErrNotFound
		}
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return Actor{}, signedOut()
	case err != nil:
		return Actor{}, err
	case !actor.Expires.IsZero() && !now.Before(actor.Expires):
		return Actor{}, signedOut()
	}
	s.actors.put(hash, actor, now, began)
	return actor, nil
}

func sessionActor(ctx context.Context, r AccessReader, hash string) (Actor, error) {
	session, err := r.SessionByHash(ctx, hash)
	if err != nil {
		return Actor{}, err
	}
	u, err := r.User(ctx, session.UserID)
	return Actor{Name: u.Name, Role: u.Role, TokenID: session.ID, Expires: session.ExpiresAt}, err
}

func apiActor(ctx context.Context, r AccessReader, hash string) (Actor, error) {
	t, err := r.TokenByHash(ctx, hash)
	if err != nil {
		return Actor{}, err
	}
	actor := Actor{Name: tokenActor + t.Name, Role: t.Role, TokenID: t.ID}
	if t.ExpiresAt != nil {
		actor.Expires = *t.ExpiresAt
	}
	return actor, nil
}
