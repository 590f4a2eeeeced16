package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
)

// Config of Open.
type Config struct {
	Dir   string           // made when missing
	Names []string         // host names and addresses under which the daemon is reached, beside localhost and the host's own name
	Clock func() time.Time // time.Now when nil
	Log   *slog.Logger     // none when nil
}

// PKI is the authority and the server's own certificate. It is safe for concurrent use.
type PKI struct {
	dir   string
	names []string
	clock func() time.Time
	log   *slog.Logger

	caKey  *ecdsa.PrivateKey
	caCert *x509.Certificate
	caPEM  []byte

	mu     sync.Mutex
	server *tls.Certificate
}

// Open loads the authority from the folder, or makes it, and makes the server's certificate anew when its names changed or its
// end is near.
func Open(cfg Config) (*PKI, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fault.Wrap(fault.StorageDenied, err, "The folder for the daemon's certificates cannot be made. Check the data folder's owner and rights.")
	}
	p := &PKI{dir: cfg.Dir, names: serverNames(cfg.Names), clock: cfg.Clock, log: cfg.Log}
	if err := p.loadCA(); err != nil {
		return nil, err
	}
	if err := p.loadServer(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *PKI) loadCA() error {
	keyFile, certFile := filepath.Join(p.dir, "ca.key"), filepath.Join(p.dir, "ca.pem")
	key, err := readKey(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Stat(certFile); serr == nil {
			return fault.Wrap(fault.StorageCorrupt, err, "The key of the daemon's CA (ca.key) is missing. Put it back from a copy of the data folder: with a new one, every agent would have to be enrolled anew.")
		}
		key, err = newKey(keyFile)
	}
	if err != nil {
		return unreadable(err)
	}
	cert, err := readCert(certFile)
	if errors.Is(err, fs.ErrNotExist) {
		cert, err = writeCA(certFile, key, p.clock())
	}
	if err != nil {
		return unreadable(err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return fault.New(fault.StorageCorrupt, "The key and the certificate of the daemon's CA (ca.key, ca.pem) do not belong together. Put both back from one copy of the data folder.")
	}
	p.caKey, p.caCert, p.caPEM = key, cert, encodeCert(cert.Raw)
	return nil
}

// loadServer reads the server's certificate; whatever is wrong with it, a new one is as good.
func (p *PKI) loadServer() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	pair, err := p.readServer()
	if err == nil && p.fits(pair.Leaf) {
		p.server = pair
		return nil
	}
	return p.issueServerLocked()
}

func unreadable(err error) error {
	if fault.CodeOf(err) != fault.Internal {
		return err
	}
	return fault.Wrap(fault.StorageCorrupt, err, "The daemon's certificates cannot be read or written. Check the folder pki in the data folder, or put it back from a copy.")
}

// Pin is what agents and consoles know the daemon by.
func (p *PKI) Pin() string { return pin.Of(p.caCert) }

// CA is the authority's certificate as PEM.
func (p *PKI) CA() string { return string(p.caPEM) }

// TLS gives the settings of the daemon's listener: a client certificate is asked for and, when given, must be an agent's of this
// authority. No session tickets: a connection that is not verified anew would outlive a change of certificates.
func (p *PKI) TLS() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(p.caCert)
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		ClientAuth:             tls.VerifyClientCertIfGiven,
		ClientCAs:              pool,
		Time:                   p.clock,
		SessionTicketsDisabled: true,
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.serverCertificate(), nil },
	}
}

// serverCertificate gives the certificate to show. When a new one is due and cannot be written, the old one has to do.
func (p *PKI) serverCertificate() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.current(p.server.Leaf) { // its names and its authority were looked at by Open
		if err := p.issueServerLocked(); err != nil {
			p.log.Error("server certificate not renewed", "err", err)
		}
	}
	return p.server
}

// AgentOf tells which agent is at the other end of a connection: fault.Unauthenticated when it did not show a certificate of
// this authority.
func AgentOf(cs *tls.ConnectionState) (fleet.AgentID, error) {
	if cs == nil || len(cs.VerifiedChains) == 0 {
		return "", fault.New(fault.Unauthenticated, "This endpoint is for enrolled agents. Enrol the host, or renew its certificate.")
	}
	id := cs.VerifiedChains[0][0].Subject.CommonName
	if !fleet.ValidID(id) {
		return "", fault.New(fault.Unauthenticated, "The certificate does not name an agent. Enrol the host anew.")
	}
	return fleet.AgentID(id), nil
}

// now is used for what is written into certificates, which hold whole seconds.
func (p *PKI) now() time.Time { return p.clock().UTC().Truncate(time.Second) }

func (p *PKI) path(name string) string { return filepath.Join(p.dir, name) }

func wrapFile(what string, err error) error { return fmt.Errorf("%s: %w", what, err) }
