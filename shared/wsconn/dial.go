package wsconn

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/backstay/backstay/shared/fault"
)

// DialOptions of Dial.
type DialOptions struct {
	TLS          *tls.Config // the system's roots when nil; see package pin
	Header       http.Header
	ReadLimit    int64 // bytes of one frame; DefaultReadLimit when 0
	WriteTimeout time.Duration
	KeepAlive    KeepAlive
}

// Dial opens a connection to a wss:// (ws://, https://, http://) address. The handshake is bounded by ctx. Errors are fault
// errors: fault.PinMismatch for a wrong certificate, the code of the peer's problem JSON, or of its status (Unauthenticated,
// Forbidden, NotFound, RateLimited, …), fault.Unavailable when nobody answers. The response is there on a refused handshake, too;
// its Body need not be closed.
func Dial(ctx context.Context, address string, opt DialOptions) (*Conn, *http.Response, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, nil, fault.Wrap(fault.InvalidInput, err, "The daemon's address is not valid. Give it as https://host:port.")
	}
	var d dialled
	client := &http.Client{
		Transport:     d.transport(opt.TLS),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	header := opt.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	ws, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient:      client,
		HTTPHeader:      header,
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, resp, dialError(ctx, u.Host, resp, err)
	}
	if d.frames != nil {
		d.frames.framed.Store(true)
	}
	return newConn(ws, d.raw, opt.ReadLimit, opt.WriteTimeout, opt.KeepAlive), resp, nil
}

// dialled is what one handshake opened.
type dialled struct {
	raw    net.Conn // the TCP connection
	frames *gather  // over TLS; nil without
}

// transport makes a transport for one handshake.
func (d *dialled) transport(cfg *tls.Config) *http.Transport {
	if cfg == nil {
		cfg = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	cfg = cfg.Clone()
	cfg.NextProtos = []string{"http/1.1"}
	return &http.Transport{
		DisableKeepAlives: true, // a refused handshake leaves no idle connection behind
		DialContext:       d.dial,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := d.dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if cfg.ServerName == "" {
				if cfg.ServerName, _, err = net.SplitHostPort(addr); err != nil {
					return nil, errors.Join(err, c.Close())
				}
			}
			t := tls.Client(c, cfg)
			if err := t.HandshakeContext(ctx); err != nil {
				return nil, errors.Join(err, c.Close())
			}
			d.frames = &gather{Conn: t}
			return d.frames, nil
		},
	}
}

func (d *dialled) dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	var dialer net.Dialer
	c, err = dialer.DialContext(ctx, network, addr)
	d.raw = c
	return c, err
}

func dialError(ctx context.Context, host string, resp *http.Response, err error) error {
	var known *fault.Error
	if errors.As(err, &known) { // from the verification of the certificate, see package pin
		return fmt.Errorf("connect to %s: %w", host, err)
	}
	if resp != nil {
		return refusal(host, resp, err)
	}
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.As(err, &cert):
		return fault.Wrap(fault.PinMismatch, err, "The certificate of %s is not trusted. Give the daemon's CA pin, as `backstayd` prints it.", host)
	case errors.As(err, &op) && op.Op == "remote error": // a TLS alert of the peer
		return fault.Wrap(fault.Unauthenticated, err, "%s refused this host's certificate. Enrol the host anew.", host)
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("connect to %s: %w", host, errors.Join(ctx.Err(), err))
	}
	return fault.Wrap(fault.Unavailable, err, "%s does not answer. Check the address, and that the daemon runs there.", host)
}

// refusal turns an HTTP answer that is no WebSocket into the error it stands for.
func refusal(host string, resp *http.Response, err error) error {
	var problem struct {
		Code   fault.Code `json:"code"`
		Detail string     `json:"detail"`
	}
	if resp.Body != nil {
		body, rerr := io.ReadAll(resp.Body) // at most 1 KiB, in memory already
		if rerr == nil && json.Unmarshal(body, &problem) == nil && problem.Code != "" && problem.Detail != "" {
			return fault.Wrap(problem.Code, err, "%s", problem.Detail)
		}
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return fault.Wrap(fault.Unauthenticated, err, "%s does not know who is asking. Sign in, or enrol the host, anew.", host)
	case http.StatusForbidden:
		return fault.Wrap(fault.Forbidden, err, "%s does not allow this. Ask an administrator of the fleet.", host)
	case http.StatusNotFound:
		return fault.Wrap(fault.NotFound, err, "There is no such thing at %s. Check the address and the releases on both sides.", host)
	case http.StatusTooManyRequests:
		return fault.Wrap(fault.RateLimited, err, "%s was asked too often. Wait a little and try again.", host)
	}
	return fault.Wrap(fault.Unavailable, err, "%s answered with HTTP status %d where a Backstay daemon was expected. Check the address.", host, resp.StatusCode)
}
