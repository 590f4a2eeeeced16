package control

import (
	"context"

	"github.com/backstay/backstay/shared/api"
)

// SignIn exchanges a password for a session. An unknown user and a wrong password get the same answer in the same time.
func (s *Service) SignIn(ctx context.Context, user, password, remote string) (api.Session, error) {
	return api.Session{}, notBuilt()
}

// SignOut ends the actor's session.
func (s *Service) SignOut(ctx context.Context, actor Actor) error {
	return notBuilt()
}

// Authenticate tells who the bearer of a token is. An answer holds for a second at most.
func (s *Service) Authenticate(ctx context.Context, bearer string) (Actor, error) {
	return Actor{}, notBuilt()
}
