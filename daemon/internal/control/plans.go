package control

import (
	"context"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Plans gives all plans by name.
func (s *Service) Plans(ctx context.Context) ([]fleet.Plan, error) {
	return nil, notBuilt()
}

// Plan gives one plan.
func (s *Service) Plan(ctx context.Context, idOrName string) (fleet.Plan, error) {
	return fleet.Plan{}, notBuilt()
}

// AddPlan stores a plan. Its hosts and repository may be named by id or name.
func (s *Service) AddPlan(ctx context.Context, actor Actor, req api.PlanRequest) (fleet.Plan, error) {
	return fleet.Plan{}, notBuilt()
}

// UpdatePlan replaces a plan.
func (s *Service) UpdatePlan(ctx context.Context, actor Actor, idOrName string, req api.PlanRequest) (fleet.Plan, error) {
	return fleet.Plan{}, notBuilt()
}

// DeletePlan removes a plan. Its jobs stay.
func (s *Service) DeletePlan(ctx context.Context, actor Actor, idOrName string) error {
	return notBuilt()
}
