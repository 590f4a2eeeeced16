package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// ChangeUser gives a user another role or password, or both. It ends the user's sessions, the actor's own excepted, and the API
// tokens of theirs that may do more than the new role, with the unused enrolment tokens that the new role could not make. The last
// admin stays one.
func (s *Service) ChangeUser(ctx context.Context, actor Actor, idOrName string, change api.UserChange) (api.User, error) {
	if change.Role == "" && change.Password == "" {
		return api.User{}, fault.New(fault.InvalidInput, "Nothing is to be changed. Give a role, a password or both.")
	}
	if change.Role != "" {
		if err := checkRole(change.Role); err != nil {
			return api.User{}, err
		}
	}
	var hash string
	if change.Password != "" {
		err := checkPassword(change.Password)
		if err == nil {
			hash, err = auth.HashPassword(ctx, change.Password)
		}
		if err != nil {
			return api.User{}, err
		}
	}
	var u UserRecord
	err := s.update(ctx, func(w Writer) (err error) {
		if u, err = findUser(ctx, w, idOrName); err != nil {
			return err
		}
		if hash != "" && u.Name == actor.Name {
			return fault.New(fault.Forbidden, "Your own password is changed with the old one (`backstay password`, `POST /api/v1/session/password`).")
		}
		return s.changeUser(ctx, w, actor, &u, change.Role, hash)
	})
	if err != nil {
		return api.User{}, err
	}
	s.actors.forget()
	return u.User, nil
}

// changeUser changes what is given and not so yet.
func (s *Service) changeUser(ctx context.Context, w Writer, actor Actor, u *UserRecord, role fleet.Role, hash string) error {
	var did []string
	var tokens endedTokens
	if role != "" && role != u.Role {
		err := keepsAnAdmin(ctx, w, *u)
		if err != nil {
			return err
		}
		did = append(did, fmt.Sprintf("%s to %s", u.Role, role))
		if tokens, err = endTokens(ctx, w, *u, role, s.now()); err != nil {
			return err
		}
		u.Role = role
	}
	if hash != "" {
		did = append(did, "new password")
		u.Password = hash
	}
	if len(did) == 0 {
		return nil
	}
	if err := w.PutUser(ctx, *u); err != nil {
		return err
	}
	sessions, err := w.DeleteSessions(ctx, u.ID, actor.TokenID)
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("%s: %s; ended %d sessions, %s", u.Name, strings.Join(did, ", "), sessions, tokens)
	return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "user.update", string(u.ID), detail})
}

// ChangePassword gives the actor another password for the old one, and ends all other sessions of theirs.
func (s *Service) ChangePassword(ctx context.Context, actor Actor, change api.PasswordChange) error {
	if strings.HasPrefix(actor.Name, tokenActor) {
		return fault.New(fault.Conflict, "An API token has no password. Sign in to change your own.")
	}
	if err := checkPassword(change.New); err != nil {
		return err
	}
	if len(change.Old) > maxPassword {
		return wrongOldPassword()
	}
	was, err := s.userByName(ctx, actor.Name)
	if errors.Is(err, ErrNotFound) {
		return signedOut()
	}
	if err != nil {
		return err
	}
	right, err := auth.VerifyPassword(ctx, was.Password, change.Old)
	if err != nil {
		return err
	}
	if !right {
		return wrongOldPassword()
	}
	hash, err := auth.HashPassword(ctx, change.New)
	if err != nil {
		return err
	}
	err = s.update(ctx, func(w Writer) error {
		u, err := w.User(ctx, was.ID)
		if errors.Is(err, ErrNotFound) {
			return signedOut()
		}
		if err != nil {
			return err
		}
		if u.Password != was.Password { // changed while the old one was looked at
			return wrongOldPassword()
		}
		return s.changeUser(ctx, w, actor, &u, "", hash)
	})
	if err != nil {
		return err
	}
	s.actors.forget()
	return nil
}

// wrongOldPassword does not sign the person out, as fault.Unauthenticated would.
func wrongOldPassword() error {
	return fault.New(fault.Forbidden, "The old password is wrong. Try again.")
}
