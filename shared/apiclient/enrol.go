package apiclient

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
)

// Enrol turns a single-use token into an agent's identity; the client needs no token of its own. It is not repeated by itself: a
// lost answer has used the token up.
func (c *Client) Enrol(ctx context.Context, r agentwire.EnrolRequest) (agentwire.EnrolResponse, error) {
	var out agentwire.EnrolResponse
	err := c.do(ctx, call{method: http.MethodPost, path: agentwire.PathEnrol, body: r, once: true}, &out)
	return out, err
}

// Renew asks for a fresh certificate; Config.TLS holds the present one. A daemon that does not take the present one gives
// fault.Unauthenticated or fault.HostRevoked.
func (c *Client) Renew(ctx context.Context, r agentwire.RenewRequest) (agentwire.RenewResponse, error) {
	var out agentwire.RenewResponse
	err := c.do(ctx, call{method: http.MethodPost, path: agentwire.PathRenew, body: r, once: true}, &out)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" { // a TLS alert: it ran out, or another CA signed it
		err = fault.Wrap(fault.Unauthenticated, err, "The daemon refused this host's certificate. Enrol the host again with a new token.")
	}
	return out, err
}
