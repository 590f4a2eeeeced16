package session

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/wsconn"
)

// dialTimeout bounds TCP, TLS and handshake together. A daemon to which a whole fleet comes back has agents wait for their turn.
const dialTimeout = 30 * time.Second

// dial connects with the present identity and, where the daemon does not take it, with the one before the last renewal. It gives the
// one that was taken.
func (s *Session) dial(ctx context.Context) (*wsconn.Conn, identity.Identity, error) {
	all, err := identity.Candidates(s.cfg.IdentityDir)
	if err != nil {
		return nil, identity.Identity{}, err
	}
	var first error
	for _, id := range all {
		conn, err := s.dialAs(ctx, id.Certificate)
		if err == nil {
			return conn, id, nil
		}
		if !refused(err) {
			return nil, id, err
		}
		if first == nil {
			first = s.ranOut(id, err)
		}
	}
	return nil, identity.Identity{}, first
}

func (s *Session) dialAs(ctx context.Context, cert tls.Certificate) (*wsconn.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, _, err := wsconn.Dial(ctx, s.cfg.Server+agentwire.PathConnect, wsconn.DialOptions{
		TLS: pin.ClientTLS(s.cfg.Pin, &cert), ReadLimit: agentwire.MaxFrame, KeepAlive: s.cfg.KeepAlive})
	return conn, err
}

// refused tells whether the daemon is there and does not take who is asking.
func refused(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Unauthenticated, fault.Forbidden, fault.HostRevoked:
		return true
	}
	return false
}

// ranOut says so where it is the reason of a refusal.
func (s *Session) ranOut(id identity.Identity, err error) error {
	if fault.CodeOf(err) != fault.Unauthenticated || !id.Expired(s.cfg.Clock()) {
		return err
	}
	return fault.Wrap(fault.Unauthenticated, err, "This host's certificate ran out on %s. Enrol the host again with a new token.",
		id.Leaf.NotAfter.UTC().Format(time.DateTime))
}

// explain puts the daemon's goodbye into words.
func explain(err error) error {
	switch wsconn.CloseStatus(err) {
	case agentwire.CloseRevoked:
		return fault.Wrap(fault.HostRevoked, err, "The daemon does not trust this host any more. Enrol it again with a new token if it should.")
	case agentwire.CloseCloned:
		return fault.Wrap(fault.Conflict, err, "Two agents use the identity of this host. Stop one of them and enrol it anew.")
	case agentwire.CloseReplaced:
		return fault.Wrap(fault.Unavailable, err, "A newer session of this agent took over. If that was not this agent, enrol one of the two anew.")
	case agentwire.CloseShutdown:
		return fault.Wrap(fault.Unavailable, err, "The daemon stops. The agent comes back when it is up again.")
	case agentwire.CloseBusy:
		return fault.Wrap(fault.Unavailable, err, "The daemon does not keep up. The agent comes back and sends again what is missing there.")
	case agentwire.CloseProtocol:
		return fault.Wrap(fault.Protocol, err, "The daemon did not understand this agent. Update the older side; the daemon's log says more.")
	}
	return err
}

// unwanted tells whether the daemon ended a session because it does not want this agent now.
func unwanted(err error) bool {
	switch wsconn.CloseStatus(err) {
	case agentwire.CloseBusy, agentwire.CloseCloned, agentwire.CloseRevoked, agentwire.CloseProtocol:
		return true
	}
	return false
}
