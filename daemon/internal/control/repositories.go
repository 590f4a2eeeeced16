package control

import (
	"context"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Repositories gives all repositories by name.
func (s *Service) Repositories(ctx context.Context) ([]fleet.Repository, error) {
	return nil, notBuilt()
}

// Repository gives one repository.
func (s *Service) Repository(ctx context.Context, idOrName string) (fleet.Repository, error) {
	return fleet.Repository{}, notBuilt()
}

// AddRepository makes a repository known. It does not touch the repository itself.
func (s *Service) AddRepository(ctx context.Context, actor Actor, req api.RepositoryRequest) (fleet.Repository, error) {
	return fleet.Repository{}, notBuilt()
}

// UpdateRepository replaces what is known of a repository.
func (s *Service) UpdateRepository(ctx context.Context, actor Actor, idOrName string, req api.RepositoryRequest) (fleet.Repository, error) {
	return fleet.Repository{}, notBuilt()
}

// DeleteRepository forgets a repository that no plan and no open job uses. The repository itself is not touched.
func (s *Service) DeleteRepository(ctx context.Context, actor Actor, idOrName string) error {
	return notBuilt()
}

// TestRepository asks a host whether it can open the repository.
func (s *Service) TestRepository(ctx context.Context, actor Actor, idOrName string, host fleet.HostID) (api.TestResult, error) {
	return api.TestResult{}, notBuilt()
}
