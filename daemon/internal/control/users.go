package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/daemon/internal/auth"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Lengths of passwords in bytes.
const (
	minPassword = 10
	maxPassword = 1024
)

// Users gives all users by name.
func (s *Service) Users(ctx context.Context) (all []api.User, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		all, err = r.Users(ctx)
		return err
	})
	return all, err
}

// CreateUser adds a person who may sign in.
func (s *Service) CreateUser(ctx context.Context, actor Actor, req api.UserRequest) (api.User, error) {
	if err := checkUser(req); err != nil {
		return api.User{}, err
	}
	if err := checkRole(req.Role); err != nil {
		return api.User{}, err
	}
	password, err := auth.HashPassword(ctx, req.Password)
	if err != nil {
		return api.User{}, err
	}
	u := UserRecord{User: api.User{ID: fleet.UserID(s.newID()), Name: req.Name, Role: req.Role, CreatedAt: s.now()}, Password: password}
	err = s.update(ctx, func(w Writer) error {
		if err := unlikeOthers(ctx, w, u.Name); err != nil {
			return err
		}
		if err := w.PutUser(ctx, u); err != nil {
			return taken(err, "user", u.Name)
		}
		return w.AppendAudit(ctx, AuditEntry{u.CreatedAt, actor.Name, "user.create", string(u.ID), u.Name + " as " + string(u.Role)})
	})
	if err != nil {
		return api.User{}, err
	}
	return u.User, nil
}

// unlikeOthers refuses a name that differs from another user's by capital letters only: people would take one for the other.
func unlikeOthers(ctx context.Context, r AccessReader, name string) error {
	users, err := r.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if strings.EqualFold(u.Name, name) && u.Name != name {
			return fault.New(fault.Conflict, "There is a user %s already, and names that differ in capital letters only are taken for each other. Choose another name.", shown(u.Name))
		}
	}
	return nil
}

const userNameSigns = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-"

// checkUser keeps the names of people apart from "token:…" and the daemon's own in the audit log.
func checkUser(req api.UserRequest) error {
	if err := checkName("user", req.Name); err != nil {
		return err
	}
	if strings.Trim(req.Name, userNameSigns) != "" || slices.Contains(notUsers[:], strings.ToLower(req.Name)) {
		return fault.New(fault.InvalidInput, "%s cannot be the name of a user. Use letters, digits and the signs . _ @ - only, and none of the names %v.", shown(req.Name), notUsers)
	}
	return checkPassword(req.Password)
}

func checkPassword(password string) error {
	if len(password) < minPassword || len(password) > maxPassword {
		return fault.New(fault.InvalidInput, "The password has %d bytes. Choose one of %d to %d.", len(password), minPassword, maxPassword)
	}
	return nil
}

// notUsers are names that stand in the audit log and at jobs for what is no person.
var notUsers = [...]string{"system", "local", fleet.ScheduleUser, "unknown"}

func checkRole(role fleet.Role) error {
	if !role.Valid() {
		return fault.New(fault.InvalidInput, "%s is not a role. Use viewer, operator or admin.", shown(string(role)))
	}
	return nil
}

// DeleteUser removes a user with all sessions, API tokens and unused enrolment tokens of theirs. The last admin stays.
func (s *Service) DeleteUser(ctx context.Context, actor Actor, id fleet.UserID) error {
	err := s.update(ctx, func(w Writer) error {
		u, err := findUser(ctx, w, string(id))
		if err != nil {
			return err
		}
		if err := keepsAnAdmin(ctx, w, u); err != nil {
			return err
		}
		ended, err := endTokens(ctx, w, u, "", s.now())
		if err != nil {
			return err
		}
		if err := w.DeleteUser(ctx, u.ID); err != nil {
			return err
		}
		return w.AppendAudit(ctx, AuditEntry{s.now(), actor.Name, "user.delete", string(u.ID), u.Name + ", with " + ended.String()})
	})
	if err != nil {
		return err
	}
	s.actors.forget()
	return nil
}

func findUser(ctx context.Context, r AccessReader, idOrName string) (UserRecord, error) {
	u, err := find(ctx, idOrName, func(ctx context.Context, id string) (UserRecord, error) {
		return r.User(ctx, fleet.UserID(id))
	}, r.UserByName)
	if errors.Is(err, ErrNotFound) {
		err = fault.New(fault.NotFound, "No user is called %s. `backstay user ls` lists them.", shown(idOrName))
	}
	return u, err
}

// endedTokens counts what endTokens deleted.
type endedTokens struct {
	api        int
	enrolments int64
}

func (e endedTokens) String() string {
	return fmt.Sprintf("%d API tokens and %d enrolment tokens", e.api, e.enrolments)
}

// enrols is the lowest role that may make enrolment tokens.
const enrols = fleet.RoleAdmin

// endTokens deletes the API tokens that a user made, those that a role allows excepted, and the unused enrolment tokens that the user
// or one of those API tokens made, unless that role may make such.
func endTokens(ctx context.Context, w Writer, u UserRecord, allowed fleet.Role, now time.Time) (ended endedTokens, err error) {
	tokens, err := w.Tokens(ctx)
	if err != nil {
		return ended, err
	}
	makers := []string{}
	if !allowed.Allows(enrols) {
		makers = append(makers, u.Name)
	}
	for _, t := range tokens {
		if t.CreatedBy != u.Name || allowed.Allows(t.Role) {
			continue
		}
		ended.api++
		makers = append(makers, tokenActor+t.Name)
		if err := w.DeleteToken(ctx, t.ID); err != nil {
			return ended, err
		}
	}
	for _, m := range makers {
		n, err := w.EndEnrolments(ctx, m, now)
		if err != nil {
			return ended, err
		}
		ended.enrolments += n
	}
	return ended, nil
}

func keepsAnAdmin(ctx context.Context, r AccessReader, leaving UserRecord) error {
	if leaving.Role != fleet.RoleAdmin {
		return nil
	}
	users, err := r.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Role == fleet.RoleAdmin && u.ID != leaving.ID {
			return nil
		}
	}
	return fault.New(fault.Conflict, "%s is the last admin. Add another admin first.", shown(leaving.Name))
}
