package control

import (
	"context"

	"github.com/backstay/backstay/shared/fleet"
)

// Hosts gives all hosts by name.
func (s *Service) Hosts(ctx context.Context) ([]fleet.Host, error) {
	return nil, notBuilt()
}

// Host gives one host.
func (s *Service) Host(ctx context.Context, idOrName string) (fleet.Host, error) {
	return fleet.Host{}, notBuilt()
}

// RevokeHost ends the trust in a host's agent: its connection is closed and none is taken any more.
func (s *Service) RevokeHost(ctx context.Context, actor Actor, id fleet.HostID) error {
	return notBuilt()
}

// PutSecret passes credentials, sealed to the host's key, on to its agent. The daemon keeps nothing of them.
func (s *Service) PutSecret(ctx context.Context, actor Actor, host, repository, sealed string) error {
	return notBuilt()
}

// DeleteSecret lets the host's agent forget the credentials of a repository.
func (s *Service) DeleteSecret(ctx context.Context, actor Actor, host, repository string) error {
	return notBuilt()
}
