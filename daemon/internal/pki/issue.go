package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Lives of certificates. Each begins backdated: a host whose clock is behind must be able to come in.
const (
	AgentLife  = 30 * 24 * time.Hour
	serverLife = 90 * 24 * time.Hour
	serverLeft = 30 * 24 * time.Hour // a new one is made when less is left
	caLife     = 20 * 365 * 24 * time.Hour
	backdate   = 48 * time.Hour
)

// maxCSR bounds a certificate request in bytes.
const maxCSR = 16 << 10

// Request is an agent's checked wish for a certificate: its public key.
type Request struct{ key crypto.PublicKey }

// ParseRequest checks a certificate request (PEM). Only its public key is taken; whatever else it says is ignored. The key must
// be ECDSA P-256 and the request signed with it.
func ParseRequest(csr string) (Request, error) {
	if len(csr) > maxCSR {
		return Request{}, fault.New(fault.TooLarge, "The certificate request is too large. Update the agent.")
	}
	block, rest := pem.Decode([]byte(csr))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(strings.TrimSpace(string(rest))) > 0 {
		return Request{}, fault.New(fault.InvalidInput, "The certificate request is not a single PEM block. Update the agent.")
	}
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = parsed.CheckSignature()
	}
	if err != nil {
		return Request{}, fault.Wrap(fault.InvalidInput, err, "The certificate request is damaged. Try again.")
	}
	key, ok := parsed.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return Request{}, fault.New(fault.InvalidInput, "The key of the certificate request is not ECDSA P-256. Update the agent.")
	}
	return Request{key: key}, nil
}

// IssueAgent signs an agent's certificate (PEM), good for a client only, for AgentLife.
func (p *PKI) IssueAgent(r Request, id fleet.AgentID) (string, error) {
	if !fleet.ValidID(string(id)) || r.key == nil {
		return "", fault.New(fault.InvalidInput, "There is no agent id or key to sign a certificate for.")
	}
	now := p.now()
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		Subject:               pkix.Name{CommonName: string(id)},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(AgentLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}, p.caCert, r.key, p.caKey)
	if err != nil {
		return "", wrapFile("sign certificate of agent", err)
	}
	return string(encodeCert(raw)), nil
}

// issueServerLocked makes a new key and certificate for the server and keeps them.
func (p *PKI) issueServerLocked() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return wrapFile("make server key", err)
	}
	now := p.now()
	cert := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "backstayd"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(serverLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range p.names {
		if ip := net.ParseIP(n); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, n)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, cert, p.caCert, &key.PublicKey, p.caKey)
	if err != nil {
		return wrapFile("sign server certificate", err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return wrapFile("read server certificate back", err)
	}
	if err := writeKey(p.path("server.key"), key); err != nil {
		return err
	}
	if err := writeCert(p.path("server.pem"), raw); err != nil {
		return err
	}
	p.server = p.pair(leaf, key)
	return nil
}

// pair is what the server shows: its certificate and the authority's.
func (p *PKI) pair(leaf *x509.Certificate, key *ecdsa.PrivateKey) *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw, p.caCert.Raw}, PrivateKey: key, Leaf: leaf}
}

func (p *PKI) readServer() (*tls.Certificate, error) {
	key, err := readKey(p.path("server.key"))
	if err != nil {
		return nil, err
	}
	leaf, err := readCert(p.path("server.pem"))
	if err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(leaf.PublicKey) { // a crash between the two files
		return nil, wrapFile("read server certificate", os.ErrInvalid)
	}
	return p.pair(leaf, key), nil
}

// fits tells whether the server's certificate is of this authority, holds the names and has life left.
func (p *PKI) fits(leaf *x509.Certificate) bool {
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	slices.Sort(names)
	return slices.Equal(names, p.names) && leaf.CheckSignatureFrom(p.caCert) == nil && p.current(leaf)
}

// current tells whether a certificate is valid and has life left.
func (p *PKI) current(leaf *x509.Certificate) bool {
	now := p.clock()
	return !now.Before(leaf.NotBefore) && now.Add(serverLeft).Before(leaf.NotAfter)
}

// serverNames gives the names of the server's certificate: the given ones, localhost and the host's own, sorted, each once.
func serverNames(given []string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if h, err := os.Hostname(); err == nil {
		names = append(names, h)
	}
	names = append(names, given...)
	var out []string
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			n = ip.String()
		} else {
			n = strings.ToLower(strings.TrimSuffix(n, "."))
		}
		if validName(n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// validName tells whether n may stand in a certificate; a name that may not would make it unreadable for some.
func validName(n string) bool {
	if n == "" || len(n) > 253 || net.ParseIP(n) != nil {
		return n != "" && len(n) <= 253
	}
	for i := range len(n) {
		c := n[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '*') {
			return false
		}
	}
	return true
}
