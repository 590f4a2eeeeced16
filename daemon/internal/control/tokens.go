package control

import (
	"context"

	"github.com/backstay/backstay/shared/api"
)

// Tokens gives all API tokens by name, without their secrets.
func (s *Service) Tokens(ctx context.Context) ([]api.Token, error) {
	return nil, notBuilt()
}

// CreateToken makes an API token whose role does not exceed the actor's.
func (s *Service) CreateToken(ctx context.Context, actor Actor, req api.TokenRequest) (api.Token, error) {
	return api.Token{}, notBuilt()
}

// DeleteToken revokes an API token.
func (s *Service) DeleteToken(ctx context.Context, actor Actor, id string) error {
	return notBuilt()
}
