package apiclient

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

// refusal turns an answer that is no success into the error it stands for.
func (c *Client) refusal(status int, body []byte) error {
	var p api.Problem
	if err := json.Unmarshal(body, &p); err == nil && p.Code != "" && p.Detail != "" {
		if p.Ref != "" {
			return fault.Wrap(p.Code, errStatus(status), "%s (reference %s)", p.Detail, p.Ref)
		}
		return fault.Wrap(p.Code, errStatus(status), "%s", p.Detail)
	}
	switch status {
	case http.StatusUnauthorized:
		return fault.Wrap(fault.Unauthenticated, errStatus(status), "The daemon does not know who is asking. Sign in again.")
	case http.StatusForbidden:
		return fault.Wrap(fault.Forbidden, errStatus(status), "The daemon does not allow this. Ask an administrator of the fleet.")
	case http.StatusRequestEntityTooLarge:
		return fault.Wrap(fault.TooLarge, errStatus(status), "The request is larger than the daemon takes. Send less at once.")
	case http.StatusTooManyRequests:
		return fault.Wrap(fault.RateLimited, errStatus(status), "The daemon was asked too often. Wait a little and try again.")
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fault.Wrap(fault.Unavailable, errStatus(status), "The daemon at %s is not ready. Try again in a moment.", c.base)
	}
	return c.notDaemon(errStatus(status))
}

func errStatus(status int) error { return fmt.Errorf("HTTP status %d", status) }

// notDaemon is for answers that a daemon of this release would not give.
func (c *Client) notDaemon(err error) error {
	return fault.Wrap(fault.Protocol, err, "What answers at %s does not speak as this release's daemon does. Check the address and the releases on both sides.", c.base)
}

// unreachable turns a failed connection into the error a person needs; ctx is the caller's.
func (c *Client) unreachable(ctx context.Context, err error) error {
	var known *fault.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("ask %s: %w", c.base, errors.Join(ctx.Err(), err))
	case errors.As(err, &known): // from the verification of the certificate, see package pin
		return fmt.Errorf("ask %s: %w", c.base, err)
	case errors.As(err, &cert):
		return fault.Wrap(fault.PinMismatch, err, "The certificate of %s is not trusted. Give the daemon's CA pin, as `backstayd` prints it.", c.base)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fault.Wrap(fault.Protocol, err, "What answers at %s does not speak TLS. Check the address and the port.", c.base)
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "The daemon at %s did not answer in time. Check that it runs and try again.", c.base)
	}
	return fault.Wrap(fault.Unavailable, err, "The daemon at %s does not answer. Check the address, and that backstayd runs there.", c.base)
}

// transient tells whether the same request may well succeed in a moment.
func transient(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Unavailable, fault.Timeout, fault.RateLimited:
		return true
	}
	return false
}
