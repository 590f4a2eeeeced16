package apiclient

import (
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/buildinfo"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/wsconn"
)

// DefaultTimeout bounds one try of a request.
const DefaultTimeout = 15 * time.Second

// Config says which daemon, and as whom. Only Address is needed; zero members take the defaults.
type Config struct {
	Address   string // https://host:port; the scheme may be left out
	Pin       string // pin of the daemon's CA, as `backstayd` prints it; the system's roots decide when empty
	Token     string // session or API token; SignIn, Ready need none
	UserAgent string

	TLS       *tls.Config      // instead of Pin
	Timeout   time.Duration    // of one try of a request
	Retry     backoff.Backoff  // pauses between tries of a request
	Reconnect backoff.Backoff  // pauses between connections of Follow and Watch
	KeepAlive wsconn.KeepAlive // how Follow and Watch notice a daemon that is gone without a word
	Random    func() float64   // for the jitter of pauses
}

// Client talks to one daemon.
type Client struct {
	cfg   Config
	base  string // scheme and host, no slash at the end
	token secret.Secret
	tls   *tls.Config
	http  *http.Client
}

// New makes a client. It does not connect.
func New(cfg Config) (*Client, error) {
	base, err := ParseAddress(cfg.Address)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, token: secret.New(cfg.Token), tls: cfg.TLS}
	if c.tls == nil && cfg.Pin != "" {
		if c.tls, err = pinned(cfg.Pin); err != nil {
			return nil, err
		}
	}
	cfg.Token = ""
	c.cfg = withDefaults(cfg)
	c.http = &http.Client{
		Transport:     c.transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a token goes nowhere else
	}
	return c, nil
}

func pinned(p string) (*tls.Config, error) {
	if err := pin.Check(p); err != nil {
		return nil, err
	}
	return pin.ClientTLS(p, nil), nil
}

func withDefaults(cfg Config) Config {
	if cfg.UserAgent == "" {
		cfg.UserAgent = "backstay-apiclient/" + buildinfo.Version()
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Retry == (backoff.Backoff{}) {
		cfg.Retry = backoff.Backoff{Min: 100 * time.Millisecond, Max: 2 * time.Second}
	}
	if cfg.Reconnect == (backoff.Backoff{}) {
		cfg.Reconnect = backoff.Backoff{Min: 100 * time.Millisecond, Max: 10 * time.Second}
	}
	if cfg.KeepAlive.Interval <= 0 {
		cfg.KeepAlive = wsconn.KeepAlive{Interval: 15 * time.Second, Timeout: 10 * time.Second}
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	return cfg
}

func (c *Client) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	var cfg *tls.Config
	if c.tls != nil {
		cfg = c.tls.Clone()
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       cfg,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 0, // each request has its own deadline
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
	}
}

// WithToken gives a client for the same daemon that speaks for somebody else. It shares the connections of c.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.token = secret.New(token)
	return &other
}

// Address is the daemon's address in its full form, https://host:port.
func (c *Client) Address() string { return c.base }

// Close drops idle connections. Requests, Follow and Watch under way go on until their ctx ends.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ParseAddress gives the full form of a daemon's address: https://host:port, without anything behind.
func ParseAddress(s string) (string, error) {
	bad := func() (string, error) {
		return "", fault.New(fault.InvalidInput, "%q is not the address of a daemon. Give it as https://host:port.", s)
	}
	text := strings.TrimSpace(s)
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return bad()
	}
	if u.Scheme != "https" {
		return "", fault.New(fault.InvalidInput, "The daemon speaks HTTPS only. Give its address as https://host:port.")
	}
	return "https://" + strings.ToLower(u.Host), nil
}
