// Package identitytest plays the daemon's authority in tests: a CA, the daemon's side of TLS, and identities that it signed.
// It starts no goroutine.
package identitytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"time"

	"github.com/backstay/backstay/shared/atomicfile"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
)

// CA signs certificates.
type CA struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// New makes a CA.
func New() (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make CA key: %w", err)
	}
	c := &CA{key: key}
	now := time.Now()
	c.cert, err = c.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: now.Add(-1000 * time.Hour), NotAfter: now.Add(1000 * time.Hour)}, &key.PublicKey)
	return c, err
}

func (c *CA) sign(t *x509.Certificate, key any) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	t.SerialNumber, t.BasicConstraintsValid = serial, true
	parent := c.cert
	if parent == nil {
		parent = t
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key, c.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Pin is the CA's pin.
func (c *CA) Pin() string { return pin.Of(c.cert) }

// PEM is the CA's certificate.
func (c *CA) PEM() string { return certPEM(c.cert) }

func certPEM(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

// ServerTLS is the daemon's side: its chain holds leaf and CA, and a client's certificate is looked at when one is shown.
func (c *CA) ServerTLS() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make server key: %w", err)
	}
	now := time.Now()
	leaf, err := c.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "backstayd"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, &key.PublicKey)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.cert)
	return &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: roots,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, c.cert.Raw}, PrivateKey: key, Leaf: leaf}}}, nil
}

var errRequest = errors.New("not a certificate request")

// Sign answers a certificate request (PEM) with an agent's certificate (PEM).
func (c *CA) Sign(csr string, id fleet.AgentID, from, to time.Time) (string, error) {
	block, _ := pem.Decode([]byte(csr))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return "", errRequest
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err == nil {
		err = r.CheckSignature()
	}
	if err != nil {
		return "", fmt.Errorf("read certificate request: %w", err)
	}
	return c.agent(r.PublicKey, id, from, to)
}

func (c *CA) agent(key any, id fleet.AgentID, from, to time.Time) (string, error) {
	cert, err := c.sign(&x509.Certificate{Subject: pkix.Name{CommonName: string(id)}, NotBefore: from, NotAfter: to,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, key)
	if err != nil {
		return "", err
	}
	return certPEM(cert), nil
}

// The files of an identity.
const (
	Current  = "identity.pem"
	Previous = "identity.previous.pem"
)

// Write puts an identity that the CA signed into dir as file name.
func (c *CA) Write(dir, name string, id fleet.AgentID, from, to time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make agent key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode agent key: %w", err)
	}
	cert, err := c.agent(&key.PublicKey, id, from, to)
	if err != nil {
		return err
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})) + cert
	return atomicfile.Write(filepath.Join(dir, name), []byte(text), 0o600)
}
