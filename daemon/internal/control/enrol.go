package control

import (
	"context"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// CreateEnrolmentToken makes a single-use token for an agent.
func (s *Service) CreateEnrolmentToken(ctx context.Context, actor Actor, req api.EnrolmentTokenRequest) (api.EnrolmentToken, error) {
	return api.EnrolmentToken{}, notBuilt()
}

// Enrol spends a token for the identity of an agent: Host.AgentID is what its certificate must say. Check everything else of
// the request (the CSR) before: a spent token stays spent.
func (s *Service) Enrol(ctx context.Context, token string, facts agentwire.Facts) (fleet.Host, error) {
	return fleet.Host{}, notBuilt()
}
