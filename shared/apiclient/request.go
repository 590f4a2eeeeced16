package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
)

const (
	maxTries      = 3
	maxAnswer     = 64 << 20         // bytes of a JSON answer
	maxRetryAfter = 10 * time.Second // a longer Retry-After is for the person to wait out
)

// call is one request of the API.
type call struct {
	method  string
	path    string // begins with a slash
	query   url.Values
	body    any           // JSON; nil for none
	key     string        // Idempotency-Key
	timeout time.Duration // of one try; the client's when 0
	once    bool          // do not try again, whatever the method
}

func (r call) repeatable() bool { return !r.once && (r.method == http.MethodGet || r.key != "") }

// do carries out r and decodes the answer into out, unless out is nil.
func (c *Client) do(ctx context.Context, r call, out any) error {
	if !whole(r.path) {
		return fault.New(fault.InvalidInput, "An id or name is missing. Give the one that the lists show.")
	}
	body, err := encodeBody(r.body)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		wait, err := c.try(ctx, r, body, out)
		if err == nil {
			return nil
		}
		if !r.repeatable() || try >= maxTries || !transient(err) || ctx.Err() != nil || wait > maxRetryAfter {
			return err
		}
		if wait == 0 {
			wait = c.cfg.Retry.Next(try-1, c.cfg.Random)
		}
		if !pause(ctx, wait) {
			return err
		}
	}
}

// try is one try of r. After an error, wait is the pause that the daemon asked for, 0 when it asked for none.
func (c *Client) try(ctx context.Context, r call, body []byte, out any) (wait time.Duration, err error) {
	timeout := r.timeout
	if timeout == 0 {
		timeout = c.cfg.Timeout
	}
	tctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := c.send(ctx, tctx, r, body)
	if err != nil {
		return 0, err
	}
	answer, rerr := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	cerr := resp.Body.Close()
	if resp.StatusCode >= 300 {
		return retryAfter(resp.Header), c.refusal(resp.StatusCode, answer)
	}
	if err := errors.Join(rerr, cerr); err != nil {
		return 0, c.unreachable(ctx, err)
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return 0, nil
	}
	if len(answer) > maxAnswer {
		return 0, c.notDaemon(fmt.Errorf("answer is longer than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return 0, c.notDaemon(fmt.Errorf("decode answer of %s %s: %w", r.method, r.path, err))
	}
	return 0, nil
}

// send sends r once; tctx bounds it, ctx is the caller's.
func (c *Client) send(ctx, tctx context.Context, r call, body []byte) (*http.Response, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(tctx, r.method, target, content)
	if err != nil {
		return nil, fmt.Errorf("make request %s %s: %w", r.method, r.path, err)
	}
	req.Header = c.header()
	req.Header.Set("Accept", "application/json, application/problem+json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	return resp, nil
}

func (c *Client) header() http.Header {
	h := http.Header{"User-Agent": {c.cfg.UserAgent}}
	if !c.token.IsZero() {
		h.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	return h
}

func encodeBody(v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return b, nil
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// pause waits for d and tells whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// route joins the API's base and path elements, which are escaped.
func route(elements ...string) string {
	path := api.Base
	for _, e := range elements {
		path += "/" + url.PathEscape(e)
	}
	return path
}

// whole tells whether every element of a path is there: "" and dots would name another route.
func whole(path string) bool {
	for e := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if e == "" || e == "." || e == ".." {
			return false
		}
	}
	return true
}

func get[T any](ctx context.Context, c *Client, query url.Values, elements ...string) (T, error) {
	var v T
	err := c.do(ctx, call{method: http.MethodGet, path: route(elements...), query: query}, &v)
	return v, err
}

func send[T any](ctx context.Context, c *Client, method string, body any, elements ...string) (T, error) {
	var v T
	err := c.do(ctx, call{method: method, path: route(elements...), body: body}, &v)
	return v, err
}

func (c *Client) remove(ctx context.Context, elements ...string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: route(elements...)}, nil)
}

// list reads all pages of a list.
func list[T any](ctx context.Context, c *Client, elements ...string) ([]T, error) {
	var all []T
	cursor := ""
	for {
		query := url.Values{}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		page, err := get[api.Page[T]](ctx, c, query, elements...)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		if page.Next == cursor {
			return nil, c.notDaemon(errors.New("the same page comes again and again"))
		}
		cursor = page.Next
	}
}
