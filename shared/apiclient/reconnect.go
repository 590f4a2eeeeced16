package apiclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/wsconn"
)

// maxStreamFrame bounds a frame of both streams in bytes. The daemon is known by its pin and sends less; the bound is for a
// daemon gone wrong.
const maxStreamFrame = 8 << 20

// maxStrikes is how often in a row a stream may make no sense before it is given up.
const maxStrikes = 3

// stream is what Follow and Watch do with one connection after another.
type stream interface {
	// hello gives the first frame of a connection.
	hello() ([]byte, error)
	// frame takes the next frame, of which it keeps nothing. done ends everything well.
	frame(b []byte) (done bool, err error)
	// position grows whenever a connection brought something new.
	position() int64
	// lost and regained tell the person.
	lost(err error, retryIn time.Duration)
	regained()
}

// errHopeless marks an error that another connection would only repeat, whatever its code.
var errHopeless = errors.New("another try would end the same way")

// keepUp runs s over one connection after another until it is done, ctx ends, no further try can help, or giveUp (0: never)
// passed without contact.
func (c *Client) keepUp(ctx context.Context, path string, giveUp time.Duration, s stream) error {
	attempt, strikes := 0, 0
	away := false
	since := time.Now()
	for {
		before := s.position()
		err := c.connection(ctx, path, s, func() {
			if away {
				s.regained()
			}
			away, attempt = false, 0
		})
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("follow %s: %w", path, ctx.Err())
		}
		if !away {
			since = time.Now()
		}
		if s.position() > before {
			strikes = 0
		}
		if fault.CodeOf(err) == fault.Protocol {
			strikes++
		}
		if hopeless(err) || strikes >= maxStrikes {
			return err
		}
		if giveUp > 0 && time.Since(since) >= giveUp {
			return fault.Wrap(fault.Unavailable, err, "The daemon at %s did not come back within %s. What runs on the hosts goes on; follow it again later.", c.base, giveUp)
		}
		wait := c.cfg.Reconnect.Next(attempt, c.cfg.Random)
		attempt++
		away = true
		s.lost(err, wait)
		if !pause(ctx, wait) {
			return fmt.Errorf("follow %s: %w", path, ctx.Err())
		}
	}
}

// hopeless tells whether another connection would end the same way.
func hopeless(err error) bool {
	if errors.Is(err, errHopeless) {
		return true
	}
	switch fault.CodeOf(err) {
	case fault.Unavailable, fault.Timeout, fault.RateLimited, fault.Protocol:
		return false
	}
	return true
}

// connection runs s over one connection. answered is called at the first frame, before s sees it.
func (c *Client) connection(ctx context.Context, path string, s stream, answered func()) (err error) {
	hello, err := s.hello()
	if err != nil {
		return err
	}
	conn, err := c.dial(ctx, path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			conn.CloseNow()
			return
		}
		_ = conn.Close(wsconn.CloseNormal, "") // all is here; how the goodbye goes changes nothing
	}()
	if err := conn.Write(ctx, hello); err != nil {
		return err
	}
	var frame bytes.Buffer
	for first := true; ; first = false {
		if err := conn.ReadInto(ctx, &frame); err != nil {
			return closed(err)
		}
		if first {
			answered()
		}
		done, err := s.frame(frame.Bytes())
		if done || err != nil {
			return err
		}
	}
}

func (c *Client) dial(ctx context.Context, path string) (*wsconn.Conn, error) {
	dctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	conn, _, err := wsconn.Dial(dctx, c.base+path, wsconn.DialOptions{
		TLS: c.tls, Header: c.header(), ReadLimit: maxStreamFrame, KeepAlive: c.cfg.KeepAlive,
	})
	return conn, err
}

// closed gives the daemon's close codes their meaning.
func closed(err error) error {
	switch wsconn.CloseStatus(err) {
	case api.CloseUnauthorized:
		return fault.Wrap(fault.Unauthenticated, err, "The session ended. Sign in again.")
	case api.CloseForbidden:
		return fault.Wrap(fault.Forbidden, err, "The daemon does not allow this any more. Ask an administrator of the fleet.")
	case api.CloseNotFound:
		return fault.Wrap(fault.NotFound, err, "The daemon does not know this any more. Look at the list again.")
	case api.CloseSlow:
		return fault.Wrap(fault.Unavailable, err, "This side read too slowly and was disconnected. It resumes where it was.")
	case api.CloseShutdown:
		return fault.Wrap(fault.Unavailable, err, "The daemon is stopping. The stream resumes when it is back.")
	}
	return err
}
