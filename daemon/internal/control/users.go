package control

import (
	"context"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Users gives all users by name.
func (s *Service) Users(ctx context.Context) ([]api.User, error) {
	return nil, notBuilt()
}

// CreateUser adds a person who may sign in.
func (s *Service) CreateUser(ctx context.Context, actor Actor, req api.UserRequest) (api.User, error) {
	return api.User{}, notBuilt()
}

// DeleteUser removes a user with all sessions and API tokens of theirs.
func (s *Service) DeleteUser(ctx context.Context, actor Actor, id fleet.UserID) error {
	return notBuilt()
}
